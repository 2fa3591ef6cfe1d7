"""Explain why one model outperforms another.

    hrnet compare A B --annotations FILE [options]
    hrnet compare A B --annotations FOLDER [options]     segmentation

A and B are boxes, masks or keypoints on the same images, in COCO format, or
work directories of `hrnet test ... --record`, which writes such files. For
segmentation, A and B are folders of label maps, or files that `hrnet test`
writes with --out. The kind is found in the files.

Reports all metrics with a confidence interval of the difference, error types,
metrics and confusions of classes, and the images with the largest differences.
With --out, files have curves, confusions and histograms of scores.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import CommandParser, make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.evaluation.analysis.analysis import SCORE_THRESHOLD

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions

_IGNORED = 255


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('compare', __doc__)
    parser.add_argument('results', nargs=2, type=Path, metavar='PATH', help='results of the two models')
    parser.add_argument('--annotations', type=Path, required=True, metavar='PATH',
                        help='ground truth: a file in COCO format, or a folder of label maps')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument('--kind', choices=['bbox', 'segm', 'keypoints', 'semantic'],
                      help='what to compare (default: the kind of the results)')
    kind.add_argument('--masks', action='store_const', const='segm', dest='kind', help='same as --kind segm')
    parser.add_argument('--subset', metavar='FILE',
                        help='evaluate only the images of this file: a list of IDs, or annotations in COCO format; or '
                             'all (default: NAME.images.json beside NAME.bbox.json, or else all)')
    parser.add_argument('--sigmas', nargs='+', type=float, metavar='SIGMA',
                        help='sigmas of the keypoints (default: those of the 17 keypoints of COCO)')
    parser.add_argument('--score-threshold', type=float, metavar='SCORE',
                        help=f'minimum score of detections in the confusion matrix (default: {SCORE_THRESHOLD})')
    _add_label_options(parser)
    parser.add_argument('--names', nargs=2, metavar='NAME', help='names of the models (default: the file names)')
    parser.add_argument('--draws', type=int, default=1000, help='number of bootstrap samples (default: 1000)')
    parser.add_argument('--seed', type=int, default=0, help='random seed of the bootstrap (default: 0)')
    parser.add_argument('--out', type=Path, metavar='FOLDER',
                        help='write comparison.md, tables as CSV, and comparison.json for hrnet leaderboard --compare')
    args = parser.parse_args(argv)
    for option, value, least in (('--draws', args.draws, 1), ('--seed', args.seed, 0)):
        if value < least:
            parser.error(f'{option} must be at least {least}, got {value}')
    if args.score_threshold is not None and not math.isfinite(args.score_threshold):
        parser.error(f'--score-threshold must be a finite number, got {args.score_threshold}')
    return args


def _add_label_options(parser: CommandParser) -> None:
    group = parser.add_argument_group('options for segmentation')
    group.add_argument('--config', help='shipped config or path of a config, whose test dataset determines --classes, '
                                        '--reduce-zero-label and --suffixes')
    group.add_argument('--classes', nargs='+', metavar='NAME', help='names of the classes (default: their labels)')
    group.add_argument('--reduce-zero-label', action='store_true',
                       help='ignore label 0, and reduce the others by 1, as mmseg does for ADE20K')
    group.add_argument('--ignore-index', type=int, metavar='LABEL',
                       help=f'label of pixels that are not evaluated (default: {_IGNORED})')
    group.add_argument('--suffixes', nargs=2, metavar='SUFFIX',
                       help='ends of the file names of predictions and ground truth (default: .png .png)')


def label_options(args: argparse.Namespace) -> LabelOptions | None:
    """Return the options for segmentation, of which those of the command line replace those of the config.

    None if the command line has none of them.

    Raises:
        ValueError: The config is not for segmentation.
    """
    from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions
    found: dict[str, Any] = {}
    if args.config is not None:
        from hrnet_plugin.config_files import find_config, find_test_dataset
        from hrnet_plugin.hosts import MMSEG, host_of_config
        config = find_config(args.config)
        if host_of_config(config) is not MMSEG:
            raise ValueError(f'--config must be a config of mmsegmentation, got one of {config.default_scope}')
        found.update(MMSEG.label_options(find_test_dataset(config)))
    given = dict(classes=args.classes, reduce_zero_label=args.reduce_zero_label or None, ignore_index=args.ignore_index,
                 suffixes=args.suffixes and tuple(args.suffixes))
    found.update((name, value) for name, value in given.items() if value is not None)
    return LabelOptions(**found) if found else None


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    from hrnet_plugin.evaluation.comparison.compare import compare  # needs pycocotools
    from hrnet_plugin.evaluation.comparison.files import write_comparison
    from hrnet_plugin.evaluation.comparison.text import as_markdown
    first, second = args.results
    names = tuple(args.names or (str(first), str(second)))
    labels = label_options(args)
    with progress(f'comparing {names[0]} and {names[1]}'):
        found = compare(args.annotations, first, second, args.kind, (names[0], names[1]), args.draws, args.seed,
                        subset=args.subset, sigmas=args.sigmas, labels=labels, score_threshold=args.score_threshold)
    if args.out is not None:
        write_comparison(found, args.out)
    print_text(as_markdown(found))
