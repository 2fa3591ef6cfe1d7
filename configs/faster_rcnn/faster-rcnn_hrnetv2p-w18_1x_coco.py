"""Faster R-CNN, HRNetV2p-W18, 1x.

Box AP on COCO val2017: 36.2 in the paper (table 8); 36.1 in the official repository; 36.9 in mmdet's model zoo.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_1x_coco.py
"""
_base_ = ['mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'mmdet::retinanet/retinanet_tta.py']

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch='w18', out_channels=256))
