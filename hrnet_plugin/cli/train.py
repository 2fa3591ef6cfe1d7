"""Train a model.

    hrnet train CONFIG [options]

CONFIG is the name of a shipped config or the path of any config of mmdet,
mmpose or mmsegmentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import Config

from hrnet_plugin.cli.run_options import load_config, make_run_parser
from hrnet_plugin.files import naming_disk_errors
from hrnet_plugin.training.launch import make_runner, processes
from hrnet_plugin.training.run_config import (
    add_hook,
    continue_within_epochs,
    log_evaluations_by_iteration,
    resume,
    save_atomically,
    set_load_from,
)
from hrnet_plugin.training.work_dir import earlier_run_warning, reserve_work_dir


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_run_parser('train', __doc__)
    parser.add_argument('--amp', nargs='?', const='fp16', choices=['fp16', 'bf16'],
                        help='mixed precision: fp16 (default, requires a GPU), or bf16 in backbone and neck')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the number of images per optimizer step')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='resume from a checkpoint (default: the newest complete one in the work directory)')
    return parser.parse_args(argv)


def apply_options(config: Config, args: argparse.Namespace) -> list[str]:
    """Set the entries of the config that the command-line options define.

    Args:
        config: Config, changed in place.
        args: Parsed arguments.

    Returns:
        Warnings for the log of the run.

    Raises:
        FileNotFoundError, ValueError: The checkpoint to resume from is missing or incomplete.
        ValueError: ``--auto-scale-lr`` is given, and the config has no ``base_batch_size``.
    """
    if args.amp == 'fp16':
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.dtype = 'float16'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif args.amp == 'bf16':
        config.optim_wrapper.type = 'hrnet_plugin.BFloat16OptimWrapper'
        for entry in ('loss_scale', 'dtype'):  # arguments of AmpOptimWrapper
            config.optim_wrapper.pop(entry, None)
    if args.auto_scale_lr:
        if 'base_batch_size' not in config.get('auto_scale_lr', {}):
            raise ValueError('--auto-scale-lr requires auto_scale_lr.base_batch_size in the config, got none')
        config.auto_scale_lr.enable = True
    notices: list[str] = []
    if args.resume is not None:
        notices += resume(config, None if args.resume == 'auto' else args.resume)
    elif config.get('resume'):
        notices += resume(config, config.get('load_from'))
    if config.get('load_from') is not None and not config.get('resume'):
        set_load_from(config, config.load_from, part='backbone')  # heads may have another number of classes
    save_atomically(config)
    continue_within_epochs(config)
    log_evaluations_by_iteration(config)
    add_hook(config, 'hrnet_plugin.FrozenNormCheckHook')
    add_hook(config, 'hrnet_plugin.DataCheckHook')
    add_hook(config, 'hrnet_plugin.ProcessLogHook')
    add_hook(config, 'hrnet_plugin.PreemptionHook')
    if config.get('launcher', 'none') != 'none':
        add_hook(config, 'hrnet_plugin.SyncNormStatisticsHook')
    return notices


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args)
    # the folder is reserved before checkpoints are looked for in it
    with processes(config), naming_disk_errors(config.work_dir), reserve_work_dir(config.work_dir):
        notices = apply_options(config, args)
        if not config.get('resume') and (earlier := earlier_run_warning(config.work_dir)):
            notices.append(earlier)
        runner = make_runner(config)
        for notice in notices:  # the runner has opened the log
            runner.logger.warning(notice)
        runner.train()
