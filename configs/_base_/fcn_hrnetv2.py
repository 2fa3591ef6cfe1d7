"""HRNetV2-W18 with the paper's segmentation head, a 1x1 convolution on all streams. A base only."""
_base_ = ['mmseg::_base_/models/fcn_hr18.py', './plugin.py']

model = dict(
    pretrained=None,
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w18', host='mmseg', upsample='bilinear',
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    decode_head=dict(
        _delete_=True, type='hrnet_plugin.FCNHead', arch='w18', num_classes=19, align_corners=False,
        norm_cfg=dict(type='SyncBN', requires_grad=True), loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy')))
