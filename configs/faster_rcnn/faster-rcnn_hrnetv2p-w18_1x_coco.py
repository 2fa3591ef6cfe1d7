"""Faster R-CNN, HRNetV2p-W18, 1x. Box AP on COCO val2017: 36.2 in the paper (table 8); 36.9 in mmdet's model zoo.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_1x_coco.py
"""
_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch='w18', out_channels=256))
