"""HRNetV2-W18 with object-contextual representations; all bilinear interpolation aligns corners. A base only."""
_base_ = 'mmseg::_base_/models/ocrnet_hr18.py'

# mmseg's inferencer reads a checkpoint before it builds the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

__head = dict(arch='w18', num_classes=19, align_corners=True, norm_cfg=dict(type='SyncBN', requires_grad=True))
model = dict(
    pretrained=None,
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w18', host='mmseg',
        upsample=dict(mode='bilinear', align_corners=True), norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    decode_head=[
        dict(type='hrnet_plugin.FCNHead', loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy', loss_weight=0.4),
             **__head),
        dict(type='hrnet_plugin.OCRHead', dropout_ratio=0.05,
             loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy'), **__head),
    ])
