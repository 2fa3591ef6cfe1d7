"""Runs that a signal ends."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import torch
from linear_model import LinearModel
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from torch.utils.data import Dataset

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
from hrnet_plugin.training.runner import HRNetRunner

allow_mmengine_checkpoints()


class Numbers(Dataset):
    """Dataset that lists the loaded numbers."""

    loaded = []

    def __init__(self, length=8):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        self.loaded.append(index)
        return dict(inputs=torch.ones(2) * index)


class Validation(Numbers):
    loaded = []


class Model(LinearModel):

    def forward(self, inputs, mode='loss'):
        return super().forward(inputs, mode) if mode == 'loss' else [0]


class Noise(Numbers):
    """Dataset with random numbers."""

    def __getitem__(self, index):
        return dict(inputs=torch.rand(2) + np.random.rand() + random.random() + super().__getitem__(index)['inputs'])


class NoisyModel(Model):
    """Model that draws random numbers."""

    def forward(self, inputs, mode='loss'):
        return super().forward([one * torch.rand(2) for one in inputs], mode)


class Score(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=0.)


class Losses(Hook):
    """Hook that records losses and evaluations, and sends a signal after an iteration or in an evaluation."""

    def __init__(self, number=None, after=None, in_evaluation=None):
        self.values, self.number, self.after, self.in_evaluation = {}, number, after, in_evaluation
        self.evaluated = []

    def after_val_epoch(self, runner, metrics=None):
        self.evaluated.append(runner.iter)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.values[runner.iter] = outputs['loss'].item(), batch_idx
        if runner.iter == self.after:
            os.kill(os.getpid(), self.number)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == self.in_evaluation:
            os.kill(os.getpid(), self.number)


def train(work_dir, resume=None, loop=None, length=8, count=1, workers=0, sampler='DefaultSampler', noise=False,
          hooks=(), recorder=None, regular=None, **signals):
    """Train for 3 epochs of 4 batches. Return the losses, the exit code, and the numbers that were loaded."""
    torch.manual_seed(0)
    recorder = recorder or Losses(**signals)
    Numbers.loaded.clear()
    loader = dict(batch_size=2, num_workers=workers, persistent_workers=workers > 0)
    model, dataset = (NoisyModel(), Noise(length)) if noise else (Model(), Numbers(length))
    runner = HRNetRunner(
        model, str(work_dir), log_level='ERROR', experiment_name=f'{work_dir.parent.name}-{time.time()}',
        train_cfg=loop or dict(type='hrnet_plugin.ResumableEpochLoop', max_epochs=3),
        train_dataloader=dict(loader, dataset=dataset, sampler=dict(type=sampler, shuffle=True)),
        val_dataloader=dict(batch_size=2, dataset=Validation(), sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(), val_evaluator=Evaluator(Score()), randomness=dict(seed=0),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3, momentum=.9), accumulative_counts=count),
        param_scheduler=[dict(type='LinearLR', start_factor=.1, begin=0, end=8, by_epoch=False)],
        default_hooks=dict(checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', **(regular or dict(interval=1))),
                           **(dict(random_state=dict(type='hrnet_plugin.RandomStateHook')) if noise else {})),
        custom_hooks=[recorder, *hooks, dict(type='hrnet_plugin.PreemptionHook')],
        load_from=resume and str(resume), resume=resume is not None)
    code = 0
    try:
        runner.train()
    except SystemExit as error:
        code = error.code
    return recorder.values, code, [*Numbers.loaded]


def restore_handlers():
    """Restore the handlers of signals after a test. A run that a signal ends keeps its own until its process exits."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
