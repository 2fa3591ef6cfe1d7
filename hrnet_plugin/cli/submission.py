"""Prepare results for the COCO evaluation server.

    hrnet submission config CONFIG --out test-dev.py
        write a config whose test saves the results on test-dev
    hrnet submission check FILE --images image_info_test-dev2017.json
        report errors in the file
    hrnet submission pack FILE --images image_info_test-dev2017.json --name NAME
        check the file and write the archive for the server

Results are boxes, masks or keypoints. Top-down pose estimators require
--person-boxes. With --evaluate, check and pack also evaluate results on
val2017.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import add_debug_option, make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.config_files import find_config
from hrnet_plugin.evaluation.detections import keep_shape
from hrnet_plugin.evaluation.submission.archive import SPLITS, archive_path, check_split, write_archive
from hrnet_plugin.evaluation.submission.check import check_file, file_kind
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.inference import submission_host, test_dev_config
from hrnet_plugin.files import atomic_write


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('submission', __doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    config = commands.add_parser('config', help='write a config whose test saves the results on test-dev')
    config.add_argument('config', help='name of a shipped config, or path of any config of mmdet or mmpose')
    config.add_argument('--out', type=Path, required=True, metavar='FILE.py', help='config to write')
    config.add_argument('--data-root', help='COCO folder that replaces the data_root of the config')
    config.add_argument('--person-boxes', metavar='FILE',
                        help='persons detected in the images of test-dev, for top-down pose estimators')
    config.add_argument('--prefix', default='work_dirs/test-dev',
                        help='prefix of the result files (default: %(default)s)')
    for name, words in (('check', 'report errors in a file'), ('pack', 'check a file and write the archive')):
        command = commands.add_parser(name, help=words)
        command.add_argument('results', type=Path, metavar='FILE', help='boxes, masks or keypoints in COCO format')
        command.add_argument('--images', type=Path, required=True, metavar='FILE',
                             help='image_info_test-dev2017.json, or annotations of another split')
        command.add_argument('--evaluate', type=Path, metavar='FILE', help='also evaluate with these annotations')
        if name == 'pack':
            command.add_argument('--name', required=True, help='method name for the file names')
            command.add_argument('--split', choices=list(SPLITS), default='test-dev2017',
                                 help='split of the server (default: %(default)s)')
            command.add_argument('--stand-in', action='store_true',
                                 help='accept images of another split, for testing')
            command.add_argument('--out', type=Path, default=Path(), metavar='FOLDER',
                                 help='output folder (default: the current one)')
    for command in commands.choices.values():
        add_debug_option(command)
    return parser.parse_args(argv)


def write_config(args: argparse.Namespace) -> None:
    """Write a config for inference on test-dev.

    Raises:
        ValueError: ``--out`` does not end in ``.py``.
        FileExistsError: ``--out`` exists.
    """
    if args.out.suffix != '.py':
        raise ValueError(f'--out must end in .py, got {args.out}')
    if args.out.exists():
        raise FileExistsError(f'--out must be a new file, got {args.out}, which exists')
    config = find_config(args.config)
    host = submission_host(config)
    config = test_dev_config(config, args.data_root, args.prefix, args.person_boxes)
    with atomic_write(args.out) as scratch:
        scratch.write_text(config.pretty_text, encoding='utf-8')
    files = ' or '.join(f'{args.prefix}.{kind}.json' for kind in host.result_kinds)
    print_text(f'{args.out} is written. To write {files}, run: mim test {host.name} {args.out} --checkpoint FILE')


def check(args: argparse.Namespace, images: SplitImages) -> str:
    """Check a result file, print the report, and evaluate the file with ``--evaluate``.

    Returns:
        'bbox', 'segm' or 'keypoints'.

    Raises:
        ValueError: The file has errors.
    """
    with progress(f'checking {args.results}'):
        report = check_file(args.results, images)
    print_text(report.text)
    if report.errors:
        raise ValueError(f'{args.results} must have no errors, got those listed above')
    if args.evaluate is not None:
        with progress(f'evaluating {args.results}'):
            metrics = _evaluate(args.evaluate, args.results, report.kind)
        print_text(', '.join(f'{name} {"-" if value is None else f"{value:.3f}"}' for name, value in metrics.items()))
    return report.kind


def _evaluate(annotations: Path, results: Path, kind: str) -> Mapping[str, float | None]:
    """Return the metrics of a result file without the keys that the archive omits, which change the metrics."""
    from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections, read_results  # require pycocotools
    return evaluate_detections(annotations, [keep_shape(kind, one) for one in read_results(results)], kind).metrics


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.command == 'config':
        write_config(args)
        return
    images = SplitImages.read(args.images)
    if args.evaluate is not None and not args.evaluate.is_file():
        raise FileNotFoundError(f'--evaluate must be a file of annotations, got {args.evaluate}, which does not exist')
    if args.command == 'check':
        check(args, images)
        return
    if not args.stand_in:
        check_split(args.split, images)
    # raises errors before the long check
    target = archive_path(args.out, file_kind(args.results), args.split, args.name)
    write_archive(args.results, check(args, images), target)
    print_text(f'{target} is written')
