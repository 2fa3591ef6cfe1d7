"""What the train and test tools share: their options, and a config made ready for mmengine's runner."""

from __future__ import annotations

import argparse
import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from mmengine.config import Config, DictAction
from mmengine.logging import print_log
from mmengine.runner import Runner

from hrnet_plugin.config_files import moved_data, read_config
from hrnet_plugin.runner import HRNetRunner


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that mim and its users know from the hosts' own tools."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of a config')
    parser.add_argument('--work-dir', help='where logs and results go (work_dirs/NAME_OF_THE_CONFIG)')
    parser.add_argument('--data-root', help='folder of the data, in place of the one in the config, wherever it stands')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='entries of the config to change, such as train_dataloader.batch_size=4')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torch.distributed.launch')
    return parser


def load_config(args: argparse.Namespace) -> Config:
    """The config with the command line's changes.

    Raises:
        FileNotFoundError: If the config does not exist.
        ValueError: If ``--data-root`` is given and the config has no ``data_root``, or no path below it, to replace.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not Path(args.config).is_file():
        raise FileNotFoundError(f'config must be the path of a file, got {args.config!r}. '
                                'For the plugin\'s own: mim run hrnet_plugin config')
    config = read_config(args.config)
    config.launcher = args.launcher
    if args.data_root is not None:
        config.merge_from_dict(moved_data(config, args.data_root))
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    return config


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
    def replace_in(value: Any) -> bool:
        entries = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        here = isinstance(value, dict) and value.get('type') == 'SyncBN'
        if here:
            value['type'] = 'BN'
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
