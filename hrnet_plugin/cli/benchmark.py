"""Compare speed and memory of models.

    hrnet benchmark --config A --config B --shape 800 1344 [options]

Measures backbone and neck of each config with random weights, interleaved in
one process. For inference, networks of this package are also measured with the
torch engine. Each figure is the median of all rounds. The ratio is the time of
the first config divided by that of the row. The convolution share is the time
of all MACs at the measured rate of large 3x3 convolutions, divided by the
measured time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.config_files import find_config
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.experiments.benchmarking import Machine, describe, measure, measure_machine, network
from hrnet_plugin.files import atomic_write
from hrnet_plugin.hosts import config_image_channels

AMP = {'fp16': torch.float16, 'bf16': torch.bfloat16}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('benchmark', __doc__)
    parser.add_argument('--config', action='append', required=True, metavar='CONFIG',
                        help='name of a shipped config, or path of any config; repeatable')
    parser.add_argument('--shape', type=int, nargs=2, required=True, metavar=('H', 'W'),
                        help='height and width of the images in pixels')
    parser.add_argument('--batch', type=int, default=1, help='batch size (default: 1)')
    parser.add_argument('--rounds', type=int, default=5, help='number of measurements per model (default: 5)')
    parser.add_argument('--train', action='store_true',
                        help='measure training steps (forward and backward) instead of inference')
    parser.add_argument('--amp', choices=AMP, help='autocast with this precision')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='torch device (default: cuda if available)')
    parser.add_argument('--out', type=Path, metavar='FILE.json',
                        help='write all figures, hardware and versions to this file')
    args = parser.parse_args(argv)
    for name, value in (('--shape', min(args.shape)), ('--batch', args.batch), ('--rounds', args.rounds)):
        if value < 1:
            parser.error(f'{name} must be at least 1, got {value}')
    if len(set(args.config)) < len(args.config):
        parser.error(f'--config must name different configs, got {args.config}')
    return args


def load_configs(names: Sequence[str]) -> dict[str, Config]:
    """Load configs with models for the same images.

    Args:
        names: Names or paths of configs.

    Returns:
        Name -> config.

    Raises:
        ValueError: A config has no model, or the models have different numbers of image channels.
    """
    configs = {name: find_config(name) for name in names}
    for name, config in configs.items():
        if config.get('model') is None:
            raise ValueError(f'{name} must have the entry model, got none')
    channels = {name: config_image_channels(config.model) for name, config in configs.items()}
    if len({*channels.values()}) > 1:
        raise ValueError(f'--config must name models with the same number of image channels, got {channels}. Measure '
                         'the others in a separate call')
    return configs


def build_networks(configs: Mapping[str, Config], train: bool, device: str) -> dict[str, nn.Module]:
    """Build the network of each config and, for inference, a copy for the torch engine.

    Args:
        configs: Name or path -> config.
        train: Whether training is measured, which needs no copies.
        device: Torch device.

    Returns:
        Title -> network.

    Raises:
        ValueError: A model has no backbone.
    """
    networks = {}
    for name, config in configs.items():
        model = network(config.model, config.get('default_scope', 'mmengine')).to(device)
        namesakes = [other for other in configs if Path(other).stem == Path(name).stem]
        title = Path(name).stem if len(namesakes) == 1 else name
        networks[title] = model
        if train:
            continue
        with suppress(ValueError):  # the engine does not support networks of other packages
            networks[f'{title}, torch engine'] = optimize_for_inference(deepcopy(model), 'torch')
    return networks


_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    'seconds': ('seconds', lambda value: f'{value:.4f}'),
    'ratio': ('ratio', lambda value: f'{value:.2f}'),
    'macs': ('MACs (1e9)', lambda value: f'{value / 1e9:.2f}'),
    'operators': ('operators', str),
    'kept': ('saved (MiB)', lambda value: f'{value / 2**20:.0f}'),
    'peak': ('peak (MiB)', lambda value: f'{value / 2**20:.0f}'),
    'conv_share': ('conv share', lambda value: f'{value:.0%}'),
}


def table(records: Mapping[str, Mapping[str, float]]) -> str:
    """Return the results as text, one network per line."""
    keys = [key for key in _COLUMNS if any(key in record for record in records.values())]
    width = max(map(len, records))
    lines = [' ' * width + ''.join(f'{_COLUMNS[key][0]:>12}' for key in keys)]
    for name, record in records.items():
        cells = (_COLUMNS[key][1](record[key]) if key in record else '-' for key in keys)
        lines.append(f'{name:{width}}' + ''.join(f'{cell:>12}' for cell in cells))
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    torch.manual_seed(0)
    amp = AMP.get(args.amp)
    configs = load_configs(args.config)
    channels = config_image_channels(configs[args.config[0]].model)
    machine: Machine | None = None if args.train else measure_machine(args.device, amp or torch.float32)
    images = torch.randn(args.batch, channels, *args.shape, device=args.device)
    with progress(f'measuring {args.rounds} rounds'):
        records = measure(build_networks(configs, args.train, args.device), images, args.rounds, args.train, amp,
                          machine)
    print_text(table(records))
    if machine is not None:
        print_text(f'this machine: {machine.macs / 1e9:.1f} GMAC/s in large 3x3 convolutions, '
                   f'{machine.bytes / 1e9:.1f} GB/s in sums of large tensors')
    if args.out is not None:
        setting = dict(describe(args.device), shape=args.shape, batch=args.batch, rounds=args.rounds, amp=args.amp,
                       training=args.train, machine=machine and asdict(machine))
        with atomic_write(args.out) as scratch:
            scratch.write_text(json.dumps(dict(setting=setting, networks=records), indent=1) + '\n', encoding='utf-8')
