"""Families of HRNet-MaskRCNN-Benchmark."""

from __future__ import annotations

from hrnet_plugin.checkpoints.changes import Change, drop_first_class, first_to_last, insert_first_class, last_to_first
from hrnet_plugin.checkpoints.families.family import NEAREST, Family, rules

# their module -> our module
_MODULES = {
    'backbone.neck.reduction_conv.0': 'neck.reduction_conv.conv',
    'backbone.neck.fpn_conv.#': 'neck.fpn_convs.#.conv',
    'rpn.head.conv': 'rpn_head.rpn_conv',
    'rpn.head.cls_logits': 'rpn_head.rpn_cls',
    'rpn.head.bbox_pred': 'rpn_head.rpn_reg',
    'roi_heads.box.feature_extractor.fc6': 'roi_head.bbox_head.shared_fcs.0',
    'roi_heads.box.feature_extractor.fc7': 'roi_head.bbox_head.shared_fcs.1',
    'roi_heads.box.predictor.cls_score': 'roi_head.bbox_head.fc_cls',
    'roi_heads.box.predictor.bbox_pred': 'roi_head.bbox_head.fc_reg',
    'roi_heads.mask.feature_extractor.mask_fcn1': 'roi_head.mask_head.convs.0.conv',
    'roi_heads.mask.feature_extractor.mask_fcn2': 'roi_head.mask_head.convs.1.conv',
    'roi_heads.mask.feature_extractor.mask_fcn3': 'roi_head.mask_head.convs.2.conv',
    'roi_heads.mask.feature_extractor.mask_fcn4': 'roi_head.mask_head.convs.3.conv',
    'roi_heads.mask.predictor.conv5_mask': 'roi_head.mask_head.upsample',
    'roi_heads.mask.predictor.mask_fcn_logits': 'roi_head.mask_head.conv_logits',
}

DETECTION = Family(
    name='HRNet-MaskRCNN-Benchmark',
    task='detection',
    host='mmdet',
    backbone_prefix='backbone.body.',
    markers=('backbone.neck.reduction_conv.0.weight', 'roi_heads.box.predictor.cls_score.weight'),
    head_rules=rules(*((f'{theirs}.*', f'{ours}.*') for theirs, ours in _MODULES.items())),
    head_changes=(
        Change(('*.cls_score.*', ), first_to_last, last_to_first),
        Change(('roi_heads.*.bbox_pred.*', ), drop_first_class(4), insert_first_class(4)),
        Change(('*.mask_fcn_logits.*', ), drop_first_class(1), insert_first_class(1)),
    ),
    leftovers=('*.eps', 'rpn.anchor_generator.*'),
    metadata=NEAREST,
)
