"""OCR on HRNetV2-W18, Cityscapes.

mIoU on the validation set: 79.47 in mmsegmentation's model zoo (160,000 iterations of eight images, corners not
aligned).

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_120k_cityscapes.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_cityscapes.py']

# of the 19 classes, from the official code
__weights = [0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539, 0.9843, 1.1116,
             0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507]
model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    decode_head=[
        {**head, 'loss_decode': {**head.loss_decode, 'class_weight': __weights}}
        for head in _base_.model.decode_head
    ])
