"""HRNetV2-W18 with object-contextual representations and aligned corners. A base only."""
_base_ = ['mmseg::_base_/models/ocrnet_hr18.py', './plugin.py']

model = dict(
    pretrained=None,
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w18', host='mmseg',
        upsample=dict(mode='bilinear', align_corners=True), norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    # mmengine replaces lists whole. A derived config sets an entry of a head by its index: _base_.model.decode_head[0].
    decode_head=[
        dict(
            type='hrnet_plugin.FCNHead', arch='w18', num_classes=19, align_corners=True,
            norm_cfg=dict(type='SyncBN', requires_grad=True),
            loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy', loss_weight=0.4)),
        dict(
            type='hrnet_plugin.OCRHead', arch='w18', num_classes=19, align_corners=True, dropout_ratio=0.05,
            norm_cfg=dict(type='SyncBN', requires_grad=True), loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy')),
    ])
