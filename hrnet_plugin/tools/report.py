"""Show how a run went: mim run hrnet_plugin report WORK_DIR [options].

Prints the table of average precision, and draws ``curve.png`` (loss and average precision over the iterations) and,
where the run was tested with ``--show-dir pictures``, ``pictures.png`` (truth on the left, predictions on the right)
into the work directory.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np

mpl.use('Agg')
from matplotlib import pyplot as plt

_METRICS = ('bbox_mAP', 'bbox_mAP_50', 'bbox_mAP_75', 'bbox_mAP_s', 'bbox_mAP_m', 'bbox_mAP_l')
_TITLES = ('AP', 'AP50', 'AP75', 'small', 'medium', 'large')


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', type=Path, help='work directory of mim train')
    parser.add_argument('--pictures', type=Path, help='folder of pictures (the newest below the work directory)')
    parser.add_argument('--count', type=int, default=6, help='number of pictures to show (6)')
    return parser.parse_args(argv)


def read_scalars(work_dir: Path) -> list[dict[str, Any]]:
    """What the newest run in a work directory logged, after what the runs logged that it resumed.

    Raises:
        FileNotFoundError: If there are none.
    """
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'{work_dir} must be the work directory of a training run, '
                                'got one without */vis_data/scalars.json')
    records: list[dict[str, Any]] = []
    for file in reversed(files):
        records = [json.loads(line) for line in file.read_text().splitlines() if line.strip()] + records
        if records and records[0].get('epoch', 1) == 1:
            break
    return records


def table(evaluations: Sequence[dict[str, Any]]) -> str:
    """The evaluations, one a line, in per cent."""
    lines = [f'{"epoch":>6}' + ''.join(f'{title:>8}' for title in _TITLES)]
    for record in evaluations:
        cells = (100 * record.get(f'coco/{metric}', float('nan')) for metric in _METRICS)
        lines.append(f'{record["step"]:>6}' + ''.join(f'{cell:8.1f}' for cell in cells))
    return '\n'.join(lines)


def draw_curve(records: Sequence[dict[str, Any]], target: Path) -> None:
    """Loss at every logged iteration, and average precision at the iteration that was logged before each evaluation."""
    training = [record for record in records if 'loss' in record]
    evaluations, places = [], []
    for i, record in enumerate(records):
        if 'coco/bbox_mAP' in record:
            evaluations.append(record)
            places.append(max((r['step'] for r in records[:i] if 'loss' in r), default=0))
    figure, loss_axis = plt.subplots(figsize=(7, 4), layout='constrained')
    loss_axis.plot([r['step'] for r in training], [r['loss'] for r in training], color='tab:gray')
    loss_axis.set(xlabel='iteration', ylabel='training loss (gray)', ylim=(0, None))
    ap_axis = loss_axis.twinx()
    for metric, title in zip(_METRICS, _TITLES):
        if title in ('AP50', 'AP75'):
            continue
        ap_axis.plot(places, [100 * r[f'coco/{metric}'] for r in evaluations], marker='o',
                     label=title, linewidth=2.5 if title == 'AP' else 1)
    ap_axis.set(ylabel='box AP (%)', ylim=(0, 100))
    ap_axis.legend(loc='upper center', ncols=4)
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
    print(table([record for record in records if 'coco/bbox_mAP' in record]))
    draw_curve(records, args.work_dir / 'curve.png')
    print(args.work_dir / 'curve.png')
    folders = sorted(args.work_dir.glob('*/pictures'))
    if args.pictures or folders:
        draw_pictures(args.pictures or folders[-1], args.count, args.work_dir / 'pictures.png')
        print(args.work_dir / 'pictures.png')


if __name__ == '__main__':
    try:
        main()
    except OSError as error:
        raise SystemExit(f'report: {error}') from None
