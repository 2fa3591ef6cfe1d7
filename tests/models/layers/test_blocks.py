"""Residual blocks: outputs and state-dict keys."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.models.layers import BLOCKS, LayerConfig, residual_branch


@pytest.mark.parametrize(('block', 'in_channels', 'keys'), [
    ('BASIC', 8, {'conv1', 'bn1', 'conv2', 'bn2'}), ('BASIC', 6, {'conv1', 'bn1', 'conv2', 'bn2', 'downsample'}),
    ('BOTTLENECK', 32, {'conv1', 'bn1', 'conv2', 'bn2', 'conv3', 'bn3'})])
def test_outputs_and_keys(block, in_channels, keys):
    model = randomize(BLOCKS[block](in_channels, 8, LayerConfig())).double().eval()
    assert {name.split('.')[0] for name in model.state_dict()} == keys
    x = torch.randn(2, in_channels, 9, 7, dtype=torch.double)
    out = x
    for k in range(1, len(model.kernel_sizes) + 1):
        out = getattr(model, f'bn{k}')(getattr(model, f'conv{k}')(out))
        out = out.relu() if k < len(model.kernel_sizes) else out
    shortcut = x if isinstance(model.downsample, nn.Identity) else model.downsample[1](model.downsample[0](x))
    kept = x.clone()
    assert relative_error(model(x), (out + shortcut).relu()) < 1e-12
    assert torch.equal(x, kept)


def test_first_block_of_a_branch_widens():
    branch = residual_branch('BOTTLENECK', 16, 8, 3, LayerConfig())
    assert [block.conv1.in_channels for block in branch] == [16, 32, 32]
    assert [isinstance(block.downsample, nn.Identity) for block in branch] == [False, True, True]


def test_zero_init_residual():
    branch = residual_branch('BASIC', 8, 8, 2, LayerConfig(zero_init_residual=True))
    branch.init_weights()
    assert all((block.bn2.weight == 0).all() and (block.bn1.weight == 1).all() for block in branch)
