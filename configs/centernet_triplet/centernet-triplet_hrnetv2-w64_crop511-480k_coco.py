"""CenterNet (keypoint triplets) on HRNetV2-W64, COCO, 480,000 iterations.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w64_crop511-480k_coco.py
"""
_base_ = './centernet-triplet_hrnetv2-w48_crop511-480k_coco.py'

# mmengine has no short name for a W64 checkpoint. mmpretrain's classifier has the same backbone.
model = dict(
    backbone=dict(
        arch='w64',
        init_cfg=dict(checkpoint='https://download.openmmlab.com/mmclassification/v0/hrnet/'
                      'hrnet-w64_3rdparty_8xb32_in1k_20220120-19126642.pth')),
    neck=dict(arch='w64'))
