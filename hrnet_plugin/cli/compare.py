"""Explain why one detector outperforms another.

    hrnet compare A.json B.json --annotations FILE [options]

A.json and B.json are boxes or masks on the same images, in COCO format. `hrnet
test ... --record` writes such files (results.bbox.json) to its log folder.
Reports AP by object size with a confidence interval of the difference. Also
reports error types and their cost in AP, per-class AP, and the images with the
largest differences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('compare', __doc__)
    parser.add_argument('results', nargs=2, type=Path, metavar='FILE', help='results of the two models')
    parser.add_argument('--annotations', type=Path, required=True, metavar='FILE', help='ground truth in COCO format')
    parser.add_argument('--masks', action='store_true', help='compare masks instead of boxes')
    parser.add_argument('--names', nargs=2, metavar='NAME', help='names of the models (default: the file names)')
    parser.add_argument('--draws', type=int, default=1000, help='number of bootstrap samples (default: 1000)')
    parser.add_argument('--seed', type=int, default=0, help='random seed of the bootstrap (default: 0)')
    parser.add_argument('--out', type=Path, metavar='FOLDER',
                        help='write comparison.md, and comparison.json for hrnet leaderboard --compare')
    args = parser.parse_args(argv)
    for option, value, least in (('--draws', args.draws, 1), ('--seed', args.seed, 0)):
        if value < least:
            parser.error(f'{option} must be at least {least}, got {value}')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    from hrnet_plugin.evaluation.comparison.compare import compare  # needs pycocotools
    from hrnet_plugin.evaluation.comparison.text import as_markdown
    first, second = args.results
    names = tuple(args.names or (str(first), str(second)))
    with progress(f'comparing {names[0]} and {names[1]}'):
        found = compare(args.annotations, first, second, 'segm' if args.masks else 'bbox', (names[0], names[1]),
                        args.draws, args.seed)
    text = as_markdown(found)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / 'comparison.md').write_text(text, encoding='utf-8')
        record = json.dumps(asdict(found), indent=1, allow_nan=False)
        (args.out / 'comparison.json').write_text(f'{record}\n', encoding='utf-8')
    print(text)
