"""Evaluate a model: mim test hrnet_plugin CONFIG --checkpoint FILE [options].

Works for configs of mmdet, mmpose and mmsegmentation alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from hrnet_plugin.config_files import tested_dataset
from hrnet_plugin.hooks.record import STORE
from hrnet_plugin.run_config import load_any
from hrnet_plugin.tools.launch import load_config, make_parser, make_runner

# Each host's entries of its visualization hook that turn drawing on and name the folder for pictures.
_DRAWING = {
    'mmdet': ('draw', 'test_out_dir'),
    'mmpose': ('enable', 'out_dir'),
    'mmseg': ('draw', None),  # draws with the visualizer, into its folder of logs
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('checkpoint', help='weights: a path, or any address that hrnet_plugin.Pretrained takes')
    parser.add_argument('--out', metavar='FILE.pkl', help='write all predictions to this file')
    parser.add_argument('--show-dir', metavar='FOLDER',
                        help='draw predictions into this folder of the run\'s own one (segmentation: of its vis_data)')
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation, as the config\'s entries tta_model and tta_pipeline have it')
    parser.add_argument('--record', nargs='?', const=STORE, metavar='FILE',
                        help=f'keep the results for the leaderboard ({STORE})')
    parser.add_argument('--note', default='', help='what sets the model apart from others of its kind, for --record')
    args = parser.parse_args(argv)
    if args.note and args.record is None:
        parser.error('--note is of a record: it needs --record')
    return args


def apply_options(config: Config, args: argparse.Namespace) -> None:
    """Write the options of testing into the config.

    Raises:
        ValueError: If ``--out`` is not a pickle's name, ``--show-dir`` is given for a host that is not known, or
            ``--tta`` for a config without ``tta_model`` and ``tta_pipeline``.
    """
    load_any(config, args.checkpoint)
    if args.tta:
        _augment_tests(config)
    if args.show_dir is not None:
        _draw_into(config, args.show_dir)
    if args.record is not None:
        config.custom_hooks = [*(config.get('custom_hooks') or []),
                               dict(type='hrnet_plugin.RecordHook', store=args.record, note=args.note)]
    if args.out is not None:
        if Path(args.out).suffix not in ('.pkl', '.pickle'):
            raise ValueError(f'--out must end in .pkl or .pickle, got {args.out!r}')
        # mmdet's own dump also packs masks
        dump = 'DumpDetResults' if config.get('default_scope') == 'mmdet' else 'DumpResults'
        evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
        config.test_evaluator = [*evaluators, dict(type=dump, out_file_path=args.out)]


def _augment_tests(config: Config) -> None:
    for entry in ('tta_model', 'tta_pipeline'):
        if config.get(entry) is None:
            hint = ('; pose models average the mirror image where model.test_cfg.flip_test is True'
                    if config.get('default_scope') == 'mmpose' else '')
            raise ValueError(f'--tta needs the entry {entry!r} in the config, got none{hint}')
    config.model = dict(**config.tta_model, module=config.model)
    tested_dataset(config).pipeline = config.tta_pipeline


def _draw_into(config: Config, folder: str) -> None:
    scope = config.get('default_scope')
    hook = config.get('default_hooks', {}).get('visualization')
    if scope not in _DRAWING or hook is None:
        raise ValueError(f'--show-dir needs a config of {", ".join(_DRAWING)} with a visualization hook, '
                         f'got one of {scope!r}')
    switch, place = _DRAWING[scope]
    hook[switch] = True
    hook['interval'] = 1
    if place is not None:
        hook[place] = folder
        return
    for backend in config.visualizer.vis_backends:
        if backend.type == 'LocalVisBackend':
            backend.img_save_dir = folder


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args)
    apply_options(config, args)
    make_runner(config).test()


if __name__ == '__main__':
    main()
