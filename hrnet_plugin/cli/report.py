"""Summarize a training run.

    hrnet report WORK_DIR [options]

Prints all metrics of each evaluation: a table per dataset, then the values per
class of the last evaluation. Writes curve.png (loss and metrics per iteration)
to the work directory. If the run was tested with `--show-dir pictures`, also
writes `pictures.png`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.run_tables import tables
from hrnet_plugin.cli.training_curve import draw_curve
from hrnet_plugin.evaluation.run_evaluations import read_evaluations, run_metrics
from hrnet_plugin.files import atomic_writes
from hrnet_plugin.training.run_logs import read_scalars


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('report', __doc__)
    parser.add_argument('work_dir', type=Path, help='work directory of a training run')
    parser.add_argument('--pictures', type=Path,
                        help='folder of visualizations (default: the newest below the work directory)')
    parser.add_argument('--count', type=int, default=6, help='number of images in `pictures.png` (default: 6)')
    return parser.parse_args(argv)


def draw_image_grid(folder: Path, count: int, target: Path) -> None:
    """Draw evenly spaced images of a folder in a grid of two columns.

    Args:
        folder: Folder with PNG and JPEG files, searched recursively.
        count: Largest number of images.
        target: PNG file to write.

    Raises:
        FileNotFoundError: The folder has no images.
        ValueError: An image cannot be decoded.
    """
    files = sorted(file for file in folder.rglob('*') if file.suffix in ('.png', '.jpg'))
    if not files:
        raise FileNotFoundError(f'--pictures must be a folder with .png or .jpg files, got {folder} without any')
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
    images = [_read_image(file) for file in chosen]
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    grid = np.full((-(-len(images) // 2) * (height + 8), 2 * (width + 8), 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // 2 * (height + 8), i % 2 * (width + 8)
        grid[y:y + image.shape[0], x:x + image.shape[1]] = image
    target.write_bytes(cv2.imencode('.png', grid)[1].tobytes())


def _read_image(file: Path) -> Pixels:
    # not by its name: OpenCV cannot open all file names, and errors of the disk would have no message
    image = cv2.imdecode(np.frombuffer(file.read_bytes() or b'\0', np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'--pictures must be a folder of images, got {file}, which is damaged. Delete it.')
    return np.asarray(image)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    records = read_scalars(args.work_dir)
    evaluations = read_evaluations(records)
    metrics = run_metrics(args.work_dir, evaluations)
    print_text(tables(metrics, evaluations))
    # mmsegmentation writes visualizations to vis_data
    folders = sorted([*args.work_dir.glob('*/pictures'), *args.work_dir.glob('*/vis_data/pictures')])
    names = ['curve.png', *(['pictures.png'] if args.pictures or folders else [])]
    with atomic_writes(args.work_dir) as scratch:
        draw_curve(metrics, evaluations, records, scratch(names[0]))
        if args.pictures or folders:
            draw_image_grid(args.pictures or folders[-1], args.count, scratch(names[1]))
    for name in names:
        print_text(str(args.work_dir / name))
