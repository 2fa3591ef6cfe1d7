"""Summarize a training run.

    hrnet report WORK_DIR [options]

Prints the metrics of each evaluation: average precision of boxes or keypoints,
or mean IoU. Writes curve.png (loss and metrics per iteration) and, if the run
was tested with --show-dir pictures, pictures.png to the work directory.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

mpl.use('Agg')
from matplotlib import pyplot as plt

from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.hosts import HOSTS, Host, Metric
from hrnet_plugin.training.run_logs import read_scalars


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('report', __doc__)
    parser.add_argument('work_dir', type=Path, help='work directory of a training run')
    parser.add_argument('--pictures', type=Path,
                        help='folder of visualizations (default: the newest below the work directory)')
    parser.add_argument('--count', type=int, default=6, help='number of images in pictures.png (default: 6)')
    return parser.parse_args(argv)


def find_metrics(records: Sequence[Mapping[str, float]]) -> tuple[Host, tuple[Metric, ...]]:
    """Return the host of a run and the metrics that it logged.

    Args:
        records: What the run logged, by step.

    Raises:
        FileNotFoundError: The run logged no evaluation of a known host.
    """
    logged = {key: 0 for record in records for key in record}
    for host in HOSTS.values():
        found = tuple(metric for metric in host.metrics if metric.is_in(logged))
        if found:
            return host, found
    first = ', '.join(host.metrics[0].key for host in HOSTS.values())
    raise FileNotFoundError(f'the run must have logged an evaluation, such as {first}, got none')


def percent(metric: Metric, record: Mapping[str, float]) -> float:
    """Return a logged value in percent. NaN if it was not logged, or not defined (-1 of the COCO API)."""
    value = record.get(metric.key, -1)
    return float('nan') if value < 0 else metric.in_percent(value)


def table(metrics: Sequence[Metric], records: Sequence[Mapping[str, float]]) -> str:
    """Return the evaluations as text, one per line, in percent."""
    width = max(8, *(len(metric.name) + 2 for metric in metrics))
    lines = [f'{"step":>6}' + ''.join(f'{metric.name:>{width}}' for metric in metrics)]
    for record in records:
        if metrics[0].key in record:
            cells = (f'{percent(metric, record):{width}.1f}' for metric in metrics)
            lines.append(f'{record["step"]:>6}' + ''.join(cells))
    return '\n'.join(lines)


def draw_curve(host: Host, metrics: Sequence[Metric], records: Sequence[Mapping[str, float]], target: Path) -> None:
    """Draw the loss of each logged iteration, and the metrics of each evaluation at the last iteration before it."""
    training = [record for record in records if 'loss' in record]
    evaluations, places = [], []
    for i, record in enumerate(records):
        if metrics[0].key in record:
            evaluations.append(record)
            places.append(max((r['step'] for r in records[:i] if 'loss' in r), default=0))
    figure, loss_axis = plt.subplots(figsize=(7, 4), layout='constrained')
    loss_axis.plot([r['step'] for r in training], [r['loss'] for r in training], color='tab:gray')
    loss_axis.set(xlabel='iteration', ylabel='training loss (gray)', ylim=(0, None))
    axis = loss_axis.twinx()
    for metric in (metric for metric in metrics if metric.is_drawn):
        axis.plot(places, [percent(metric, r) for r in evaluations], marker='o', label=metric.name,
                  linewidth=2.5 if metric is metrics[0] else 1)
    axis.set(ylabel=host.metrics_title, ylim=(0, 100))
    axis.legend(loc='best', ncols=2)
    figure.savefig(target, dpi=120)
    plt.close(figure)


def draw_pictures(folder: Path, count: int, target: Path) -> None:
    """``count`` of the pictures in a folder, evenly chosen, in two columns.

    Raises:
        FileNotFoundError: If the folder holds no pictures.
    """
    files = sorted(file for file in folder.rglob('*') if file.suffix in ('.png', '.jpg'))
    if not files:
        raise FileNotFoundError(f'{folder} must hold pictures, got none')
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
    pictures = [cv2.imread(str(file)) for file in chosen]
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    sheet = np.full((-(-len(pictures) // 2) * (height + 8), 2 * (width + 8), 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // 2 * (height + 8), i % 2 * (width + 8)
        sheet[y:y + picture.shape[0], x:x + picture.shape[1]] = picture
    cv2.imwrite(str(target), sheet)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    records = read_scalars(args.work_dir)
    host, metrics = find_metrics(records)
    print(table(metrics, records))
    draw_curve(host, metrics, records, args.work_dir / 'curve.png')
    print(args.work_dir / 'curve.png')
    # mmsegmentation draws into its folder of logs
    folders = sorted([*args.work_dir.glob('*/pictures'), *args.work_dir.glob('*/vis_data/pictures')])
    if args.pictures or folders:
        draw_pictures(args.pictures or folders[-1], args.count, args.work_dir / 'pictures.png')
        print(args.work_dir / 'pictures.png')
