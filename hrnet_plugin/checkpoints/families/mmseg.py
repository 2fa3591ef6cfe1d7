"""Families of mmsegmentation."""

from __future__ import annotations

from hrnet_plugin.checkpoints.families.family import BILINEAR, SAME_KEYS, Family

OCR = Family(
    name='mmsegmentation, with OCR',
    task='segmentation with OCR',
    host='mmseg',
    body_prefix='backbone.',
    markers=('decode_head.1.object_context_block.*', ),
    head_rules=SAME_KEYS,
    notes=BILINEAR,
    head_notes={'decode_head.0': dict(align_corners='False'), 'decode_head.1': dict(align_corners='False')},
)

FCN = Family(
    name='mmsegmentation',
    task='segmentation',
    host='mmseg',
    body_prefix='backbone.',
    markers=('decode_head.conv_seg.weight', ),
    head_rules=SAME_KEYS,
    notes=BILINEAR,
    head_notes={'decode_head': dict(align_corners='False')},
)
