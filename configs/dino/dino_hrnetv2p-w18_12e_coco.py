"""DINO, four levels, HRNetV2p-W18, 12e.

No figures in the paper, the official repositories or mmdet's model zoo.

    mim train hrnet_plugin dino_hrnetv2p-w18_12e_coco.py
"""
_base_ = 'mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py'

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    # strides 8 to 64: convolutions of stride 2 on the levels 4 to 32; norms as behind the base's own neck
    neck=dict(
        _delete_=True,
        type='hrnet_plugin.HRFPN',
        arch='w18',
        out_channels=256,
        num_outs=4,
        stride=2,
        norm_cfg=dict(type='GN', num_groups=32)))

# the switch that --auto-scale-lr of mmdet's own train tool looks for
auto_scale_lr = dict(enable=False)
