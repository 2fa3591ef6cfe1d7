"""Test a model.

    hrnet test CONFIG CHECKPOINT [options]

CONFIG is the name of a shipped config or the path of any config of mmdet,
mmpose or mmsegmentation. CHECKPOINT is a path, or any address that init_cfg of
type hrnet_plugin.Pretrained accepts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from hrnet_plugin.cli.run_options import load_config, make_run_parser
from hrnet_plugin.config_files import find_test_datasets
from hrnet_plugin.evaluation.record_hook import STORE
from hrnet_plugin.files import naming_disk_errors
from hrnet_plugin.hosts import find_host, host_of_config
from hrnet_plugin.training.launch import make_runner, processes
from hrnet_plugin.training.run_config import add_hook, set_load_from


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_run_parser('test', __doc__)
    words = sys.argv[1:] if argv is None else argv
    is_named = any(word.partition('=')[0] == '--checkpoint' for word in words)
    # required unless named: argparse would not match an optional positional argument after an option
    parser.add_argument('checkpoint', nargs='?' if is_named else None, help='path or address of a checkpoint')
    parser.add_argument('--checkpoint', dest='named_checkpoint', metavar='CHECKPOINT',
                        help='checkpoint as an option, for compatibility with mim')
    parser.add_argument('--out', metavar='FILE.pkl', help='write all predictions to this file')
    parser.add_argument('--show-dir', metavar='FOLDER',
                        help='save visualizations to this folder inside the log folder (segmentation: vis_data)')
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation with tta_model and tta_pipeline of the config')
    parser.add_argument('--record', nargs='?', const=STORE, metavar='FILE',
                        help=f'store the results for the leaderboard (default: {STORE})')
    parser.add_argument('--note', default='',
                        help='text that distinguishes the model in the leaderboard; requires --record')
    args = parser.parse_args(argv)
    args.checkpoint = args.named_checkpoint or args.checkpoint
    if args.note and args.record is None:
        parser.error('--note requires --record')
    return args


def apply_options(config: Config, args: argparse.Namespace) -> None:
    """Set the entries of the config that the command-line options define.

    Args:
        config: Config, changed in place.
        args: Parsed arguments.

    Raises:
        ValueError: ``--out`` does not end in ``.pkl`` or ``.pickle``. Or ``--show-dir`` is given for an unknown
            host. Or ``--tta`` is given and the config has no ``tta_model`` or ``tta_pipeline``. Or ``--out`` is given
            and the evaluator is one of several datasets.
    """
    set_load_from(config, args.checkpoint)
    add_hook(config, 'hrnet_plugin.DataCheckHook')
    add_hook(config, 'hrnet_plugin.ProcessLogHook')
    if args.tta:
        _apply_tta(config)
    if args.show_dir is not None:
        host_of_config(config).enable_drawing(config, args.show_dir)
    if args.record is not None:
        config.custom_hooks = [*(config.get('custom_hooks') or []),
                               dict(type='hrnet_plugin.RecordHook', store=args.record, note=args.note)]
    if args.out is not None:
        if Path(args.out).suffix not in ('.pkl', '.pickle'):
            raise ValueError(f'--out must end in .pkl or .pickle, got {args.out!r}')
        _add_dump(config, args.out)


def _add_dump(config: Config, file: str) -> None:
    """Add an evaluator that writes all predictions to a file."""
    evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
    several = [evaluator for evaluator in evaluators if 'metrics' in evaluator]
    if several:  # it gives the results on each dataset to one metric only
        raise ValueError('--out must be used with metrics in test_evaluator, got '
                         f'{several[0].get("type", "an evaluator of several datasets")}. Test each dataset alone')
    host = find_host(config.get('default_scope'))
    dump = host.result_dump if host else 'DumpResults'
    config.test_evaluator = [*evaluators, dict(type='hrnet_plugin.PredictionDump', dump=dump, out_file_path=file)]


def _apply_tta(config: Config) -> None:
    for entry in ('tta_model', 'tta_pipeline'):
        if config.get(entry) is None:
            host = find_host(config.get('default_scope'))
            raise ValueError(f'--tta requires the entry {entry!r} in the config, got none'
                             f'{host.tta_hint if host else ""}')
    config.model = dict(**config.tta_model, module=config.model)
    for dataset in find_test_datasets(config):
        dataset.pipeline = config.tta_pipeline


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if '://' not in args.checkpoint and not Path(args.checkpoint).is_file():
        raise FileNotFoundError(f'checkpoint must be a file or an address, got {args.checkpoint!r}')
    config = load_config(args)
    with processes(config), naming_disk_errors(config.work_dir):
        apply_options(config, args)
        make_runner(config).test()
