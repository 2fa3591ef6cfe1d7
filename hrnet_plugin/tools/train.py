"""Train a model: mim train hrnet_plugin CONFIG [options].

Works for configs of mmdet, mmpose and mmsegmentation alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import Config

from hrnet_plugin.tools.launch import load_any, load_config, make_parser, make_runner


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('--amp', nargs='?', const='fp16', choices=['fp16', 'bf16'],
                        help='mixed precision: fp16 (the default; needs a GPU), or bf16 in backbone and neck')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='go on from a checkpoint; without a name, from the last one in the work directory')
    return parser.parse_args(argv)


def apply_options(config: Config, args: argparse.Namespace) -> None:
    """Write the options of training into the config.

    Raises:
        ValueError: If ``--auto-scale-lr`` is given and the config does not say for which batch size its rate is.
    """
    if args.amp == 'fp16':
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.dtype = 'float16'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif args.amp == 'bf16':
        config.optim_wrapper.type = 'hrnet_plugin.BFloat16OptimWrapper'
        for entry in ('loss_scale', 'dtype'):  # of AmpOptimWrapper
            config.optim_wrapper.pop(entry, None)
    if args.auto_scale_lr:
        if 'base_batch_size' not in config.get('auto_scale_lr', {}):
            raise ValueError('--auto-scale-lr needs auto_scale_lr.base_batch_size in the config, got none')
        config.auto_scale_lr.enable = True
    if args.resume is not None:
        config.resume = True
        config.load_from = None if args.resume == 'auto' else args.resume
    if config.get('load_from') is not None and not config.get('resume'):
        load_any(config, config.load_from, part='backbone')  # heads of another number of classes start anew


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args)
    apply_options(config, args)
    make_runner(config).train()


if __name__ == '__main__':
    main()
