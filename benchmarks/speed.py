"""Speed of backbone and neck, compared with those of mmdet with the same weights.

    python benchmarks/speed.py [--arch w18 w32] [--size 800 1344 512 512] [--batch 1] [--rounds 5] [--train]
                               [--norm-eval no] [--amp fp16] [--out FILE.json]

Measures these networks, interleaved in one process:

- HRNet + HRFPN of mmdet and of the plugin.
- The plugin's network in the torch engine. Inference only.
- The plugin's network with ``memory='lean'``. Training with ``--norm-eval no`` only.
- ResNet-50 (for W18) or ResNet-101 (for other widths) with the FPN of mmdet.

The size 256 x 192 is that of pose estimation: the finest branch without a neck. The ratio is the time of mmdet divided
by that of the network, median over the rounds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mmdet.models.backbones import HRNet as UpstreamHRNet
from mmdet.models.backbones import ResNet
from mmdet.models.necks import FPN
from mmdet.models.necks import HRFPN as UpstreamHRFPN
from torch import nn

from hrnet_plugin.arch import ARCHS, arch_channels
from hrnet_plugin.cli.benchmark import AMP
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.experiments.benchmarking import describe, measure, measure_machine, random_weights, upstream_extra
from hrnet_plugin.models import HRFPN, HRNet

POSE = (256, 192)


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that select the cases."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--arch', nargs='+', default=['w18', 'w32'], choices=ARCHS,
                        help='architectures of HRNet (default: w18 w32)')
    parser.add_argument('--size', type=int, nargs='+', default=[800, 1344, 512, 512, 256, 192], metavar='H W',
                        help='heights and widths of the images (default: 800 1344 512 512 256 192)')
    return parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('--batch', type=int, nargs='+', default=[1], help='batch sizes (default: 1)')
    parser.add_argument('--rounds', type=int, default=5, help='number of measurements per network (default: 5)')
    parser.add_argument('--train', action='store_true', help='measure training steps instead of inference')
    parser.add_argument('--norm-eval', choices=['yes', 'no'], default='yes',
                        help='whether to freeze batch norm in training (default: yes, as in mmdet)')
    parser.add_argument('--amp', choices=AMP, help='precision of autocast')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='torch device (default: cuda if available)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    args = parser.parse_args(argv)
    if len(args.size) % 2:
        parser.error(f'--size must be pairs of height and width, got {args.size}')
    return args


def build_networks(arch: str, pose: bool, train: bool, norm_eval: bool) -> dict[str, nn.Module]:
    """Build the networks to compare. That of mmdet is the first, and all HRNets have its weights.

    Args:
        arch: Architecture of HRNet.
        pose: Whether to build networks for pose estimation, with one output and without a neck.
        train: Whether training is measured.
        norm_eval: Whether batch norm is frozen in training.

    Returns:
        Title -> network.
    """
    channels = list(arch_channels(arch))
    options: dict[str, Any] = dict(multiscale_output=not pose, norm_eval=norm_eval)

    def joined(backbone: nn.Module, neck: nn.Module) -> nn.Module:
        return nn.Sequential(backbone, nn.Identity() if pose else neck)

    theirs = random_weights(joined(UpstreamHRNet(upstream_extra(arch), **options), UpstreamHRFPN(channels, 256)))
    models = {'mmdet': theirs, 'ours': joined(HRNet(arch, **options), HRFPN(channels, 256))}
    if train and not norm_eval:  # memory='lean' has no effect on frozen batch norm
        models['ours, lean'] = joined(HRNet(arch, memory='lean', **options), HRFPN(channels, 256))
    for name in list(models)[1:]:
        models[name].load_state_dict(theirs.state_dict())
    if not train:
        models['ours, torch engine'] = optimize_for_inference(deepcopy(models['ours']), 'torch')
    if not pose:
        depth = 50 if arch == 'w18' else 101
        models[f'ResNet-{depth}'] = random_weights(nn.Sequential(
            ResNet(depth, norm_eval=norm_eval), FPN([256, 512, 1024, 2048], 256, num_outs=5)))
    return models


def show(title: str, records: dict[str, dict[str, Any]]) -> None:
    for name, record in records.items():
        line = f'{title}: {name} {record["seconds"]:.3f} s, {record["ratio"]:.2f} times as fast as mmdet\'s'
        if 'kept' in record:
            line += (f', saves {record["kept"] / 2**20:.0f} MiB for backward '
                     f'({record["kept"] / records["mmdet"]["kept"]:.2f} of mmdet\'s)')
        if 'conv_share' in record:
            line += f', {record["conv_share"]:.0%} of the peak rate of convolutions'
        print(f'{line}, {record["operators"]} operators', flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    amp = AMP.get(args.amp)
    cases = []
    for arch in args.arch:
        for size in zip(args.size[::2], args.size[1::2]):
            for batch in args.batch:
                torch.manual_seed(0)
                # measured for each case, since the rate of a shared machine changes
                machine = None if args.train else measure_machine(args.device, amp or torch.float32)
                models = build_networks(arch, size == POSE, args.train, args.norm_eval == 'yes')
                for model in models.values():
                    model.to(args.device)
                images = torch.randn(batch, 3, *size, device=args.device)
                records = measure(models, images, args.rounds, args.train, amp, machine)
                show(f'{arch} {size[0]} x {size[1]}, batch {batch}', records)
                cases.append(dict(arch=arch, size=list(size), batch=batch, machine=machine and asdict(machine),
                                  networks=records))
    if args.out is not None:
        setting = dict(describe(args.device), training=args.train, norm_eval=args.norm_eval, amp=args.amp,
                       rounds=args.rounds)
        args.out.write_text(json.dumps(dict(setting=setting, cases=cases), indent=1) + '\n')


if __name__ == '__main__':
    main()
