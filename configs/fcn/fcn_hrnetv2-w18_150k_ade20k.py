"""FCN head on HRNetV2-W18, ADE20K.

mIoU on the validation set: 36.79 in mmsegmentation's model zoo (160,000 iterations at 512, no hard example mining).

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining (probability below 0.9, at
least 131,072 pixels a GPU), corners aligned.

    mim train hrnet_plugin fcn_hrnetv2-w18_150k_ade20k.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/recipe_ade20k.py']

model = dict(
    data_preprocessor=dict(size=(520, 520)),
    backbone=dict(upsample=dict(_delete_=True, mode='bilinear', align_corners=True)),
    decode_head=dict(num_classes=150, align_corners=True, loss_decode=dict(thresh=0.9, min_kept=131072)))

# the experiment file of the plain network has a smaller range than that of OCR
train_pipeline = _base_.train_pipeline
train_pipeline[3].ratio_range = (0.5, 1.6)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
