"""Families of the authors' repository for semantic segmentation, with and without OCR."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from hrnet_plugin.checkpoints.changes import Change, identity, in_place_scale
from hrnet_plugin.checkpoints.families.family import BILINEAR, CORNERS, Family, conv_norm_conv, rules
from hrnet_plugin.checkpoints.rules import Rule

# torch 0.4 had no num_batches_tracked; its in-place batch norms scaled by the absolute value of the weight
_COUNTERS = ('*.num_batches_tracked', )
_IN_PLACE = (Change(('*.weight', ), in_place_scale, identity), )
# ADE20K and COCO-Stuff, for which networks without OCR were also trained with align_corners
_CORNER_CLASSES = {'last_layer.3.weight': (150, 171)}


def _fcn(theirs: str, ours: str) -> tuple[Rule, ...]:
    return conv_norm_conv(theirs, conv=f'{ours}.convs.0.conv', norm=f'{ours}.convs.0.bn', last=f'{ours}.conv_seg')


def _projection(theirs: str, ours: str, index: int = 0) -> tuple[Rule, ...]:
    """Return rules for a convolution and its norm. The official code puts the norm into a sequence with ReLU.

    Args:
        theirs: Prefix in their keys, without the final '.'.
        ours: Prefix in our keys, without the final '.'.
        index: Index of the convolution in their keys.
    """
    return rules((f'{theirs}.{index}.*', f'{ours}.conv.*'), (f'{theirs}.{index + 1}.0.*', f'{ours}.bn.*'))


def _ocr() -> tuple[Rule, ...]:
    head, context, theirs = 'decode_head.1', 'decode_head.1.object_context_block', 'ocr_distri_head'
    block = f'{theirs}.object_context_block'
    return (
        *_fcn('aux_head', 'decode_head.0'),
        *rules(('conv3x3_ocr.0.*', f'{head}.bottleneck.conv.*'), ('conv3x3_ocr.1.*', f'{head}.bottleneck.bn.*'),
               ('cls_head.*', f'{head}.conv_seg.*')),
        *_projection(f'{theirs}.conv_bn_dropout', f'{context}.bottleneck'),
        *_projection(f'{block}.f_pixel', f'{context}.query_project.0'),
        *_projection(f'{block}.f_pixel', f'{context}.query_project.1', index=2),
        *_projection(f'{block}.f_object', f'{context}.key_project.0'),
        *_projection(f'{block}.f_object', f'{context}.key_project.1', index=2),
        *_projection(f'{block}.f_down', f'{context}.value_project'),
        *_projection(f'{block}.f_up', f'{context}.out_project'),
    )

_family = partial(Family, host='mmseg', layouts=('official', ), leftovers=('loss.*', ))

FCN = _family(
    name='official segmentation',
    task='segmentation',
    markers=('last_layer.0.weight', 'last_layer.3.weight'),
    head_rules=_fcn('last_layer', 'decode_head'),
    their_biases=(('last_layer.0.bias', 'last_layer.1.running_mean'), ),
    metadata=BILINEAR,
    head_metadata={'decode_head': dict(align_corners='False')},
)

FCN_CORNERS = replace(
    FCN,
    name='official segmentation, ADE20K or COCO-Stuff',
    classes=_CORNER_CLASSES,
    metadata=CORNERS,
    head_metadata={'decode_head': dict(align_corners='True')},
)

FCN_TORCH04 = replace(
    FCN,
    name='official segmentation, torch 0.4',
    absent=_COUNTERS,
    backbone_changes=_IN_PLACE,
    head_changes=_IN_PLACE,
)

FCN_CORNERS_TORCH04 = replace(
    FCN_CORNERS,
    name='official segmentation, torch 0.4, ADE20K or COCO-Stuff',
    absent=_COUNTERS,
    backbone_changes=_IN_PLACE,
    head_changes=_IN_PLACE,
)

OCR = _family(
    name='official segmentation with OCR',
    task='segmentation with OCR',
    markers=('conv3x3_ocr.0.weight', 'aux_head.0.weight'),
    head_rules=_ocr(),
    their_biases=(('aux_head.0.bias', 'aux_head.1.running_mean'),
                  ('conv3x3_ocr.0.bias', 'conv3x3_ocr.1.running_mean')),
    metadata=CORNERS,
    head_metadata={'decode_head.0': dict(align_corners='True'), 'decode_head.1': dict(align_corners='True')},
)

OCR_TORCH04 = replace(
    OCR,
    name='official segmentation with OCR, torch 0.4',
    absent=_COUNTERS,
    backbone_changes=_IN_PLACE,
    head_changes=_IN_PLACE,
)
