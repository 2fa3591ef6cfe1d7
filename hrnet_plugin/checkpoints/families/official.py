"""Families of the authors' repositories for classification, pose, face alignment and detection."""

from __future__ import annotations

from functools import partial

from hrnet_plugin.checkpoints.families.family import BILINEAR, NEAREST, Family, conv_norm_conv, rules
from hrnet_plugin.checkpoints.families.mmdet import BACKGROUND_FIRST, PLAIN_FPN, TWO_STAGE_HEADS

_PLAIN_REDUCTION = rules(('neck.reduction_conv.0.*', 'neck.reduction_conv.conv.*'))

_family = partial(Family, layouts=('official', ), metadata=NEAREST)

# timm uses the same keys
CLASSIFICATION = _family(
    name='official classification, and timm',
    task='classification',
    host='hrnet_plugin',
    layouts=('official', 'timm'),
    markers=('incre_modules.0.0.conv1.weight', 'classifier.weight'),
    head_rules=rules(*((f'{name}.*', f'head.{name}.*')
                       for name in ('incre_modules', 'downsamp_modules', 'final_layer', 'classifier'))),
)

# the head in these checkpoints is never used
POSE_IMAGENET = Family(
    name='ImageNet weights of the official pose code',
    task='classification',
    host='hrnet_plugin',
    markers=('head.0.0.0.conv1.weight', ),
    leftovers=('head.*', ),
    metadata=NEAREST,
)

POSE = _family(
    name='official pose',
    task='pose',
    host='mmpose',
    markers=('final_layer.weight', ),
    head_rules=rules(('final_layer.*', 'head.final_layer.*')),
)

FACE = _family(
    name='official face',
    task='face',
    host='mmpose',
    markers=('head.0.weight', 'head.3.weight'),
    head_rules=conv_norm_conv('head', conv='head.conv_layers.0', norm='head.conv_layers.1', last='head.final_layer'),
    metadata=dict(BILINEAR, norm_momentum='0.01'),
)

HIGHER_HRNET = _family(
    name='HigherHRNet',
    task='bottom-up pose',
    host='mmpose',
    markers=('final_layers.0.weight', 'deconv_layers.0.0.0.weight'),
    head_rules=rules(('final_layers.*', 'head.final_layers.*'), ('deconv_layers.*', 'head.deconv_layers.*')),
)

DETECTION_SHARED_CONV = _family(
    name='official detection, one convolution for all levels',
    task='detection',
    host='mmdet',
    backbone_prefix='backbone.',
    markers=('neck.fpn_conv.weight', ),
    head_rules=(*_PLAIN_REDUCTION, *rules(('neck.fpn_conv.*', 'neck.fpn_convs.0.conv.*')), *TWO_STAGE_HEADS),
    head_changes=BACKGROUND_FIRST,
)

DETECTION = _family(
    name='official detection',
    task='detection',
    host='mmdet',
    backbone_prefix='backbone.',
    markers=('neck.reduction_conv.0.weight', 'neck.fpn_conv.0.weight'),
    head_rules=(*_PLAIN_REDUCTION, *PLAIN_FPN, *TWO_STAGE_HEADS),
    head_changes=BACKGROUND_FIRST,
)
