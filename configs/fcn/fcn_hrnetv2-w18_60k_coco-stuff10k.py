"""FCN head on HRNetV2-W18, COCO-Stuff 10k.

    mim train hrnet_plugin fcn_hrnetv2-w18_60k_coco-stuff10k.py
"""
_base_ = ['../_base_/fcn_hrnetv2_mined.py', '../_base_/recipe_coco-stuff10k.py']

model = dict(decode_head=dict(num_classes=171))
