"""OCR on HRNetV2-W18, PASCAL-Context (60 classes).

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, dropout of 0.05, ten times the rate in the
heads, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_60k_pascal-context-60.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_pascal-context-60.py']

model = dict(
    data_preprocessor=dict(size=(520, 520)),
    decode_head=[{**head, 'num_classes': 60} for head in _base_.model.decode_head],
    test_cfg=dict(mode='slide', crop_size=(520, 520), stride=(346, 346)))

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='RandomResize', scale=(520, 520), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(520, 520)),
    *_base_.train_pipeline[4:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
