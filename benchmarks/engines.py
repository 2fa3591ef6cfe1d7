"""Speed of inference engines: the network of the plugin, and that of mmdet in the same engines.

    python benchmarks/engines.py [--arch w18 w32] [--size 800 1344 512 512 256 192] [--rounds 7] [--out FILE.json]
                                 [--plot FILE.png]

All networks of a case have the same weights and are measured interleaved, in one process, with batch size 1. The size
256 x 192 is that of pose estimation: the finest branch without a neck. Ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import io
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from speed import POSE, build_networks, make_parser
from torch import Tensor, nn

from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.execution.onnxruntime_engine import compile_for_onnxruntime
from hrnet_plugin.execution.openvino_engine import compile_for_openvino
from hrnet_plugin.experiments.benchmarking import describe, time_interleaved

COMPILERS = {'openvino': compile_for_openvino, 'onnxruntime': compile_for_onnxruntime}
MANY_IMAGES = 10**6

Forward = Callable[[Tensor], Any]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('--rounds', type=int, default=7, help='number of measurements per network (default: 7)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    parser.add_argument('--plot', type=Path, metavar='FILE.png', help='draw the ratios to this file')
    args = parser.parse_args(argv)
    if len(args.size) % 2:
        parser.error(f'--size must be pairs of height and width, got {args.size}')
    return args


def export_upstream(model: nn.Module, images: Tensor) -> bytes:
    """Export a network as it is to ONNX, with dynamic sizes."""
    class Tuple(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            return tuple(self.model(x))

    file: Any = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(Tuple(), (images, ), file, opset_version=17, dynamo=False, input_names=['input_0'],
                          dynamic_axes={'input_0': {0: 'batch', 2: 'height', 3: 'width'}})
    return file.getvalue()


def build_forwards(arch: str, images: Tensor) -> dict[str, Forward]:
    """Return title -> forward pass. The eager network of mmdet is the first one."""
    networks = build_networks(arch, tuple(images.shape[2:]) == POSE, False, True)
    theirs, ours = networks['mmdet'].eval(), networks['ours'].eval()
    forwards: dict[str, Forward] = {'mmdet, eager': theirs, 'ours, eager': ours}
    for engine in ('torch', *COMPILERS, 'auto'):
        forwards[f'ours, {engine}'] = optimize_for_inference(deepcopy(ours), engine, MANY_IMAGES)
    exported = export_upstream(theirs, images)
    return {**forwards, **{f'mmdet, {engine}': compiler(exported) for engine, compiler in COMPILERS.items()}}


def relative_error(outs: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest difference, divided by the largest value of each output."""
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(outs, expected))


@torch.no_grad()
def measure_case(arch: str, size: tuple[int, int], rounds: int) -> dict[str, dict[str, Any]]:
    """Measure all networks of one case.

    Returns:
        Title -> record: ``preparation`` (seconds of the first call), ``relative_error``, ``times``, ``seconds`` and
        ``ratio`` (time of eager mmdet divided by that of the network).
    """
    torch.manual_seed(0)
    images = torch.randn(1, 3, *size)
    forwards = build_forwards(arch, images)
    records: dict[str, dict[str, Any]] = {}
    expected: list[Tensor] = []
    for title, forward in forwards.items():
        begin = time.perf_counter()
        outs = list(forward(images))
        records[title] = dict(preparation=time.perf_counter() - begin)
        expected = expected or outs
        records[title]['relative_error'] = relative_error(outs, expected)
    runs: Mapping[str, Callable[[], Any]] = {title: partial(forward, images) for title, forward in forwards.items()}
    for title, times in time_interleaved(runs, rounds).items():
        records[title].update(times)
    return records


def summarize(records: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the ratios that compare engines and networks, medians over the rounds.

    ``auto / best``: speed of 'auto' relative to the fastest network in an engine other than torch. ``ours / mmdet in
    ENGINE``: speed of the plugin's network relative to that of mmdet in the same engine.
    """
    def ratio(slow: str, fast: str) -> float:
        pairs = zip(records[slow]['times'], records[fast]['times'])
        return float(torch.tensor([a / b for a, b in pairs]).median())

    others = [title for title in records if title.endswith(tuple(COMPILERS))]
    best = min(others, key=lambda title: records[title]['seconds'])
    return {'auto / best': ratio(best, 'ours, auto'),
            **{f'ours / mmdet in {engine}': ratio(f'mmdet, {engine}', f'ours, {engine}') for engine in COMPILERS}}


def name(arch: str, size: Sequence[int]) -> str:
    """Return the name of a case, such as 'W18 800 x 1344'."""
    return f'{arch.upper()} {size[0]} x {size[1]}'


def plot(cases: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw how many times as fast as eager mmdet each network is."""
    from matplotlib import pyplot as plt
    titles = list(cases[0]['networks'])[1:]
    figure, axis = plt.subplots(figsize=(11, 4.5))
    width = 0.8 / len(titles)
    for number, title in enumerate(titles):
        places = [place + (number - len(titles) / 2 + 0.5) * width for place in range(len(cases))]
        axis.bar(places, [case['networks'][title]['ratio'] for case in cases], width, label=title)
    axis.set_xticks(range(len(cases)), [name(case['arch'], case['size']).replace(' ', '\n', 1) for case in cases])
    axis.axhline(1, color='gray', linewidth=0.8)
    axis.set_ylabel('times as fast as mmdet, eager')
    axis.legend(ncol=4, loc='upper center', bbox_to_anchor=(0.5, 1.2), fontsize=9)
    figure.savefig(path, dpi=110, bbox_inches='tight')


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    cases = []
    for arch in args.arch:
        for size in zip(args.size[::2], args.size[1::2]):
            records = measure_case(arch, size, args.rounds)
            for title, record in records.items():
                print(f'{name(arch, size)}: {title} {record["seconds"]:.3f} s, {record["ratio"]:.2f} times as fast, '
                      f'error {record["relative_error"]:.0e}, first call {record["preparation"]:.1f} s', flush=True)
            summary = summarize(records)
            comparison = ', '.join(f'{key} {value:.2f}' for key, value in summary.items())
            print(f'{name(arch, size)}: {comparison}', flush=True)
            cases.append(dict(arch=arch, size=list(size), summary=summary, networks=records))
    if args.out is not None:
        setting = dict(describe('cpu'), rounds=args.rounds)
        args.out.write_text(json.dumps(dict(setting=setting, cases=cases), indent=1) + '\n')
    if args.plot is not None:
        plot(cases, args.plot)


if __name__ == '__main__':
    main()
