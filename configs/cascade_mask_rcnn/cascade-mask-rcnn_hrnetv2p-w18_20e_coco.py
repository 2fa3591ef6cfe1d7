"""Cascade Mask R-CNN, HRNetV2p-W18, 20e.

Box / mask AP on COCO val2017: 41.9 / 36.4 in the paper (table 10); 41.9 / 36.4 in the official repository; 41.6 /
36.4 in mmdet's model zoo.

    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py
"""
_base_ = 'mmdet::cascade_rcnn/cascade-mask-rcnn_r50_fpn_20e_coco.py'

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
