"""OCR on HRNetV2-W18 with the sliding windows and learning rates of PASCAL-Context. A base only."""
_base_ = './ocr_hrnetv2.py'

model = dict(
    data_preprocessor=dict(size=(520, 520)),
    test_cfg=dict(mode='slide', crop_size=(520, 520), stride=(346, 346)))
_base_.model.decode_head[0].num_classes = 60
_base_.model.decode_head[1].num_classes = 60
# Merged over the recipe of another base: _base_.merge(_base_.pop('recipe')).
recipe = dict(
    optim_wrapper=dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.)))))
