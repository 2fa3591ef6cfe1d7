"""SyncNormStatisticsHook: equal running statistics in two processes at evaluations and checkpoints."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
import torch
from paths import ROOT

RUN = """
    import sys, torch
    import torch.distributed as dist
    from torch import nn
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    folder, rank = sys.argv[1], int(sys.argv[2])
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)

    class Images(torch.utils.data.Dataset):
        def __len__(self):
            return 8
        def __getitem__(self, index):
            return dict(inputs=torch.rand(3, 4, 4) * (1 + index) + index)

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)
            self.learning, self.frozen, self.without = nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.GroupNorm(2, 4)
        def train(self, mode=True):
            super().train(mode)
            self.frozen.eval()
            return self
        def forward(self, inputs, mode='tensor'):
            out = self.without(self.frozen(self.learning(self.conv(torch.stack(inputs))))).mean()
            return dict(loss=out) if mode == 'loss' else [out]

    class Nothing(BaseMetric):
        def process(self, data_batch, data_samples):
            self.results.append(0)
        def compute_metrics(self, results):
            return dict(score=0.)

    statistics = []

    class Watch(Hook):
        def before_train(self, runner):
            runner.model.module.frozen.running_mean.fill_(rank)
        def before_val(self, runner):
            norm = runner.model.module.learning
            statistics.append(torch.cat([norm.running_mean, norm.running_var]))
            torch.save((statistics, runner.model.module.frozen.running_mean), f'{folder}/{sys.argv[3]}-{rank}.pt')

    def train(name, hooks, by_epoch):
        loop = (dict(by_epoch=True, max_epochs=2) if by_epoch
                else dict(type='IterBasedTrainLoop', max_iters=4, val_interval=2))
        loader = dict(batch_size=2, dataset=Images())
        Runner(
            Model(), f'{folder}/{name}', launcher='pytorch', train_cfg=loop, log_level='ERROR',
            train_dataloader=dict(loader, sampler=dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler')),
            val_dataloader=dict(loader, sampler=dict(type='DefaultSampler')), val_cfg=dict(),
            val_evaluator=Evaluator(Nothing()), optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)),
            cfg=dict(model_wrapper_cfg=dict(type='MMDistributedDataParallel', device_ids=None,
                                            broadcast_buffers=False, find_unused_parameters=True)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1 if by_epoch else 2,
                                               by_epoch=by_epoch)),
            custom_hooks=[Watch(), *hooks]).train()

    train(sys.argv[3], eval(sys.argv[4]), sys.argv[5] == 'epoch')
"""


def statistics(tmp_path, hooks, by_epoch):
    """Return the running statistics of both processes at each evaluation, and those of frozen norms."""
    command = [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(RUN), str(tmp_path)]
    env = dict(os.environ, PYTHONPATH=str(ROOT), WORLD_SIZE='2', OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')
    running = [subprocess.Popen([*command, str(rank), 'run', repr(hooks), by_epoch], stderr=subprocess.PIPE, text=True,
                                env=dict(env, RANK=str(rank), LOCAL_RANK=str(rank))) for rank in (0, 1)]
    for process in running:
        error = process.communicate(timeout=300)[1]
        assert process.returncode == 0, error
    return [torch.load(tmp_path / f'run-{rank}.pt', weights_only=True) for rank in (0, 1)]


@pytest.mark.parametrize('by_epoch', ['epoch', 'iter'])
def test_statistics_are_equal(by_epoch, tmp_path):
    hooks = [dict(type='hrnet_plugin.SyncNormStatisticsHook')]
    (first, frozen), (second, other) = statistics(tmp_path, hooks, by_epoch)
    assert len(first) == 2
    assert all(map(torch.equal, first, second))
    assert not torch.equal(first[0], first[1])  # statistics change in training
    assert (frozen == 0).all()  # frozen norms do not change
    assert (other == 1).all()
    names = [f'epoch_{k}.pth' for k in (1, 2)] if by_epoch == 'epoch' else [f'iter_{k}.pth' for k in (2, 4)]
    for name, evaluated in zip(names, first):
        saved = torch.load(tmp_path / 'run' / name, weights_only=True)['state_dict']
        assert torch.equal(torch.cat([saved['learning.running_mean'], saved['learning.running_var']]), evaluated)


def test_without_the_hook_they_differ(tmp_path):
    (first, _), (second, _) = statistics(tmp_path, [], 'epoch')
    assert not torch.allclose(first[-1], second[-1], rtol=1e-3)
