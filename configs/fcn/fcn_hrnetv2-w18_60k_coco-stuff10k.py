"""FCN head on HRNetV2-W18, COCO-Stuff 10k.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, hard example mining (probability below 0.9, at
least 131,072 pixels a GPU), ten times the rate in the heads, corners aligned.

    mim train hrnet_plugin fcn_hrnetv2-w18_60k_coco-stuff10k.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/recipe_coco-stuff10k.py']

model = dict(
    data_preprocessor=dict(size=(520, 520)),
    backbone=dict(upsample=dict(_delete_=True, mode='bilinear', align_corners=True)),
    decode_head=dict(num_classes=171, align_corners=True, loss_decode=dict(thresh=0.9, min_kept=131072)))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
