"""RetinaNet, HRNetV2p-W18, 1x.

No figures in the paper, the official repositories or mmdet's model zoo.

    mim train hrnet_plugin retinanet_hrnetv2p-w18_1x_coco.py
"""
_base_ = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    # strides 8 to 128: convolutions of stride 2 on the levels 4 to 64
    neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch='w18', out_channels=256, num_outs=5, stride=2))
