"""Separation of the backbone's tensors from the others."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checkpoints.backbone import add_prefix, split_backbone, split_prefix

KEYS = ('conv1.weight', 'stage4.0.branches.0.0.conv1.weight')


@pytest.mark.parametrize(('prefix', 'others'), [
    ('', ('conv1x.weight', 'last_layer.0.weight', 'backbone.conv1.weight')),
    ('backbone.', ('conv1.weight', 'backbone.neck.conv1.weight', 'head.conv1.weight')),
    ('backbone.body.', ('backbone.conv1.weight', 'backbone.fpn.conv1.weight'))])
def test_split_backbone(prefix, others):
    names = [*(prefix + name for name in KEYS), *others]
    tensors = {name: torch.tensor(float(i)) for i, name in enumerate(names)}
    backbone, heads = split_backbone(tensors, prefix)
    assert (tuple(backbone), tuple(heads)) == (KEYS, others)
    assert {**add_prefix(backbone, prefix), **heads} == tensors


def test_split_prefix_takes_all_keys_under_the_prefix():
    tensors = dict.fromkeys(('backbone.extra.weight', 'head.weight'), torch.zeros(1))
    inside, others = split_prefix(tensors, 'backbone.')
    assert (list(inside), list(others)) == (['extra.weight'], ['head.weight'])
