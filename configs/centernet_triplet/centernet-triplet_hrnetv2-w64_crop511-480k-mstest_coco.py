"""CenterNet (keypoint triplets) on HRNetV2-W64, COCO, five test sizes.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w64_crop511-480k-mstest_coco.py
    mim test hrnet_plugin centernet-triplet_hrnetv2-w64_crop511-480k-mstest_coco.py --checkpoint FILE --tta
"""
_base_ = ['./centernet-triplet_hrnetv2-w64_crop511-480k_coco.py', '../_base_/centernet-triplet_mstest.py']
_base_.tta_pipeline[1].transforms[0] = _base_.pop('test_sizes')
