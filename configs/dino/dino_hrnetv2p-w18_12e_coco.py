"""DINO on HRNetV2p-W18, COCO, 12 epochs.

    mim train hrnet_plugin dino_hrnetv2p-w18_12e_coco.py
"""
_base_ = ['mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

# strides 8 to 64: convolutions of stride 2 on the levels 4 to 32; norm layers as in the neck of the base
model = dict(neck=dict(num_outs=4, stride=2, norm_cfg=dict(type='GN', num_groups=32)))
# required by --auto-scale-lr of mmdet's train tool
auto_scale_lr = dict(enable=False)
