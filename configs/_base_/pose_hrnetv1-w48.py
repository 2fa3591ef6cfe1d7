"""HRNetV1-W48 in place of a pose estimator's backbone. A base only."""
_base_ = './pose_hrnetv1-w32.py'

hrnet = dict(
    model=dict(
        backbone=dict(
            arch='w48',
            init_cfg=dict(
                checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth'))))
