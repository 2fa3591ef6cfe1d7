"""Transitions: existing branches and new ones."""

from __future__ import annotations

import torch
from torch import nn

from hrnet_plugin.models.layers import LayerConfig, Transition
from hrnet_plugin.models.layers.transition import transition_inputs


def test_identity_widened_and_added_branches():
    transition = Transition((4, 8), (4, 10, 12, 14), LayerConfig()).eval()
    assert isinstance(transition[0], nn.Identity)
    assert len(transition[3]) == 2
    feats = [torch.randn(1, 4, 16, 16), torch.randn(1, 8, 8, 8)]
    outs = transition(feats)
    assert outs[0] is feats[0]
    assert [tuple(out.shape[1:]) for out in outs] == [(4, 16, 16), (10, 8, 8), (12, 4, 4), (14, 2, 2)]


def test_transition_inputs():
    assert transition_inputs(['fine', 'low'], 4) == ['fine', 'low', 'low', 'low']
