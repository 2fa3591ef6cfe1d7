"""Scaling of time and memory of backbone and neck with pixels, width and batch size.

    python benchmarks/growth.py [--rounds 5] [--out FILE.json] [--plot FILE.png]

Measures the inference time in the torch engine, and the memory that an eager training step saves for the backward
pass. Each series varies one parameter. The others are W18, 512 x 512 and batch size 1. For pixels and batch size,
prints the largest deviation from the best line through the origin.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import torch
from torch import nn

from hrnet_plugin.arch import arch_channels
from hrnet_plugin.evaluation.counting import count_call
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.experiments.benchmarking import describe, random_weights, saved_bytes, time_interleaved
from hrnet_plugin.models import HRFPN, HRNet

matplotlib.use('Agg')
from matplotlib import pyplot as plt

SERIES: dict[str, list[tuple[str, tuple[int, int], int]]] = {
    'pixels': [('w18', size, 1) for size in ((256, 256), (384, 384), (512, 512), (640, 640), (768, 768), (896, 896))],
    'width': [(arch, (512, 512), 1) for arch in ('w18', 'w32', 'w40', 'w48')],
    'batch': [('w18', (512, 512), batch) for batch in (1, 2, 4, 6)],
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5, help='number of measurements per point (default: 5)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='torch device (default: cuda if available)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    parser.add_argument('--plot', type=Path, metavar='FILE.png', help='draw the series to this file')
    return parser.parse_args(argv)


def prepare_point(arch: str, size: tuple[int, int], batch: int, device: str
                  ) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Measure the memory of a point of a series, and prepare the measurement of its time.

    Args:
        arch: Name of the architecture.
        size: Height and width of the images.
        batch: Batch size.
        device: Torch device.

    Returns:
        Record of the point, and the function to time.
    """
    model = random_weights(nn.Sequential(HRNet(arch), HRFPN(arch=arch))).to(device)
    images = torch.randn(batch, 3, *size, device=device)
    kept = saved_bytes(partial(model.train(), images), device)
    with torch.no_grad():
        count, _ = count_call(model, model.eval(), images)
    optimize_for_inference(model, 'torch')
    facts = dict(arch=arch, channels=arch_channels(arch)[0], size=list(size), batch=batch,
                 pixels=batch * size[0] * size[1], macs=count.macs, kept=kept)
    return facts, torch.no_grad()(partial(model, images))


def measure_series(args: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Measure all series. The points are timed in turns, so that temporary load does not change their relation."""
    points: dict[str, list[dict[str, Any]]] = {}
    runs = {}
    for name, settings in SERIES.items():
        points[name] = []
        for k, setting in enumerate(settings):
            facts, runs[f'{name} {k}'] = prepare_point(*setting, args.device)
            points[name].append(facts)
    for key, times in time_interleaved(runs, args.rounds).items():
        name, k = key.split()
        points[name][int(k)].update(seconds=times['seconds'], times=times['times'])
    return points


def deviation(points: Sequence[dict[str, Any]], y: str) -> float:
    """Return the largest relative deviation of a series from the line through the origin with the best relative fit.

    Args:
        points: Points of the series. ``pixels`` is the x coordinate.
        y: Key of the y coordinate.
    """
    rates = [point[y] / point['pixels'] for point in points]
    rate = sum(rates) / sum(r * r for r in rates)  # least squares of (rate * r - 1)
    return max(abs(rate * r - 1) for r in rates)


def draw(series: dict[str, list[dict[str, Any]]], target: Path) -> None:
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.5), layout='constrained')
    for column, (name, points) in enumerate(series.items()):
        for row, (y, unit, label) in enumerate((('seconds', 1, 'inference (s)'),
                                                ('kept', 2**20, 'saved for backward (MiB)'))):
            x, scale, text = _axis(name, y)
            axis = axes[row, column]
            axis.plot([point[x] / scale for point in points], [point[y] / unit for point in points], marker='o')
            axis.set(xlim=(0, None), ylim=(0, None), xlabel=text, ylabel=label if column == 0 else None)
        axes[0, column].set_title(name)
    figure.savefig(target, dpi=110)


def _axis(name: str, y: str) -> tuple[str, float, str]:
    if name != 'width':
        return 'pixels', 1e6, 'pixels (1e6)'
    return ('macs', 1e9, 'multiply-adds (1e9)') if y == 'seconds' else ('channels', 1, 'channels of the finest branch')


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    torch.manual_seed(0)
    series = measure_series(args)
    for name, points in series.items():
        for entry in points:
            print(f'{name}: {entry["arch"]} {entry["size"][0]} x {entry["size"][1]}, batch {entry["batch"]}: '
                  f'{entry["seconds"]:.3f} s, {entry["kept"] / 2**20:.0f} MiB')
        if name != 'width':
            print(f'{name}: deviation from a line at most {deviation(points, "seconds"):.0%} in time, '
                  f'{deviation(points, "kept"):.0%} in memory')
    if args.out is not None:
        setting = dict(describe(args.device), rounds=args.rounds)
        args.out.write_text(json.dumps(dict(setting=setting, series=series), indent=1) + '\n')
    if args.plot is not None:
        draw(series, args.plot)


if __name__ == '__main__':
    main()
