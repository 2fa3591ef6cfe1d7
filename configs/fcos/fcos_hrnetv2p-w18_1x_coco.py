"""FCOS on HRNetV2p-W18, COCO, 1x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w18_1x_coco.py
"""
_base_ = ['mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', '../_base_/detector_hrnetv2p_tta.py']
_base_.merge(_base_.pop('hrnet'))

model = dict(
    # RGB mean and std, as in pretraining. The base has the BGR values of another backbone.
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    # strides 8 to 128: convolutions of stride 2 on the levels 4 to 64
    neck=dict(num_outs=5, stride=2))
