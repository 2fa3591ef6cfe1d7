"""Job of a one-stage detector on the generated sample set. A base only."""
_base_ = './sample_boxes.py'

# Narrow neck and head: at their default width, they would cost several times as much as this backbone.
sample = dict(
    model=dict(
        backbone=dict(norm_eval=False),
        neck=dict(out_channels=64, norm_cfg=dict(type='BN')),
        bbox_head=dict(in_channels=64, feat_channels=64)))
