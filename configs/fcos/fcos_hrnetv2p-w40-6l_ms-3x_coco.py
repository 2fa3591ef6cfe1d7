"""FCOS on HRNetV2p-W40, six levels, COCO, multi-scale training, 3x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w40-6l_ms-3x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32-6l_ms-2x_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=36, milestones=[24, 32], gamma=0.1)
]
