"""Narrow network of a two-stage detector for the generated sample set. A base only."""
# Narrow neck and heads: at their default width, they would cost several times as much as this backbone.
# Merged over the detector of another base: _base_.merge(_base_.pop('two_stage')).
two_stage = dict(
    model=dict(
        backbone=dict(norm_eval=False),
        neck=dict(out_channels=64, norm_cfg=dict(type='BN')),
        rpn_head=dict(in_channels=64, feat_channels=64),
        roi_head=dict(bbox_roi_extractor=dict(out_channels=64, roi_layer=dict(sampling_ratio=2))),
        train_cfg=dict(rpn_proposal=dict(nms_pre=500, max_per_img=300)),
        test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=300))))
