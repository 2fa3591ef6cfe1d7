"""FCN head on HRNetV2-W18 with aligned corners and hard example mining. A base only."""
_base_ = './fcn_hrnetv2.py'

model = dict(
    data_preprocessor=dict(size=(520, 520)),
    backbone=dict(upsample=dict(_delete_=True, mode='bilinear', align_corners=True)),
    decode_head=dict(align_corners=True, loss_decode=dict(thresh=0.9, min_kept=131072)))
