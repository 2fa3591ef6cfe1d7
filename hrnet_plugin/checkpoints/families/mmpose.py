"""Families of mmpose."""

from __future__ import annotations

from functools import partial

from hrnet_plugin.checkpoints.families.family import BILINEAR, NEAREST, SAME_KEYS, Family, conv_norm_conv, rules

_family = partial(Family, host='mmpose', backbone_prefix='backbone.', metadata=NEAREST)

V0_HRNETV2 = _family(
    name='mmpose 0, HRNetV2',
    task='face',
    markers=('keypoint_head.final_layer.0.weight', 'keypoint_head.final_layer.3.weight'),
    head_rules=conv_norm_conv('keypoint_head.final_layer', conv='head.conv_layers.0', norm='head.conv_layers.1',
                              last='head.final_layer'),
    metadata=BILINEAR,
)

V0 = _family(
    name='mmpose 0',
    task='pose',
    markers=('keypoint_head.*', ),
    head_rules=rules(('keypoint_head.*', 'head.*')),
)

V1_HRNETV2 = _family(
    name='mmpose 1, HRNetV2',
    task='face',
    markers=('head.conv_layers.1.running_mean', 'head.final_layer.weight'),
    head_rules=SAME_KEYS,
    metadata=BILINEAR,
)

V1 = _family(
    name='mmpose 1',
    task='pose',
    markers=('head.final_layer.weight', ),
    head_rules=SAME_KEYS,
)
