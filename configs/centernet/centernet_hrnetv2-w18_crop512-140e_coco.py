"""CenterNet (objects as points), HRNetV2-W18, crop512-140e.

No figures in the paper, the official repositories or mmdet's model zoo.

    mim train hrnet_plugin centernet_hrnetv2-w18_crop512-140e_coco.py
"""
_base_ = 'mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py'

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w18',
        norm_eval=False,
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    # one map of stride 4
    neck=dict(_delete_=True, type='hrnet_plugin.HRNetV2', arch='w18', out_channels=256),
    bbox_head=dict(in_channels=256))
