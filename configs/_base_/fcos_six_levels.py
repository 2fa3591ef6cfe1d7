"""FCOS with six levels, as in HRNet-FCOS. A base only."""
# Merged over the five levels of another base: _base_.merge(_base_.pop('six_levels')). Strides 4 to 128: the
# convolutions have no stride, and one more level shares the sizes.
six_levels = dict(
    model=dict(
        neck=dict(stride=1, num_outs=6),
        bbox_head=dict(
            strides=[4, 8, 16, 32, 64, 128],
            regress_ranges=((-1, 32), (32, 64), (64, 128), (128, 256), (256, 512), (512, 100000000.0)))))
