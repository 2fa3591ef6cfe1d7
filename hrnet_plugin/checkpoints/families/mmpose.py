"""Families of mmpose."""

from __future__ import annotations

from hrnet_plugin.checkpoints.families.family import BILINEAR, NEAREST, SAME_KEYS, Family, conv_norm_conv, rules

V0_HRNETV2 = Family(
    name='mmpose 0, HRNetV2',
    task='face',
    host='mmpose',
    body_prefix='backbone.',
    markers=('keypoint_head.final_layer.0.weight', 'keypoint_head.final_layer.3.weight'),
    head_rules=conv_norm_conv('keypoint_head.final_layer', conv='head.conv_layers.0', norm='head.conv_layers.1',
                              last='head.final_layer'),
    notes=BILINEAR,
)

V0 = Family(
    name='mmpose 0',
    task='pose',
    host='mmpose',
    body_prefix='backbone.',
    markers=('keypoint_head.*', ),
    head_rules=rules(('keypoint_head.*', 'head.*')),
    notes=NEAREST,
)

V1_HRNETV2 = Family(
    name='mmpose 1, HRNetV2',
    task='face',
    host='mmpose',
    body_prefix='backbone.',
    markers=('head.conv_layers.1.running_mean', 'head.final_layer.weight'),
    head_rules=SAME_KEYS,
    notes=BILINEAR,
)

V1 = Family(
    name='mmpose 1',
    task='pose',
    host='mmpose',
    body_prefix='backbone.',
    markers=('head.final_layer.weight', ),
    head_rules=SAME_KEYS,
    notes=NEAREST,
)
