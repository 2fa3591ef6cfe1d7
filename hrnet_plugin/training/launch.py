"""Construction of the runner for any launcher, with or without GPUs."""

from __future__ import annotations

import logging
from importlib import import_module

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.training.runner import HRNetRunner


def make_runner(config: Config) -> Runner:
    """Build the runner that a config describes, also for several processes on machines without a GPU."""
    import_module('hrnet_plugin.plugin')  # new-style configs name classes, which no registry looks up
    if torch.cuda.is_available():
        return HRNetRunner.from_cfg(config)
    if config.launcher == 'pytorch':
        _prepare_cpu_processes(config)
    if config.launcher != 'none':
        _use_plain_batch_norm(config)
    return HRNetRunner.from_cfg(config)


def _use_plain_batch_norm(config: Config) -> None:
    """Between processes SyncBN works on GPUs only; without them, its configs would build and fail at the first step."""
    def replace_in(value: ConfigValue) -> bool:
        entries = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        here = False
        if isinstance(value, dict) and value.get('type') == 'SyncBN':
            value['type'], here = 'BN', True
        return any([here, *(replace_in(entry) for entry in entries)])

    if replace_in(config.model):
        print_log('several processes without GPUs: BN in place of SyncBN', logger='current', level=logging.WARNING)


def _prepare_cpu_processes(config: Config) -> None:
    # mmengine would set a CUDA device before it looks for one, and give the wrapper a device id
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = config.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        find_unused_parameters=config.get('find_unused_parameters', False))
    config.model_wrapper_cfg = dict(wrapper, device_ids=None)
