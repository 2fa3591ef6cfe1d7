"""FCOS, HRNetV2p-W18, 2x, the official variant of six levels.

Box AP on COCO val2017: 37.8 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w18-6l_2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_2x_coco.py'

# Strides 4 to 128: no stride in the convolutions and one level more, so that one level more also shares the sizes.
model = dict(
    neck=dict(stride=1, num_outs=6),
    bbox_head=dict(
        strides=[4, 8, 16, 32, 64, 128],
        regress_ranges=((-1, 32), (32, 64), (64, 128), (128, 256), (256, 512), (512, 100000000.0))))
