"""RandomStateHook: losses of resumed and uninterrupted runs are equal bit by bit."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
from hrnet_plugin.training.hooks.random_state import random_state, restore

allow_mmengine_checkpoints()


class Noise(Dataset):
    """Dataset of random images from all three random number generators."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return dict(inputs=torch.rand(4) + np.random.rand() + random.random() + index)


class Model(BaseModel):

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, inputs, mode='tensor'):
        inputs = torch.stack(inputs) if isinstance(inputs, (list, tuple)) else inputs
        out = self.layer(nn.functional.dropout(inputs.float(), 0.5)).pow(2).mean()
        return dict(loss=out) if mode == 'loss' else [out]


class Metric(BaseMetric):
    """Validation loop that draws random numbers."""

    def process(self, data_batch, data_samples):
        self.results.append(random.random() + np.random.rand())

    def compute_metrics(self, results):
        return dict(score=torch.rand(1).item())


class Losses(Hook):

    def __init__(self):
        self.values = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.values[runner.iter] = outputs['loss'].item()


def losses(work_dir, by_epoch, workers, hook=True, resume=None, last=4):
    recorder = Losses()
    loop = (dict(by_epoch=True, max_epochs=last, val_interval=1) if by_epoch
            else dict(type='IterBasedTrainLoop', max_iters=3 * last, val_interval=3))
    sampler = dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler', shuffle=True)
    loader = dict(batch_size=2, num_workers=workers, persistent_workers=workers > 0, dataset=Noise())
    hooks = dict(random_state=dict(type='hrnet_plugin.RandomStateHook')) if hook else {}
    runner = Runner(
        Model(), str(work_dir), train_dataloader=dict(**loader, sampler=sampler), train_cfg=loop,
        val_dataloader=dict(batch_size=2, num_workers=0, dataset=Noise(),
                            sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(), val_evaluator=Evaluator(Metric()),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3, momentum=0.9)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1 if by_epoch else 3, by_epoch=by_epoch,
                                           save_best='score', rule='greater'),
                           **hooks),
        custom_hooks=[recorder], randomness=dict(seed=3), load_from=resume, resume=resume is not None,
        log_level='ERROR', experiment_name=f'{work_dir.name}-{by_epoch}-{workers}-{hook}-{resume is None}')
    runner.train()
    return recorder.values


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_resumed_run_equals_an_uninterrupted_one(by_epoch, workers, tmp_path):
    whole = losses(tmp_path / 'whole', by_epoch, workers)
    middle = str(tmp_path / 'whole' / ('epoch_2.pth' if by_epoch else 'iter_6.pth'))
    assert 'random_state' in torch.load(middle, weights_only=True)
    resumed = losses(tmp_path / 'resumed', by_epoch, workers, resume=middle)
    assert len(whole) == 12
    assert len(set(whole.values())) == 12
    assert resumed == {step: whole[step] for step in range(6, 12)}


def test_without_the_hook_the_losses_differ(tmp_path):
    whole = losses(tmp_path / 'whole', True, 0, hook=False)
    resumed = losses(tmp_path / 'resumed', True, 0, hook=False, resume=str(tmp_path / 'whole' / 'epoch_2.pth'))
    assert resumed.keys() == set(range(6, 12))
    assert all(resumed[step] != whole[step] for step in resumed)


def test_states_are_restored():
    state = random_state()
    first = random.random(), np.random.rand(), torch.rand(1)
    restore(state)
    assert (random.random(), np.random.rand(), torch.rand(1)) == first
