"""InferenceEngineHook: engine in evaluations, eager model in training."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from conftest import randomize
from mmengine.model import BaseTTAModel, ExponentialMovingAverage
from mmengine.registry import HOOKS, DefaultScope
from torch import nn

from hrnet_plugin.execution import is_optimized
from hrnet_plugin.models import HRNet
from hrnet_plugin.training.hooks import InferenceEngineHook


def runner(images=100):
    loader = SimpleNamespace(dataset=range(images))
    return SimpleNamespace(model=randomize(nn.Sequential(HRNet('w18_small_v1'))).eval(), val_dataloader=loader,
                           test_dataloader=loader)


@pytest.mark.parametrize('name', ['hrnet_plugin.InferenceEngineHook', 'hrnet_plugin.FastFormHook'])
@pytest.mark.parametrize('scope', ['mmengine', 'mmdet', 'mmpose', 'mmseg'])
def test_the_type_is_registered_for_all_hosts(scope, name):
    with DefaultScope.overwrite_default_scope(scope):
        assert isinstance(HOOKS.build(dict(type=name)), InferenceEngineHook)


@pytest.mark.parametrize('loop', ['val', 'test'])
def test_enabled_before_and_disabled_after_evaluation(loop):
    hook, run = InferenceEngineHook(max_graphs=3), runner()
    getattr(hook, f'before_{loop}')(run)
    assert is_optimized(run.model)
    getattr(hook, f'after_{loop}')(run)
    assert not is_optimized(run.model)


def test_few_images_are_predicted_eagerly():
    for images in (2, 100):
        run = runner(images)
        InferenceEngineHook().before_test(run)
        assert is_optimized(run.model) == (images == 100)


@pytest.mark.parametrize(('loop', 'is_cached'), [('val', False), ('test', True)])
def test_only_tests_use_the_cache(loop, is_cached, monkeypatch):
    """Weights of validation during training change each time."""
    calls = []
    monkeypatch.setattr('hrnet_plugin.training.hooks.inference_engine.optimize_for_inference',
                        lambda *args, **kwargs: calls.append((args[1:], kwargs)))
    getattr(InferenceEngineHook('openvino', max_graphs=3), f'before_{loop}')(runner(1000))
    assert calls == [(('openvino', ), dict(expected_images=1000, max_graphs=3, use_cache=is_cached))]
    getattr(InferenceEngineHook('openvino', use_cache=False), f'before_{loop}')(runner(1000))
    assert calls[1][1]['use_cache'] is False


def test_model_inside_a_wrapper():
    class Mean(BaseTTAModel):
        def merge_preds(self, data_samples_list):
            return data_samples_list

    run = runner()
    model = Mean.__new__(Mean)
    nn.Module.__init__(model)
    model.module = run.model
    InferenceEngineHook().before_test(SimpleNamespace(model=model, test_dataloader=run.test_dataloader))
    assert is_optimized(run.model)


@torch.no_grad()
def test_swapped_ema_weights():
    """mmengine's EMAHook swaps the data of tensors between model and EMA around each validation."""
    run, x = runner(), torch.randn(1, 3, 64, 64)
    average = ExponentialMovingAverage(run.model, momentum=0.5)
    randomize(run.model)
    own, averaged = ([out.clone() for out in model(x)] for model in (run.model[0], average.module[0]))
    hook = InferenceEngineHook()
    hook.before_val(run)
    run.model(x)
    for mine, others in zip(run.model.parameters(), average.module.parameters()):
        mine.data, others.data = others.data, mine.data
    for mine, others in zip(run.model.buffers(), average.module.buffers()):
        mine.data, others.data = others.data, mine.data
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(run.model(x), averaged))
    assert not any(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(own, averaged))


def test_wrong_number_and_model():
    with pytest.raises(ValueError, match='engine'):
        InferenceEngineHook(engine='fast')
    with pytest.raises(ValueError, match='max_graphs'):
        InferenceEngineHook(max_graphs=-1)
    with pytest.raises(ValueError, match=r'hrnet_plugin\.HRNet'):
        InferenceEngineHook().before_run(SimpleNamespace(model=nn.Identity()))
