"""OCR on HRNetV2-W18, PASCAL-Context, 59 classes.

    mim train hrnet_plugin ocr_hrnetv2-w18_60k_pascal-context-59.py
"""
_base_ = ['../_base_/ocr_hrnetv2_slide.py', '../_base_/recipe_pascal-context-59.py']
_base_.merge(_base_.pop('recipe'))

_base_.model.decode_head[0].num_classes = 59
_base_.model.decode_head[1].num_classes = 59
_base_.train_pipeline[3].crop_size = (520, 520)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
