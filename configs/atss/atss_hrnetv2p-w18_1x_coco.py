"""ATSS on HRNetV2p-W18, COCO, 1x schedule.

    mim train hrnet_plugin atss_hrnetv2p-w18_1x_coco.py
"""
_base_ = ['mmdet::atss/atss_r50_fpn_1x_coco.py', '../_base_/detector_hrnetv2p_tta.py']
_base_.merge(_base_.pop('hrnet'))

# strides 8 to 128: convolutions of stride 2 on the levels 4 to 64
model = dict(neck=dict(num_outs=5, stride=2))
