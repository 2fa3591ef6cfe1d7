"""Families of mmsegmentation."""

from __future__ import annotations

from functools import partial

from hrnet_plugin.checkpoints.families.family import BILINEAR, SAME_KEYS, Family

_family = partial(Family, host='mmseg', backbone_prefix='backbone.', metadata=BILINEAR, head_rules=SAME_KEYS)

OCR = _family(
    name='mmsegmentation, with OCR',
    task='segmentation with OCR',
    markers=('decode_head.1.object_context_block.*', ),
    head_metadata={'decode_head.0': dict(align_corners='False'), 'decode_head.1': dict(align_corners='False')},
)

FCN = _family(
    name='mmsegmentation',
    task='segmentation',
    markers=('decode_head.conv_seg.weight', ),
    head_metadata={'decode_head': dict(align_corners='False')},
)
