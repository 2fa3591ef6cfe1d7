"""FCOS on HRNetV2p-W18, six levels, COCO, 2x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w18-6l_2x_coco.py
"""
_base_ = ['./fcos_hrnetv2p-w18_2x_coco.py', '../_base_/fcos_six_levels.py']
_base_.merge(_base_.pop('six_levels'))
