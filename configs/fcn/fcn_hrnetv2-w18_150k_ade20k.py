"""FCN head on HRNetV2-W18, ADE20K.

    mim train hrnet_plugin fcn_hrnetv2-w18_150k_ade20k.py
"""
_base_ = ['../_base_/fcn_hrnetv2_mined.py', '../_base_/recipe_ade20k.py']

model = dict(decode_head=dict(num_classes=150))
# The experiment file of the FCN head has a smaller range than that of OCR.
_base_.train_pipeline[3].ratio_range = (0.5, 1.6)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
