"""Families of HRNet-FCOS."""

from __future__ import annotations

from hrnet_plugin.checkpoints.changes import Change, to_scalar, to_vector
from hrnet_plugin.checkpoints.families.family import BGR, Family, rules

_NECK = rules(('backbone.fpn.reduction_conv.0.*', 'neck.reduction_conv.conv.*'),
              ('backbone.fpn.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'))
# a tower has four blocks of convolution, group norm and ReLU
_TOWERS = rules(*((f'rpn.head.{theirs}_tower.{3 * block + step}.*', f'bbox_head.{ours}_convs.{block}.{layer}.*')
                  for theirs, ours in (('cls', 'cls'), ('bbox', 'reg')) for block in range(4)
                  for step, layer in ((0, 'conv'), (1, 'gn'))))
_PREDICTORS = rules(('rpn.head.cls_logits.*', 'bbox_head.conv_cls.*'), ('rpn.head.bbox_pred.*', 'bbox_head.conv_reg.*'),
                    ('rpn.head.centerness.*', 'bbox_head.conv_centerness.*'),
                    ('rpn.head.scales.*', 'bbox_head.scales.*'))

DETECTION = Family(
    name='HRNet-FCOS',
    task='detection without anchors',
    host='mmdet',
    layouts=('official', ),
    backbone_prefix='backbone.body.',
    markers=('backbone.fpn.reduction_conv.0.weight', 'rpn.head.centerness.weight'),
    head_rules=(*_NECK, *_TOWERS, *_PREDICTORS),
    head_changes=(Change(('rpn.head.scales.*', ), to_scalar, to_vector), ),
    leftovers=('rpn.anchor_generator.*', ),
    metadata=BGR,
)
