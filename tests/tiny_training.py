"""Smallest model and dataset as registered types, and configs for `hrnet train` and `hrnet test` that use them."""

from __future__ import annotations

import torch
from linear_model import LinearModel, Ones
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DATASETS, MODELS
from mmengine.visualization import Visualizer


@MODELS.register_module(name='TinyModel', force=True)
class TinyModel(LinearModel):
    """Linear model with predictions."""

    def forward(self, inputs, mode='loss'):
        if mode == 'predict':
            return [dict(score=score) for score in self.layer(torch.stack(inputs))]
        return super().forward(inputs, mode)


def forget_runs():
    """Let the next run of this process, or of a fork, have its own log. Names of runs have seconds only."""
    for kind in (MessageHub, MMLogger, Visualizer):
        kind._instance_dict.clear()


DATASETS.register_module(name='TinyDataset', module=Ones, force=True)

CONFIG = """
default_scope = 'mmengine'
custom_imports = dict(imports=['tiny_training'])
model = dict(type='TinyModel')
train_dataloader = dict(batch_size=2, dataset=dict(type='TinyDataset', length=8),
                        sampler=dict(type='DefaultSampler', shuffle=False))
train_cfg = dict(by_epoch=True, max_epochs=6)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-3))
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=1),
                     logger=dict(type='LoggerHook', interval=1))
randomness = dict(seed=0)
"""
TEST_CONFIG = f"""{CONFIG}
test_dataloader = train_dataloader
test_cfg = dict()
test_evaluator = dict(type='DumpResults', out_file_path='theirs.pkl')
"""
