"""Construction of runners for all launchers, with or without GPUs."""

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
    """Build the runner of a config, also for several processes without GPUs."""
    import_module('hrnet_plugin.plugin')  # new-style configs contain classes and do not use the registry
    if torch.cuda.is_available():
        return HRNetRunner.from_cfg(config)
    if config.launcher == 'pytorch':
        _prepare_cpu_processes(config)
    if config.launcher != 'none':
        _use_plain_batch_norm(config)
    return HRNetRunner.from_cfg(config)


def _use_plain_batch_norm(config: Config) -> None:
    """Replace SyncBN by BN, because SyncBN requires GPUs and would fail at the first training step."""
    def replace_in(value: ConfigValue) -> bool:
        entries = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        replaced = False
        if isinstance(value, dict) and value.get('type') == 'SyncBN':
            value['type'], replaced = 'BN', True
        return any([replaced, *(replace_in(entry) for entry in entries)])

    if replace_in(config.model):
        print_log('SyncBN requires GPUs and is replaced by BN', logger='current', level=logging.WARNING)


def _prepare_cpu_processes(config: Config) -> None:
    # without this, mmengine would set a CUDA device and pass a device id to the wrapper
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = config.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        find_unused_parameters=config.get('find_unused_parameters', False))
    config.model_wrapper_cfg = dict(wrapper, device_ids=None)
