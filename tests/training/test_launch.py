"""Runners of distributed runs, here with one process."""

from __future__ import annotations

import socket

import pytest
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from torch.nn import SyncBatchNorm

from hrnet_plugin.evaluation.leaderboard.runner_record import config_digest
from hrnet_plugin.training.launch import make_runner, start_processes


@pytest.fixture
def one_process(monkeypatch):
    """Set the variables of torchrun with one process, and end its process group."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        port = listener.getsockname()[1]
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1', MASTER_PORT=port).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    yield
    dist.destroy_process_group()


def test_the_config_of_a_distributed_run_is_that_of_a_single_process(sample_config, tmp_path, one_process):
    """Records of both have the same digest. mmengine cannot wrap a model with SyncBN without GPUs."""
    config = sample_config('mmdet', work_dir=str(tmp_path), log_level='ERROR', experiment_name=tmp_path.name,
                           launcher='pytorch', **{'model.backbone.norm_cfg.type': 'SyncBN'})
    config.model_wrapper_cfg = dict(find_unused_parameters=True)
    digest = config_digest(config)
    start_processes(config)
    runner = make_runner(config)
    assert isinstance(runner.model, MMDistributedDataParallel)
    assert runner.model.find_unused_parameters
    assert not any(isinstance(module, SyncBatchNorm) for module in runner.model.modules())
    assert config_digest(runner.cfg) == digest
    assert runner.cfg.model.backbone.norm_cfg.type == 'SyncBN'
