"""Families of this package's own models."""

from __future__ import annotations

from hrnet_plugin.checkpoints.families.family import NEAREST, SAME_KEYS, Family

CLASSIFIER = Family(
    name='hrnet_plugin.HRNetClassifier',
    task='classification',
    host='hrnet_plugin',
    backbone_prefix='backbone.',
    markers=('head.incre_modules.0.0.conv1.weight', ),
    head_rules=SAME_KEYS,
    metadata=NEAREST,
)
