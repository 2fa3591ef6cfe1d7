"""FCN head on HRNetV2-W18 with the batch norm momentum of Cityscapes, LIP and PASCAL-Context. A base only."""
_base_ = './fcn_hrnetv2.py'

model = dict(backbone=dict(norm_cfg=dict(momentum=0.01)), decode_head=dict(norm_cfg=dict(momentum=0.01)))
