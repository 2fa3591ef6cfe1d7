"""FrozenNormCheckHook: one warning before training about frozen batch norms with initial statistics."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from hrnet_plugin.models import HRNet
from hrnet_plugin.training.hooks import FrozenNormCheckHook, frozen_norm_check


class Detector(nn.Module):

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(frozen_norm_check, 'print_log', lambda text, **_: lines.append(text))
    return lines


def check(model):
    FrozenNormCheckHook().before_train(SimpleNamespace(model=model))


def trained(network):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(2)
    return network


def test_a_new_network_is_reported_with_both_solutions(warnings):
    model = Detector(HRNet('w18_small_v1'))  # norm_eval=True is the default for mmdet
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert warnings == []  # no warning while the model is built
    check(model)
    line, = warnings
    assert f'backbone (HRNet) has norm_eval=True, and {norms} of its {norms} batch norms' in line
    assert "model.backbone.init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...)" in line
    assert 'model.backbone.norm_eval=False' in line


@pytest.mark.parametrize('network', [
    lambda: trained(HRNet('w18_small_v1')), lambda: HRNet('w18_small_v1', norm_eval=False),
    lambda: HRNet('w18_small_v1', host='mmpose'),
    lambda: HRNet('w18_small_v1', norm_cfg=dict(type='GN', num_groups=2))])
def test_other_networks_are_not_reported(network, warnings):
    check(Detector(network()))
    assert warnings == []


def test_caffe_checkpoints_have_statistics_in_weight_and_bias(warnings):
    model = Detector(HRNet('w18_small_v1'))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.bias)
    check(model)
    assert warnings == []


def test_partly_loaded_statistics(warnings):
    model = Detector(trained(HRNet('w18_small_v1')))
    model.backbone.bn1.running_var.fill_(1)
    check(model)
    assert 'and 1 of its' in warnings[0]


def test_upstream_backbones_are_checked(warnings):
    pytest.importorskip('mmdet')
    check(nn.ModuleDict(dict(module=Detector(MODELS.build(dict(type='mmdet.ResNet', depth=18))))))
    assert 'backbone (ResNet) has norm_eval=True' in warnings[0]
    assert not warnings[0].startswith('module.')


def test_activations_of_frozen_new_norms_grow(warnings):
    """The standard deviation of the outputs shows that frozen norms do not normalize."""
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        frozen, learning = (HRNet('w18', norm_eval=norm_eval) for norm_eval in (True, False))
        for network in (frozen, learning):
            network.init_weights()
        assert frozen.train()(image)[0].std() > 1e4
        assert learning.train()(image)[0].std() < 10
