"""Generalized Focal Loss on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin gfl_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./gfl_hrnetv2p-w18_1x_coco.py', '../_base_/sample_one_stage.py']
_base_.merge(_base_.pop('sample'))
