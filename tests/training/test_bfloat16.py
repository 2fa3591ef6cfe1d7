"""BFloat16OptimWrapper. tests/configs/test_steps_detection.py trains all detectors with it."""

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


def test_the_type_is_registered():
    optimizer = torch.optim.SGD(Model().parameters(), lr=0.1)
    built = OPTIM_WRAPPERS.build(dict(type='hrnet_plugin.BFloat16OptimWrapper', optimizer=optimizer, clip_grad=None))
    assert isinstance(built, BFloat16OptimWrapper)


def test_an_infinite_norm_is_logged_without_clipping():
    optimizer = torch.optim.SGD(Model().parameters(), lr=0.1)
    assert BFloat16OptimWrapper(optimizer, clip_grad=dict(max_norm=float('inf'))).clip_grad_kwargs
    for value in (-float('inf'), float('nan'), True, '1'):
        with pytest.raises((TypeError, ValueError), match=r'clip_grad\.max_norm must be a'):
            BFloat16OptimWrapper(optimizer, clip_grad=dict(max_norm=value))


@pytest.mark.parametrize('neck', [None, nn.Conv2d(4, 2, 1)])
def test_outputs_are_float32_with_bfloat16_precision(neck):
    model, x = Model(neck), torch.rand(1, 3, 4, 4)
    exact = model(x)
    with features_in_bfloat16(model):
        out = model(x)
    assert out.dtype == torch.float32
    assert torch.equal(out, out.bfloat16().float())
    assert torch.allclose(out, exact, atol=0.05)
    assert not torch.equal(out, exact)
    assert torch.equal(model(x), exact)


def test_an_error_removes_hooks_and_autocast():
    model = Model()
    with pytest.raises(RuntimeError), features_in_bfloat16(model):
        model(torch.rand(1, 5, 4, 4))
    assert not torch.is_autocast_enabled('cpu')
    assert model(torch.rand(1, 3, 4, 4)).dtype == torch.float32
    assert not model.backbone._forward_hooks
    assert not model.backbone._forward_pre_hooks


def test_container_types_are_kept():
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


def test_a_model_without_a_backbone_raises():
    with pytest.raises(ValueError, match='requires a model with a backbone, got Linear without'), \
            features_in_bfloat16(nn.Linear(1, 1)):
        pass


def test_nested_models():
    """Distributed training wraps the model, and some detectors contain a teacher and a student."""
    wrapper = nn.ModuleDict(dict(teacher=Model(), student=Model(nn.Conv2d(4, 2, 1))))
    x = torch.rand(1, 3, 4, 4)
    with features_in_bfloat16(wrapper):
        for model in wrapper.values():
            assert torch.equal(model(x), model(x).bfloat16().float())
