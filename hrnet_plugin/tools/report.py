"""Show how a run went: mim run hrnet_plugin report WORK_DIR [options].

Prints the table of what the run measured (average precision of boxes or keypoints, or mean IoU), and draws
``curve.png`` (loss and that figure over the iterations) and, where the run was tested with ``--show-dir pictures``,
``pictures.png`` into the work directory.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np

mpl.use('Agg')
from matplotlib import pyplot as plt

from hrnet_plugin.leaderboard.metrics import KEYS
from hrnet_plugin.run_logs import read_scalars


@dataclass(frozen=True)
class Measure:
    """What one kind of evaluation logs: the first of ``columns`` (title -> key) is the figure that counts."""

    columns: dict[str, str]
    curves: tuple[str, ...]
    label: str
    percent: bool = False

    @property
    def key(self) -> str:
        return next(iter(self.columns.values()))

    def value(self, record: dict[str, Any], title: str) -> float:
        """In per cent; not a number where it was not logged, or where COCO's tools had nothing to measure (-1)."""
        value = record.get(self.columns[title], -1)
        return float('nan') if value < 0 else value * (1 if self.percent else 100)


MEASURES = (
    Measure({title: KEYS['detection'][name] for title, name in {
        'AP': 'AP', 'AP50': 'AP50', 'AP75': 'AP75', 'small': 'APs', 'medium': 'APm', 'large': 'APl'}.items()},
            ('AP', 'small', 'medium', 'large'), 'box AP (%)'),
    Measure({title: KEYS['pose'][name] for title, name in {
        'AP': 'AP', 'AP50': 'AP50', 'AP75': 'AP75', 'medium': 'APm', 'large': 'APl', 'AR': 'AR'}.items()},
            ('AP', 'medium', 'large'), 'keypoint AP (%)'),
    Measure(KEYS['segmentation'], ('mIoU', 'mAcc', 'aAcc'), 'mIoU, accuracies (%)', True),
)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', type=Path, help='work directory of mim train')
    parser.add_argument('--pictures', type=Path, help='folder of pictures (the newest below the work directory)')
    parser.add_argument('--count', type=int, default=6, help='number of pictures to show (6)')
    return parser.parse_args(argv)


def measure_of(records: Sequence[dict[str, Any]]) -> Measure:
    """What a run was evaluated by.

    Raises:
        FileNotFoundError: If it logged no evaluation that is known here.
    """
    for measure in MEASURES:
        if any(measure.key in record for record in records):
            return measure
    raise FileNotFoundError('the run has logged no evaluation yet, or one without any of '
                            + ', '.join(measure.key for measure in MEASURES))


def table(measure: Measure, records: Sequence[dict[str, Any]]) -> str:
    """The evaluations, one a line, in per cent."""
    lines = [f'{"step":>6}' + ''.join(f'{title:>8}' for title in measure.columns)]
    for record in records:
        if measure.key in record:
            cells = (measure.value(record, title) for title in measure.columns)
            lines.append(f'{record["step"]:>6}' + ''.join(f'{cell:8.1f}' for cell in cells))
    return '\n'.join(lines)


def draw_curve(measure: Measure, records: Sequence[dict[str, Any]], target: Path) -> None:
    """Loss at every logged iteration, and figures at the iteration that was logged before each evaluation."""
    training = [record for record in records if 'loss' in record]
    evaluations, places = [], []
    for i, record in enumerate(records):
        if measure.key in record:
            evaluations.append(record)
            places.append(max((r['step'] for r in records[:i] if 'loss' in r), default=0))
    figure, loss_axis = plt.subplots(figsize=(7, 4), layout='constrained')
    loss_axis.plot([r['step'] for r in training], [r['loss'] for r in training], color='tab:gray')
    loss_axis.set(xlabel='iteration', ylabel='training loss (gray)', ylim=(0, None))
    axis = loss_axis.twinx()
    for title in measure.curves:
        axis.plot(places, [measure.value(r, title) for r in evaluations], marker='o', label=title,
                  linewidth=2.5 if title == measure.curves[0] else 1)
    axis.set(ylabel=measure.label, ylim=(0, 100))
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
    measure = measure_of(records)
    print(table(measure, records))
    draw_curve(measure, records, args.work_dir / 'curve.png')
    print(args.work_dir / 'curve.png')
    # mmsegmentation draws into its folder of logs
    folders = sorted([*args.work_dir.glob('*/pictures'), *args.work_dir.glob('*/vis_data/pictures')])
    if args.pictures or folders:
        draw_pictures(args.pictures or folders[-1], args.count, args.work_dir / 'pictures.png')
        print(args.work_dir / 'pictures.png')


if __name__ == '__main__':
    try:
        main()
    except OSError as error:
        raise SystemExit(f'report: {error}') from None
