"""Generate a small dataset in COCO format.

    hrnet sample-set [FOLDER] [options]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.experiments.sample_set import write_sample_set


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('sample-set', __doc__)
    parser.add_argument('folder', nargs='?', default='data/sample', help='output folder (default: data/sample)')
    parser.add_argument('--train', type=int, default=400, help='number of training images (default: 400)')
    parser.add_argument('--val', type=int, default=100, help='number of validation images (default: 100)')
    parser.add_argument('--size', type=int, nargs=2, default=(320, 256), metavar=('W', 'H'),
                        help='width and height in pixels (default: 320 256)')
    parser.add_argument('--seed', type=int, default=0, help='random seed (default: 0)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    width, height = args.size
    with progress('drawing images'):
        root = write_sample_set(args.folder, args.train, args.val, width, height, args.seed)
    print_text(f'{root}: {args.train} training and {args.val} validation images of {width} x {height}')
