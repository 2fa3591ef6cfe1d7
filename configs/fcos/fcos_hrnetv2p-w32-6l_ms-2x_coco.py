"""FCOS on HRNetV2p-W32, six levels, COCO, multi-scale training, 2x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w32-6l_ms-2x_coco.py
"""
_base_ = ['./fcos_hrnetv2p-w32_ms-2x_coco.py', '../_base_/fcos_six_levels.py']
_base_.merge(_base_.pop('six_levels'))

# any short side from 640 to 800, as in HRNet-FCOS
_base_.train_pipeline[2] = dict(type='RandomResize', scale=[(1333, 640), (1333, 800)], keep_ratio=True)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
