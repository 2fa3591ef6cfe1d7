"""RetinaNet, HRNetV2p-W32, 1x.

No figures in the paper, the official repositories or mmdet's model zoo.

    mim train hrnet_plugin retinanet_hrnetv2p-w32_1x_coco.py
"""
_base_ = './retinanet_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))
