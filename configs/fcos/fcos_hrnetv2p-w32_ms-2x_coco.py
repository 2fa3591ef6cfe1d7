"""FCOS, HRNetV2p-W32, ms-2x, short side 640 or 800.

Box AP on COCO val2017: 41.4 in the paper (table 25); 41.4 in the official repository; 41.9 in HRNet-FCOS (table 9);
41.9 in mmdet's model zoo. Box AP on test-dev: 40.5 in the paper (table 11).

    mim train hrnet_plugin fcos_hrnetv2p-w32_ms-2x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = './fcos_hrnetv2p-w18_ms-2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))
