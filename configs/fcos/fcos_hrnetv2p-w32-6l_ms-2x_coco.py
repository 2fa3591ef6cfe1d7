"""FCOS, HRNetV2p-W32, 2x, short side 640 to 800, the official variant of six levels.

Box AP on COCO val2017: 42.1 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w32-6l_ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32_ms-2x_coco.py'

# Strides 4 to 128: no stride in the convolutions and one level more, so that one level more also shares the sizes.
model = dict(
    neck=dict(stride=1, num_outs=6),
    bbox_head=dict(
        strides=[4, 8, 16, 32, 64, 128],
        regress_ranges=((-1, 32), (32, 64), (64, 128), (128, 256), (256, 512), (512, 100000000.0))))

# Any short side from 640 to 800, as HRNet-FCOS has it.
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomResize', scale=[(1333, 640), (1333, 800)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
