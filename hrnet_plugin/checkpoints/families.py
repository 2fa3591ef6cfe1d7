"""The table of checkpoint families: how each is recognised, which names and numbers change, which facts come with it.

Names on our side are those of the model that a config builds with this package: ``backbone.`` and what the hosts call
necks and heads today (mmdet 3, mmpose 1, mmsegmentation 1; :class:`HRNetClassifier` for classification).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hrnet_plugin.checkpoints.changes import (
    Change,
    first_to_last,
    in_place_scale,
    last_to_first,
    no_axis,
    one_axis,
    unchanged,
    with_first,
    without_first,
)
from hrnet_plugin.checkpoints.rules import Rule

# notes of backbones; 'images' is what the network was trained on
NEAREST = dict(upsampling='nearest', fusion_operator='sum', images='RGB', norm_eps='1e-05')
BILINEAR = dict(NEAREST, upsampling='bilinear')
CORNERS = dict(NEAREST, upsampling='bilinear, align_corners')


@dataclass(frozen=True)
class Family:
    """A row.

    Attributes:
        name: For people.
        task: What the network was trained for.
        host: Whose models have our names for it: 'mmdet', 'mmpose', 'mmseg' or 'hrnet_plugin'; '' for any.
        layouts: What ``convert --to`` calls their names; empty if it writes none.
        body: What stands before the network's names, beside what wraps all of them.
        markers: Templates of which each must be one of their names.
        absent: Templates of which none may be one.
        classes: Name of a tensor -> its possible numbers of rows, where that tells families apart.
        rules: From their names of necks and heads to ours. The network's own need none.
        biases: Their bias, and the mean of the norm behind it into which we fold it.
        our_biases: The same on our side, where they have no bias.
        changes: Of numbers.
        leftovers: Templates of names that are no network's: losses, counters.
        notes: Facts about the backbone.
        head_notes: Facts about heads: our name of the head -> notes.
    """

    name: str
    task: str
    host: str
    layouts: tuple[str, ...] = ()
    body: str = ''
    markers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    classes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    biases: tuple[tuple[str, str], ...] = ()
    our_biases: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    leftovers: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    head_notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(theirs, ours) for theirs, ours in pairs)


_SAME = _rules(('*', '*'))

_CLASSIFIER = _rules(*((f'{name}.*', f'head.{name}.*')
                       for name in ('incre_modules', 'downsamp_modules', 'final_layer', 'classifier')))
_MMPRETRAIN = _rules(
    ('neck.0.increase_layers.*', 'head.incre_modules.*'),
    ('neck.0.downsample_layers.#.conv.*', 'head.downsamp_modules.#.0.*'),
    ('neck.0.downsample_layers.#.bn.*', 'head.downsamp_modules.#.1.*'),
    ('neck.0.final_layer.conv.*', 'head.final_layer.0.*'),
    ('neck.0.final_layer.bn.*', 'head.final_layer.1.*'),
    ('head.fc.*', 'head.classifier.*'),
)


def _fcn(theirs: str, ours: str) -> tuple[Rule, ...]:
    return _rules((f'{theirs}.0.*', f'{ours}.convs.0.conv.*'), (f'{theirs}.1.*', f'{ours}.convs.0.bn.*'),
                  (f'{theirs}.3.*', f'{ours}.conv_seg.*'))


def _ocr() -> tuple[Rule, ...]:
    """Each projection is one pair of convolution and norm, or two; in the official code norm and ReLU are a pair."""
    head, context = 'decode_head.1', 'decode_head.1.object_context_block'
    theirs = 'ocr_distri_head.object_context_block'
    pairs = [('conv3x3_ocr.0.*', f'{head}.bottleneck.conv.*'), ('conv3x3_ocr.1.*', f'{head}.bottleneck.bn.*'),
             ('cls_head.*', f'{head}.conv_seg.*'),
             ('ocr_distri_head.conv_bn_dropout.0.*', f'{context}.bottleneck.conv.*'),
             ('ocr_distri_head.conv_bn_dropout.1.0.*', f'{context}.bottleneck.bn.*')]
    for name, ours in (('f_pixel', 'query_project'), ('f_object', 'key_project')):
        for k in range(2):
            pairs += [(f'{theirs}.{name}.{2 * k}.*', f'{context}.{ours}.{k}.conv.*'),
                      (f'{theirs}.{name}.{2 * k + 1}.0.*', f'{context}.{ours}.{k}.bn.*')]
    for name, ours in (('f_down', 'value_project'), ('f_up', 'out_project')):
        pairs += [(f'{theirs}.{name}.0.*', f'{context}.{ours}.conv.*'),
                  (f'{theirs}.{name}.1.0.*', f'{context}.{ours}.bn.*')]
    return (*_fcn('aux_head', 'decode_head.0'), *_rules(*pairs))


_SEGMENTATION: dict[str, Any] = dict(
    task='segmentation', host='mmseg', layouts=('official', ), markers=('last_layer.0.weight', 'last_layer.3.weight'),
    rules=_fcn('last_layer', 'decode_head'), biases=(('last_layer.0.bias', 'last_layer.1.running_mean'), ),
    leftovers=('loss.*', ))
_OCR: dict[str, Any] = dict(
    task='segmentation with OCR', host='mmseg', layouts=('official', ),
    markers=('conv3x3_ocr.0.weight', 'aux_head.0.weight'), rules=_ocr(), leftovers=('loss.*', ), notes=CORNERS,
    head_notes={'decode_head.0': dict(align_corners='True'), 'decode_head.1': dict(align_corners='True')},
    biases=(('aux_head.0.bias', 'aux_head.1.running_mean'), ('conv3x3_ocr.0.bias', 'conv3x3_ocr.1.running_mean')))
# ADE20K and COCO-Stuff, whose plain networks were trained with align_corners, too
_CORNER_CLASSES = (150, 171)
# from torch 0.4, whose in-place norms counted no batches and scaled by the absolute value of what they stored
_IN_PLACE = (Change(('*.weight', ), in_place_scale, unchanged), )
_COUNTERS = ('*.num_batches_tracked', )

_TWO_STAGES = _rules(('rpn_head.*', 'rpn_head.*'), *((f'{head}.*', f'roi_head.{head}.*')
                                                     for head in ('bbox_head', 'mask_head', 'semantic_head')))
_POINTS = _rules(*((f'bbox_head.fcos_{what}.*', f'bbox_head.conv_{what}.*') for what in ('cls', 'reg', 'centerness')),
                 ('bbox_head.*', 'bbox_head.*'))
_OFFICIAL_NECK = _rules(('neck.reduction_conv.0.*', 'neck.reduction_conv.conv.*'),
                        ('neck.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'))
_SHARED_NECK = _rules(('neck.reduction_conv.0.*', 'neck.reduction_conv.conv.*'),
                      ('neck.fpn_conv.*', 'neck.fpn_convs.0.conv.*'))
# the background was the first class, and had boxes and masks of its own that nothing read
_BACKGROUND_FIRST = (
    Change(('bbox_head.*fc_cls.*', ), first_to_last, last_to_first),
    Change(('bbox_head.*fc_reg.*', ), without_first(4), with_first(4)),
    Change(('mask_head.*conv_logits.*', ), without_first(1), with_first(1)),
)
_BENCHMARK = (
    Rule('backbone.neck.reduction_conv.0.*', 'neck.reduction_conv.conv.*'),
    Rule('backbone.neck.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'),
    *_rules(*((f'rpn.head.{theirs}.*', f'rpn_head.{ours}.*')
              for theirs, ours in (('conv', 'rpn_conv'), ('cls_logits', 'rpn_cls'), ('bbox_pred', 'rpn_reg')))),
    *_rules(*((f'roi_heads.box.{theirs}.*', f'roi_head.bbox_head.{ours}.*') for theirs, ours in (
        ('feature_extractor.fc6', 'shared_fcs.0'), ('feature_extractor.fc7', 'shared_fcs.1'),
        ('predictor.cls_score', 'fc_cls'), ('predictor.bbox_pred', 'fc_reg')))),
    *_rules(*((f'roi_heads.mask.feature_extractor.mask_fcn{k}.*', f'roi_head.mask_head.convs.{k - 1}.conv.*')
              for k in (1, 2, 3, 4))),
    Rule('roi_heads.mask.predictor.conv5_mask.*', 'roi_head.mask_head.upsample.*'),
    Rule('roi_heads.mask.predictor.mask_fcn_logits.*', 'roi_head.mask_head.conv_logits.*'),
)
_FCOS = (
    Rule('backbone.fpn.reduction_conv.0.*', 'neck.reduction_conv.conv.*'),
    Rule('backbone.fpn.fpn_conv.#.*', 'neck.fpn_convs.#.conv.*'),
    *_rules(*((f'rpn.head.{tower}_tower.{3 * k + step}.*', f'bbox_head.{ours}_convs.{k}.{layer}.*')
              for tower, ours in (('cls', 'cls'), ('bbox', 'reg')) for k in range(4)
              for step, layer in ((0, 'conv'), (1, 'gn')))),
    *_rules(('rpn.head.cls_logits.*', 'bbox_head.conv_cls.*'), ('rpn.head.bbox_pred.*', 'bbox_head.conv_reg.*'),
            ('rpn.head.centerness.*', 'bbox_head.conv_centerness.*'), ('rpn.head.scales.*', 'bbox_head.scales.*')),
)
_FACE = _rules(('head.0.*', 'head.conv_layers.0.*'), ('head.1.*', 'head.conv_layers.1.*'),
               ('head.3.*', 'head.final_layer.*'))
_OLD_FACE = _rules(('keypoint_head.final_layer.0.*', 'head.conv_layers.0.*'),
                   ('keypoint_head.final_layer.1.*', 'head.conv_layers.1.*'),
                   ('keypoint_head.final_layer.3.*', 'head.final_layer.*'))

# The first row that fits is the one.
FAMILIES: tuple[Family, ...] = (
    Family('official classification, and timm', 'classification', 'hrnet_plugin', ('official', 'timm'),
           markers=('incre_modules.0.0.conv1.weight', 'classifier.weight'), rules=_CLASSIFIER, notes=NEAREST),
    Family('hrnet_plugin.HRNetClassifier', 'classification', 'hrnet_plugin', body='backbone.',
           markers=('head.incre_modules.0.0.conv1.weight', ), rules=_SAME, notes=NEAREST),
    Family('mmpretrain', 'classification', 'hrnet_plugin', ('mmpretrain', ), 'backbone.',
           ('neck.0.increase_layers.0.0.conv1.weight', 'head.fc.weight'), rules=_MMPRETRAIN, notes=NEAREST,
           our_biases=(*((f'head.downsamp_modules.{k}.0.bias', f'head.downsamp_modules.{k}.1.running_mean')
                         for k in range(3)), ('head.final_layer.0.bias', 'head.final_layer.1.running_mean'))),
    Family('ImageNet weights of the official pose code', 'classification', 'hrnet_plugin',
           markers=('head.0.0.0.conv1.weight', ), leftovers=('head.*', ), notes=NEAREST),
    Family('official segmentation, torch 0.4, ADE20K or COCO-Stuff', absent=_COUNTERS, changes=_IN_PLACE, notes=CORNERS,
           classes={'last_layer.3.weight': _CORNER_CLASSES}, head_notes={'decode_head': dict(align_corners='True')},
           **_SEGMENTATION),
    Family('official segmentation, torch 0.4', absent=_COUNTERS, changes=_IN_PLACE, notes=BILINEAR,
           head_notes={'decode_head': dict(align_corners='False')}, **_SEGMENTATION),
    Family('official segmentation, ADE20K or COCO-Stuff', notes=CORNERS,
           classes={'last_layer.3.weight': _CORNER_CLASSES}, head_notes={'decode_head': dict(align_corners='True')},
           **_SEGMENTATION),
    Family('official segmentation', notes=BILINEAR, head_notes={'decode_head': dict(align_corners='False')},
           **_SEGMENTATION),
    Family('official segmentation with OCR, torch 0.4', absent=_COUNTERS, changes=_IN_PLACE, **_OCR),
    Family('official segmentation with OCR', **_OCR),
    Family('official pose', 'pose', 'mmpose', ('official', ), markers=('final_layer.weight', ),
           rules=_rules(('final_layer.*', 'head.final_layer.*')), notes=NEAREST),
    Family('official face', 'face', 'mmpose', ('official', ), markers=('head.0.weight', 'head.3.weight'), rules=_FACE,
           notes=dict(BILINEAR, norm_momentum='0.01')),
    Family('HigherHRNet', 'bottom-up pose', 'mmpose', ('official', ),
           markers=('final_layers.0.weight', 'deconv_layers.0.0.0.weight'), notes=NEAREST,
           rules=_rules(('final_layers.*', 'head.final_layers.*'), ('deconv_layers.*', 'head.deconv_layers.*'))),
    Family('official detection, one convolution for all levels', 'detection', 'mmdet', ('official', ), 'backbone.',
           ('neck.fpn_conv.weight', ), rules=(*_SHARED_NECK, *_TWO_STAGES), changes=_BACKGROUND_FIRST, notes=NEAREST),
    Family('official detection', 'detection', 'mmdet', ('official', ), 'backbone.',
           ('neck.reduction_conv.0.weight', 'neck.fpn_conv.0.weight'), rules=(*_OFFICIAL_NECK, *_TWO_STAGES),
           changes=_BACKGROUND_FIRST, notes=NEAREST),
    Family('mmdet 1, with the neck of its first months', 'detection', 'mmdet', (), 'backbone.',
           ('neck.reduction_conv.conv.weight', 'neck.fpn_conv.0.weight'),
           rules=(*_rules(('neck.reduction_conv.*', 'neck.reduction_conv.*')), *_OFFICIAL_NECK[1:], *_TWO_STAGES),
           changes=_BACKGROUND_FIRST, notes=NEAREST),
    Family('mmdet 1', 'detection', 'mmdet', (), 'backbone.',
           ('neck.fpn_convs.0.conv.weight', 'bbox_head.*fc_cls.weight'),
           rules=(*_rules(('neck.*', 'neck.*')), *_TWO_STAGES), changes=_BACKGROUND_FIRST, notes=NEAREST),
    Family('mmdet 1, FCOS', 'detection without anchors', 'mmdet', (), 'backbone.',
           ('neck.fpn_convs.0.conv.weight', 'bbox_head.fcos_cls.weight'),
           rules=(*_rules(('neck.*', 'neck.*')), *_POINTS), notes=dict(NEAREST, images='BGR, std 1')),
    Family('HRNet-MaskRCNN-Benchmark', 'detection', 'mmdet', (), 'backbone.body.',
           ('backbone.neck.reduction_conv.0.weight', 'roi_heads.box.predictor.cls_score.weight'), rules=_BENCHMARK,
           changes=(Change(('*.cls_score.*', ), first_to_last, last_to_first),
                    Change(('roi_heads.*.bbox_pred.*', ), without_first(4), with_first(4)),
                    Change(('*.mask_fcn_logits.*', ), without_first(1), with_first(1))),
           leftovers=('*.eps', 'rpn.anchor_generator.*'), notes=NEAREST),
    Family('HRNet-FCOS', 'detection without anchors', 'mmdet', ('official', ), 'backbone.body.',
           ('backbone.fpn.reduction_conv.0.weight', 'rpn.head.centerness.weight'), rules=_FCOS,
           changes=(Change(('rpn.head.scales.*', ), no_axis, one_axis), ), leftovers=('rpn.anchor_generator.*', ),
           notes=dict(NEAREST, images='BGR, std 1')),
    Family('mmdet 2 and 3', 'detection', 'mmdet', (), 'backbone.',
           ('neck.reduction_conv.conv.weight', 'roi_head.*'), rules=_SAME, notes=NEAREST),
    # the images of FCOS are of either order, by its age
    Family('mmdet 2 and 3, detectors of one stage', 'detection without anchors', 'mmdet', (), 'backbone.',
           ('neck.reduction_conv.conv.weight', 'bbox_head.*'), rules=_SAME,
           notes=dict(upsampling='nearest', fusion_operator='sum', norm_eps='1e-05')),
    Family('mmpose 0, HRNetV2', 'face', 'mmpose', (), 'backbone.',
           ('keypoint_head.final_layer.0.weight', 'keypoint_head.final_layer.3.weight'), rules=_OLD_FACE,
           notes=BILINEAR),
    Family('mmpose 0', 'pose', 'mmpose', (), 'backbone.', ('keypoint_head.*', ),
           rules=_rules(('keypoint_head.*', 'head.*')), notes=NEAREST),
    Family('mmpose 1, HRNetV2', 'face', 'mmpose', (), 'backbone.',
           ('head.conv_layers.1.running_mean', 'head.final_layer.weight'), rules=_SAME, notes=BILINEAR),
    Family('mmpose 1', 'pose', 'mmpose', (), 'backbone.', ('head.final_layer.weight', ), rules=_SAME, notes=NEAREST),
    Family('mmsegmentation, with OCR', 'segmentation with OCR', 'mmseg', (), 'backbone.',
           ('decode_head.1.object_context_block.*', ), rules=_SAME, notes=BILINEAR,
           head_notes={'decode_head.0': dict(align_corners='False'), 'decode_head.1': dict(align_corners='False')}),
    Family('mmsegmentation', 'segmentation', 'mmseg', (), 'backbone.', ('decode_head.conv_seg.weight', ), rules=_SAME,
           notes=BILINEAR, head_notes={'decode_head': dict(align_corners='False')}),
    Family('another model with a backbone', 'another task', '', (), 'backbone.', ('*', ), rules=_SAME),
    Family('a backbone alone', 'any', '', ('official', 'timm')),
)
