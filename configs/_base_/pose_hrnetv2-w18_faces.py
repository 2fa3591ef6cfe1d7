"""HRNetV2-W18 with bilinear fusion in place of a face estimator's backbone. A base only."""
_base_ = './pose_hrnetv1-w32.py'

hrnet = dict(
    model=dict(
        backbone=dict(
            arch='w18', multiscale_output=True, upsample='bilinear',
            init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18'))))
