"""Linear classifier on the finest stream, HRNetV1-W48, on Cityscapes: an ablation of HRNetV2.

    mim train hrnet_plugin fcn_hrnetv1-w48_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_120k_cityscapes.py'

model = dict(
    backbone=dict(multiscale_output=False),
    decode_head=dict(
        _delete_=True, type='mmseg.FCNHead', in_channels=48, in_index=0, channels=48, num_convs=0, concat_input=False,
        dropout_ratio=-1, num_classes=19, align_corners=False, norm_cfg=dict(type='SyncBN', requires_grad=True),
        loss_decode=_base_.model.decode_head.loss_decode))
