"""Runners of distributed runs, here with one process."""

from __future__ import annotations

import contextlib
import socket

import pytest
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from torch.nn import SyncBatchNorm

from hrnet_plugin.evaluation.leaderboard.runner_record import config_digest
from hrnet_plugin.training.launch import make_runner, processes


@pytest.fixture
def one_process(monkeypatch):
    """Set the variables of torchrun with one process."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        port = listener.getsockname()[1]
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1', MASTER_PORT=port).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)


def test_the_config_of_a_distributed_run_is_that_of_a_single_process(sample_config, tmp_path, one_process):
    """Records of both have the same digest. mmengine cannot wrap a model with SyncBN without GPUs."""
    config = sample_config('mmdet', work_dir=str(tmp_path), log_level='ERROR', experiment_name=tmp_path.name,
                           launcher='pytorch', **{'model.backbone.norm_cfg.type': 'SyncBN'})
    config.model_wrapper_cfg = dict(find_unused_parameters=True)
    digest = config_digest(config)
    with processes(config):
        runner = make_runner(config)
    assert isinstance(runner.model, MMDistributedDataParallel)
    assert runner.model.find_unused_parameters
    assert not any(isinstance(module, SyncBatchNorm) for module in runner.model.modules())
    assert config_digest(runner.cfg) == digest
    assert runner.cfg.model.backbone.norm_cfg.type == 'SyncBN'


@pytest.mark.parametrize('error', [None, SystemExit(138), KeyError('checkpoint')])
def test_the_process_group_ends_with_the_run(sample_config, one_process, error):
    """Threads of an open group may abort the process at its exit, and change the exit code."""
    expected = contextlib.nullcontext() if error is None else pytest.raises(type(error))
    with expected, processes(sample_config('mmdet', launcher='pytorch')):
        assert dist.get_world_size() == 1
        if error is not None:
            raise error
    # after an error, other processes may still compute, and NCCL would wait for them
    assert dist.is_initialized() == isinstance(error, KeyError)
    if dist.is_initialized():
        dist.destroy_process_group()


def test_a_process_group_of_the_caller_stays_open(sample_config, one_process):
    config = sample_config('mmdet', launcher='pytorch')
    with processes(config):
        with processes(config):
            pass
        assert dist.is_initialized()
    assert not dist.is_initialized()
