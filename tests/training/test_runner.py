"""Scaling of learning rates with gradient accumulation."""

from __future__ import annotations

import pytest
import torch
from linear_model import LinearModel, Ones
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from hrnet_plugin.training.accumulation import batches_per_step
from hrnet_plugin.training.runner import HRNetRunner, accumulated_batches


def rate(kind, tmp_path, count, batch=4, enable=True):
    """Return the scaled learning rate of a run with 1.0 for 16 images."""
    runner = kind(
        LinearModel(), str(tmp_path), train_cfg=dict(by_epoch=True, max_epochs=1), log_level='ERROR',
        train_dataloader=dict(batch_size=batch, dataset=Ones(8), sampler=dict(type='DefaultSampler')),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0), accumulative_counts=count),
        auto_scale_lr=dict(enable=enable, base_batch_size=16), default_hooks=dict(checkpoint=None),
        experiment_name=f'{tmp_path.name}-{kind.__name__}-{count}-{batch}')
    runner.train()
    return runner.optim_wrapper.param_groups[0]['lr']


@pytest.mark.parametrize(('count', 'batch', 'expected'), [
    (4, 4, 1.0), (1, 4, 0.25), (2, 4, 0.5), (8, 2, 1.0), (3, 4, 0.75)])
def test_accumulated_batches_count(count, batch, expected, tmp_path):
    assert rate(HRNetRunner, tmp_path, count, batch) == pytest.approx(expected, abs=1e-12)


def test_mmengine_ignores_accumulation(tmp_path):
    assert rate(Runner, tmp_path, 4) == 0.25


def test_nothing_is_scaled_by_default(tmp_path):
    assert rate(HRNetRunner, tmp_path, 4, enable=False) == 1.0


def test_different_accumulation_raises():
    one, other = (OptimWrapper(torch.optim.SGD(LinearModel().parameters(), 0.1), accumulative_counts=k) for k in (1, 2))
    assert accumulated_batches(OptimWrapperDict(a=other)) == 2
    with pytest.raises(ValueError, match=r'accumulative_counts must be the same for all optimizers, got \[1, 2\]'):
        accumulated_batches(OptimWrapperDict(a=one, b=other))


def test_steps_of_several_optimizers():
    one, other = (OptimWrapper(torch.optim.SGD(LinearModel().parameters(), 0.1), accumulative_counts=k) for k in (2, 3))
    assert [batches_per_step(wrapper) for wrapper in (one, other, OptimWrapperDict(a=one, b=other))] == [2, 3, 6]


@pytest.mark.parametrize('scaling', [None, dict(base_batch_size=16), dict(enable=False, base_batch_size=16)])
def test_different_accumulation_without_scaling(scaling):
    one, other = (OptimWrapper(torch.optim.SGD(LinearModel().parameters(), 0.1), accumulative_counts=k) for k in (1, 2))
    HRNetRunner.scale_lr(HRNetRunner.__new__(HRNetRunner), OptimWrapperDict(a=one, b=other), scaling)
    assert one.param_groups[0]['lr'] == other.param_groups[0]['lr'] == 0.1
