"""Families of mmdet, and rules for the official detection code, which is a fork of mmdet 1."""

from __future__ import annotations

from functools import partial

from hrnet_plugin.checkpoints.changes import Change, drop_first_class, first_to_last, insert_first_class, last_to_first
from hrnet_plugin.checkpoints.families.family import BGR, NEAREST, SAME_KEYS, Family, rules

# before mmdet 2, there was no 'roi_head' around the RoI heads
TWO_STAGE_HEADS = rules(('rpn_head.*', 'rpn_head.*'), *(
    (f'{head}.*', f'roi_head.{head}.*') for head in ('bbox_head', 'mask_head', 'semantic_head')))
PLAIN_FPN = rules(('neck.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'))
# before mmdet 2, the background was the first class; its boxes and masks were never read
BACKGROUND_FIRST = (
    Change(('bbox_head.*fc_cls.*', ), first_to_last, last_to_first),
    Change(('bbox_head.*fc_reg.*', ), drop_first_class(4), insert_first_class(4)),
    Change(('mask_head.*conv_logits.*', ), drop_first_class(1), insert_first_class(1)),
)
_NECK = rules(('neck.*', 'neck.*'))

_family = partial(Family, host='mmdet', backbone_prefix='backbone.', metadata=NEAREST)

V1_PLAIN_FPN = _family(
    name='mmdet 1, early version',
    task='detection',
    markers=('neck.reduction_conv.conv.weight', 'neck.fpn_conv.0.weight'),
    head_rules=(*rules(('neck.reduction_conv.*', 'neck.reduction_conv.*')), *PLAIN_FPN, *TWO_STAGE_HEADS),
    head_changes=BACKGROUND_FIRST,
)

V1_TWO_STAGE = _family(
    name='mmdet 1',
    task='detection',
    markers=('neck.fpn_convs.0.conv.weight', 'bbox_head.*fc_cls.weight'),
    head_rules=(*_NECK, *TWO_STAGE_HEADS),
    head_changes=BACKGROUND_FIRST,
)

V1_FCOS = _family(
    name='mmdet 1, FCOS',
    task='detection without anchors',
    markers=('neck.fpn_convs.0.conv.weight', 'bbox_head.fcos_cls.weight'),
    head_rules=(*_NECK, *rules(*((f'bbox_head.fcos_{branch}.*', f'bbox_head.conv_{branch}.*')
                                 for branch in ('cls', 'reg', 'centerness')), ('bbox_head.*', 'bbox_head.*'))),
    metadata=BGR,
)

TWO_STAGE = _family(
    name='mmdet 2 and 3',
    task='detection',
    markers=('neck.reduction_conv.conv.weight', 'roi_head.*'),
    head_rules=SAME_KEYS,
)

# the channel order of FCOS depends on the version, so it is not in the metadata
ONE_STAGE = _family(
    name='mmdet 2 and 3, one-stage detector',
    task='detection without anchors',
    markers=('neck.reduction_conv.conv.weight', 'bbox_head.*'),
    head_rules=SAME_KEYS,
    metadata={name: value for name, value in NEAREST.items() if name != 'images'},
)
