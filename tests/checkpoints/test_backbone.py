"""Separation of the backbone's tensors from the others."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checkpoints.backbone import add_prefix, describe, find_unused_rows, split_backbone, split_prefix
from hrnet_plugin.models import HRNet

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


@pytest.mark.parametrize(('options', 'out_indices', 'selection'), [
    (dict(arch='w18'), (0, 1, 2, 3), ''), (dict(arch='w18', multiscale_output=False), (0, ), ''),
    (dict(arch='w18', out_indices=(1, 3)), (1, 3), ' (branches 1, 3)'),
    (dict(arch='w18', out_indices=(3, )), (3, ), ' (branch 3)'), (dict(arch='w32_single_stream'), (0, ), '')])
def test_outputs_of_a_state_dict(options, out_indices, selection):
    with torch.device('meta'):
        network = describe(HRNet(**options).state_dict())
    assert (network.arch, network.out_indices, network.selection) == (options['arch'], out_indices, selection)


def test_unused_rows_are_those_of_the_last_fusion_only():
    with torch.device('meta'):
        whole, part = HRNet('w18_small_v2'), HRNet('w18_small_v2', out_indices=(0, 2))
    theirs = add_prefix(whole.state_dict(), 'backbone.')
    ours = add_prefix(part.state_dict(), 'backbone.')
    assert find_unused_rows(ours, [*theirs, 'backbone.stage4.1.fuse_layers.4.0.x']) == set(theirs) - set(ours)
    assert find_unused_rows(theirs, theirs) == find_unused_rows({'head.weight': torch.zeros(1)}, theirs) == set()
