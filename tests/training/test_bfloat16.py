"""The wrapper's edges; tests/configs/test_steps_detection.py runs it in every family."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from hrnet_plugin.training.bfloat16 import BFloat16OptimWrapper, features_in_bfloat16


class Model(nn.Module):
    def __init__(self, neck=None):
        super().__init__()
        self.backbone, self.neck = nn.Conv2d(3, 4, 1), neck

    def forward(self, x):
        feats = self.backbone(x)
        return feats if self.neck is None else self.neck(feats)


def test_it_is_found_by_its_name_in_a_config():
    optimizer = torch.optim.SGD(Model().parameters(), lr=0.1)
    built = OPTIM_WRAPPERS.build(dict(type='hrnet_plugin.BFloat16OptimWrapper', optimizer=optimizer, clip_grad=None))
    assert isinstance(built, BFloat16OptimWrapper)


@pytest.mark.parametrize('neck', [None, nn.Conv2d(4, 2, 1)])
def test_what_leaves_is_float32_rounded_to_bfloat16(neck):
    model, x = Model(neck), torch.rand(1, 3, 4, 4)
    exact = model(x)
    with features_in_bfloat16(model):
        out = model(x)
    assert out.dtype == torch.float32
    assert torch.equal(out, out.bfloat16().float())
    assert torch.allclose(out, exact, atol=0.05)
    assert not torch.equal(out, exact)
    assert torch.equal(model(x), exact)


def test_an_error_inside_leaves_nothing_behind():
    model = Model()
    with pytest.raises(RuntimeError), features_in_bfloat16(model):
        model(torch.rand(1, 5, 4, 4))
    assert not torch.is_autocast_enabled('cpu')
    assert model(torch.rand(1, 3, 4, 4)).dtype == torch.float32
    assert not model.backbone._forward_hooks
    assert not model.backbone._forward_pre_hooks


def test_maps_come_back_in_the_container_that_they_left_in():
    class Many(nn.Module):
        def forward(self, x):
            return [x, (x, None), {'a': x}]

    model = Model(Many())
    with features_in_bfloat16(model):
        out = model(torch.rand(1, 3, 4, 4))
    assert isinstance(out, list)
    assert isinstance(out[1], tuple)
    assert out[1][1] is None
    assert {x.dtype for x in (out[0], out[1][0], out[2]['a'])} == {torch.float32}


def test_a_model_without_a_backbone_is_refused():
    with pytest.raises(ValueError, match='needs a model with a backbone, got Linear without'), \
            features_in_bfloat16(nn.Linear(1, 1)):
        pass


def test_models_within_models_are_reached():
    """As in the wrappers of distributed training, and in detectors that hold a teacher and a student."""
    wrapper = nn.ModuleDict(dict(teacher=Model(), student=Model(nn.Conv2d(4, 2, 1))))
    x = torch.rand(1, 3, 4, 4)
    with features_in_bfloat16(wrapper):
        for model in wrapper.values():
            assert torch.equal(model(x), model(x).bfloat16().float())
