"""Conversions of tensor values in both directions."""

from __future__ import annotations

import torch

from hrnet_plugin.checkpoints.changes import (
    Change,
    apply_changes,
    first_to_last,
    fold_bias,
    identity,
    in_place_scale,
    last_to_first,
    revert_changes,
    unfold_bias,
)

SCALE = Change(('*.weight', ), in_place_scale, identity)
ROLL = Change(('*', ), first_to_last, last_to_first)


def test_only_values_that_cannot_be_computed_back_are_kept():
    theirs = {'bn.weight': torch.tensor([-1., 2.]), 'bn.bias': torch.tensor([3., 4.])}
    kept = {}
    ours = apply_changes(theirs, (SCALE, ROLL), kept)
    assert ours['bn.bias'].tolist() == [4, 3]
    assert kept.keys() == {'bn.weight'}
    back = revert_changes(ours, (SCALE, ROLL), kept)
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


def test_a_kept_value_is_dropped_after_training():
    kept = {}
    ours = apply_changes({'bn.weight': torch.tensor([-1., 2.])}, (SCALE, ), kept)
    ours['bn.weight'] = ours['bn.weight'] + 1
    assert torch.equal(revert_changes(ours, (SCALE, ), kept)['bn.weight'], ours['bn.weight'])


def test_unfolding_restores_bias_and_mean():
    first = {'conv.bias': torch.tensor([0.1, 0.7]), 'bn.running_mean': torch.tensor([0.3, 1e8])}
    tensors, kept = dict(first), {}
    fold_bias(tensors, kept, 'conv.bias', 'bn.running_mean')
    assert list(tensors) == ['bn.running_mean']
    unfold_bias(tensors, kept, 'conv.bias', 'bn.running_mean')
    assert all(torch.equal(tensors[name], first[name]) for name in first)
