"""Summarize a training run.

    hrnet report WORK_DIR [options]

Prints the metrics of each evaluation, such as average precision or mean IoU.
Writes curve.png (loss and metrics per iteration) to the work directory. If the
run was tested with `--show-dir pictures`, also writes `pictures.png`.
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
    parser.add_argument('--count', type=int, default=6, help='number of images in `pictures.png` (default: 6)')
    return parser.parse_args(argv)


def find_metrics(records: Sequence[Mapping[str, float]]) -> tuple[Host, tuple[Metric, ...]]:
    """Return the host of a run and the metrics that it logged.

    Args:
        records: Logged scalars of the run, in order.

    Raises:
        FileNotFoundError: The run has no evaluation of a supported host.
    """
    logged = {key: 0 for record in records for key in record}
    for host in HOSTS.values():
        found = tuple(metric for metric in host.metrics if metric.is_in(logged))
        if found:
            return host, found
    first = ', '.join(host.metrics[0].key for host in HOSTS.values())
    raise FileNotFoundError(f'the run must have logged an evaluation, such as {first}, got none')


def percent(metric: Metric, record: Mapping[str, float]) -> float:
    """Return a logged value in percent. NaN if it is missing, or undefined (-1 in the COCO API)."""
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
    evaluations, steps = [], []
    for i, record in enumerate(records):
        if metrics[0].key in record:
            evaluations.append(record)
            steps.append(max((r['step'] for r in records[:i] if 'loss' in r), default=0))
    figure, loss_axis = plt.subplots(figsize=(7, 4), layout='constrained')
    loss_axis.plot([r['step'] for r in training], [r['loss'] for r in training], color='tab:gray')
    loss_axis.set(xlabel='iteration', ylabel='training loss (gray)', ylim=(0, None))
    axis = loss_axis.twinx()
    for metric in (metric for metric in metrics if metric.is_drawn):
        axis.plot(steps, [percent(metric, r) for r in evaluations], marker='o', label=metric.name,
                  linewidth=2.5 if metric is metrics[0] else 1)
    axis.set(ylabel=host.metrics_title, ylim=(0, 100))
    axis.legend(loc='best', ncols=2)
    figure.savefig(target, dpi=120)
    plt.close(figure)


def draw_image_grid(folder: Path, count: int, target: Path) -> None:
    """Draw evenly spaced images of a folder in a grid of two columns.

    Args:
        folder: Folder with PNG and JPEG files, searched recursively.
        count: Largest number of images.
        target: Image file to write.

    Raises:
        FileNotFoundError: The folder has no images.
    """
    files = sorted(file for file in folder.rglob('*') if file.suffix in ('.png', '.jpg'))
    if not files:
        raise FileNotFoundError(f'--pictures must be a folder with .png or .jpg files, got {folder} without any')
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
    images = [cv2.imread(str(file)) for file in chosen]
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    grid = np.full((-(-len(images) // 2) * (height + 8), 2 * (width + 8), 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // 2 * (height + 8), i % 2 * (width + 8)
        grid[y:y + image.shape[0], x:x + image.shape[1]] = image
    cv2.imwrite(str(target), grid)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    records = read_scalars(args.work_dir)
    host, metrics = find_metrics(records)
    print(table(metrics, records))
    draw_curve(host, metrics, records, args.work_dir / 'curve.png')
    print(args.work_dir / 'curve.png')
    # mmsegmentation writes visualizations to vis_data
    folders = sorted([*args.work_dir.glob('*/pictures'), *args.work_dir.glob('*/vis_data/pictures')])
    if args.pictures or folders:
        draw_image_grid(args.pictures or folders[-1], args.count, args.work_dir / 'pictures.png')
        print(args.work_dir / 'pictures.png')
