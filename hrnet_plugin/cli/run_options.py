"""Common options of ``hrnet train`` and ``hrnet test``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from hrnet_plugin.cli.parser import CommandParser, make_parser
from hrnet_plugin.config_files import find_config, relocate_data


def make_run_parser(command: str, doc: str | None) -> CommandParser:
    """Make a parser with the options of the upstream train and test tools, which mim uses, too.

    Args:
        command: Name of the subcommand.
        doc: Docstring of its module.
    """
    parser = make_parser(command, doc)
    add_config_options(parser)
    parser.add_argument('--work-dir', help='folder for logs and results (default: work_dirs/CONFIG)')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='launcher of distributed runs (default: none)')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torch.distributed.launch')
    return parser


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``config``, and the options that override its entries."""
    parser.add_argument('config', help='name of a shipped config, or path of any config')
    parser.add_argument('--data-root', help='data folder that replaces the data_root of the config')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='entries of the config to override, such as train_dataloader.batch_size=4')


def override_entries(config: Config, args: argparse.Namespace) -> None:
    """Apply the options of :func:`add_config_options`.

    Args:
        config: Config, changed in place.
        args: Parsed arguments.

    Raises:
        ValueError: ``--data-root`` is given, and the config has no ``data_root`` or no path below it.
    """
    if args.data_root is not None:
        config.merge_from_dict(relocate_data(config, args.data_root))
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config, and apply the options of the command line.

    Raises:
        FileNotFoundError: No shipped config and no file has this name.
        ValueError: ``--data-root`` is given, and the config has no ``data_root`` or no path below it.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    config = find_config(args.config)
    config.launcher = args.launcher
    override_entries(config, args)
    if args.work_dir is not None:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(config.filename).stem)
    return config
