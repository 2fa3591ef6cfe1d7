"""FCOS, HRNetV2p-W18, 1x.

Box AP on COCO val2017: 35.2 in the paper (table 25); 35.2 in the official repository; 35.3 in mmdet's model zoo.

    mim train hrnet_plugin fcos_hrnetv2p-w18_1x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = ['mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', 'mmdet::retinanet/retinanet_tta.py']

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    # the statistics in RGB, as the backbone's weights were trained; the base has those of another backbone, in BGR
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    # strides 8 to 128: convolutions of stride 2 on the levels 4 to 64
    neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch='w18', out_channels=256, num_outs=5, stride=2))
