"""CenterNet (keypoint triplets), HRNetV2-W64, crops of 511 x 511, 480000 iterations of 48 images.

Published (arXiv 1908.07919): val AP 44.0 / 62.5 / 47.3 / 23.9 / 48.2 / 60.2 (table 9), as AP / AP50 / AP75 / small /
medium / large. Nobody has released weights.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w64_crop511-480k_coco.py
"""
_base_ = './centernet-triplet_hrnetv2-w48_crop511-480k_coco.py'

# mmengine has no short name for the backbone of W64; mmpretrain's classifier has the same one.
model = dict(
    backbone=dict(
        arch='w64',
        init_cfg=dict(checkpoint='https://download.openmmlab.com/mmclassification/v0/hrnet/'
                      'hrnet-w64_3rdparty_8xb32_in1k_20220120-19126642.pth')),
    neck=dict(arch='w64'))
