"""Families of mmdet, and what the official detection code, a fork of mmdet 1, shares with them."""

from __future__ import annotations

from functools import partial

from hrnet_plugin.checkpoints.changes import Change, first_to_last, last_to_first, with_first, without_first
from hrnet_plugin.checkpoints.families.family import BGR, NEAREST, SAME_KEYS, Family, rules

# before mmdet 2, the RoI heads were no part of a 'roi_head'
TWO_STAGE_HEADS = rules(('rpn_head.*', 'rpn_head.*'), *(
    (f'{head}.*', f'roi_head.{head}.*') for head in ('bbox_head', 'mask_head', 'semantic_head')))
PLAIN_FPN = rules(('neck.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'))
# before mmdet 2, the background was the first class; nothing read its boxes and masks
BACKGROUND_FIRST = (
    Change(('bbox_head.*fc_cls.*', ), first_to_last, last_to_first),
    Change(('bbox_head.*fc_reg.*', ), without_first(4), with_first(4)),
    Change(('mask_head.*conv_logits.*', ), without_first(1), with_first(1)),
)
_NECK = rules(('neck.*', 'neck.*'))

_family = partial(Family, host='mmdet', body_prefix='backbone.', notes=NEAREST)

V1_PLAIN_FPN = _family(
    name='mmdet 1, with the neck of its first months',
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
    notes=BGR,
)

TWO_STAGE = _family(
    name='mmdet 2 and 3',
    task='detection',
    markers=('neck.reduction_conv.conv.weight', 'roi_head.*'),
    head_rules=SAME_KEYS,
)

# the channel order of FCOS depends on its version, so no note tells it
ONE_STAGE = _family(
    name='mmdet 2 and 3, detectors of one stage',
    task='detection without anchors',
    markers=('neck.reduction_conv.conv.weight', 'bbox_head.*'),
    head_rules=SAME_KEYS,
    notes={name: note for name, note in NEAREST.items() if name != 'images'},
)
