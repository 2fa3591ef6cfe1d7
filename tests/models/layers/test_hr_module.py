"""HRNet modules: branches, fusion and upstream attributes."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.arch import StageSpec
from hrnet_plugin.models.layers import FusionConfig, HRModule, LayerConfig, Upsampling

STAGE = StageSpec(1, 'BASIC', (1, 2), (4, 8))


@pytest.mark.parametrize('out_indices', [(0, ), (1, ), (0, 1)])
def test_branches_then_fusion_then_relu(out_indices):
    module = HRModule(STAGE, out_indices, FusionConfig(Upsampling()), LayerConfig()).eval()
    feats = [torch.randn(1, 4, 8, 8), torch.randn(1, 8, 4, 4)]
    expected = module.fuse_layers(module.branches(feats))
    got = module(feats)
    assert [out.shape for out in got] == [feats[i].shape for i in out_indices]
    assert all(torch.equal(a, b.relu()) for a, b in zip(got, expected))
    assert (module.num_branches, module.in_channels) == (2, [4, 8])
    assert module.multiscale_output == (len(out_indices) == 2)


def test_without_fusion_branch_outputs_are_returned():
    module = HRModule(STAGE, (0, 1), None, LayerConfig()).eval()
    feats = [torch.randn(1, 4, 8, 8), torch.randn(1, 8, 4, 4)]
    assert all(torch.equal(a, b) for a, b in zip(module(feats), module.branches(feats)))
    assert not any('fuse' in name for name in module.state_dict())
