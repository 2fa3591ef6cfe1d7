"""Smallest model and dataset as registered types, and a config for `hrnet train` that uses them."""

from __future__ import annotations

from linear_model import LinearModel, Ones
from mmengine.registry import DATASETS, MODELS

MODELS.register_module(name='TinyModel', module=LinearModel, force=True)
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
