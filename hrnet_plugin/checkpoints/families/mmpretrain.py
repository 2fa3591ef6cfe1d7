"""Families of mmpretrain."""

from __future__ import annotations

from hrnet_plugin.checkpoints.families.family import NEAREST, Family, rules

# mmpretrain's convolutions before these norms have no bias
_OUR_BIASES = tuple((f'{block}.0.bias', f'{block}.1.running_mean') for block in (
    'head.downsamp_modules.0', 'head.downsamp_modules.1', 'head.downsamp_modules.2', 'head.final_layer'))

CLASSIFICATION = Family(
    name='mmpretrain',
    task='classification',
    host='hrnet_plugin',
    layouts=('mmpretrain', ),
    backbone_prefix='backbone.',
    markers=('neck.0.increase_layers.0.0.conv1.weight', 'head.fc.weight'),
    head_rules=rules(
        ('neck.0.increase_layers.*', 'head.incre_modules.*'),
        ('neck.0.downsample_layers.#.conv.*', 'head.downsamp_modules.#.0.*'),
        ('neck.0.downsample_layers.#.bn.*', 'head.downsamp_modules.#.1.*'),
        ('neck.0.final_layer.conv.*', 'head.final_layer.0.*'),
        ('neck.0.final_layer.bn.*', 'head.final_layer.1.*'),
        ('head.fc.*', 'head.classifier.*'),
    ),
    our_biases=_OUR_BIASES,
    metadata=NEAREST,
)
