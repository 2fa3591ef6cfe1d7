"""Families of unknown publishers, for checkpoints that match no other family."""

from __future__ import annotations

from hrnet_plugin.checkpoints.families.family import SAME_KEYS, Family

OTHER_MODEL = Family(
    name='another model with a backbone',
    task='another task',
    host='',
    backbone_prefix='backbone.',
    markers=('*', ),
    head_rules=SAME_KEYS,
)

BACKBONE = Family(
    name='a backbone alone',
    task='any',
    host='',
    layouts=('official', 'timm'),
)
