"""FCOS on HRNetV2p-W32, COCO, 2x schedule: evaluation of mmdet's BGR checkpoint.

    mim download hrnet_plugin --config fcos_hrnetv2p-w32-bgr_2x_coco
    mim test hrnet_plugin fcos_hrnetv2p-w32-bgr_2x_coco.py --checkpoint FILE
"""
_base_ = './fcos_hrnetv2p-w32_2x_coco.py'

model = dict(data_preprocessor=dict(mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False))
