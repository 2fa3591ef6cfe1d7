"""CenterNet (keypoint triplets), HRNetV2-W48, tested at five sizes with ``--tta``, each with its mirror image.

The five sizes of CenterNet's authors (arXiv 1904.08189). No figures in the paper. Training is that of
``centernet-triplet_hrnetv2-w48_crop511-480k_coco``.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w48_crop511-480k-mstest_coco.py
    mim test hrnet_plugin centernet-triplet_hrnetv2-w48_crop511-480k-mstest_coco.py --checkpoint FILE --tta
"""
_base_ = './centernet-triplet_hrnetv2-w48_crop511-480k_coco.py'

tta_pipeline = _base_.tta_pipeline
tta_pipeline[1]['transforms'][0] = [
    dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (0.6, 1.0, 1.2, 1.5, 1.8)]
