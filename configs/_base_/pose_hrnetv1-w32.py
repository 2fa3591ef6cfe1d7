"""HRNetV1-W32 in place of a pose estimator's backbone. A base only."""
_base_ = './plugin.py'

# Merged over the estimator of another base: _base_.merge(_base_.pop('hrnet')).
hrnet = dict(
    model=dict(
        backbone=dict(
            _delete_=True, type='hrnet_plugin.HRNet', arch='w32', host='mmpose',
            init_cfg=dict(
                type='hrnet_plugin.Pretrained',
                checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'))))
