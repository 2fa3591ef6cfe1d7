r"""Store the results of an earlier test for the leaderboard.

    hrnet record --config CONFIG --results results.bbox.json \
        --annotations instances_val2017.json
    hrnet record --work-dir work_dirs/NAME --data COCO --split val2017 \
        --images 5000

The first form evaluates boxes or masks (results.segm.json) in COCO format. The
second form reads the metrics that the newest test logged to a work directory.
Logged metrics are rounded, and per-class metrics are missing. For a test of
several datasets, give one value per dataset: --split val_a val_b.

For a new test, use: hrnet test CONFIG CHECKPOINT --record
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.config_files import find_config, read_config
from hrnet_plugin.evaluation.detections import kind_of
from hrnet_plugin.evaluation.leaderboard.data_facts import data_facts, describe_annotations
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import logged_prefixes
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.metrics import rename_metrics
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.runner_record import augmentation, describe_tested_model, make_record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.record_hook import STORE
from hrnet_plugin.hosts import MMDET, host_of_config
from hrnet_plugin.training.run_logs import read_metrics

_TIMES = ('data_time', 'time')  # logged by mmengine among the metrics
_REQUIRED = {'results': ('config', 'annotations'), 'work_dir': ('data', 'split', 'images')}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('record', __doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--results', nargs='+', type=Path, metavar='FILE', help='boxes, masks or both in COCO format')
    source.add_argument('--work-dir', type=Path, help='work directory of a test')
    parser.add_argument('--config', help='name of a shipped config, or path of any config; requires --results')
    parser.add_argument('--annotations', type=Path, metavar='FILE',
                        help='ground truth in COCO format; requires --results')
    parser.add_argument('--subset', metavar='FILE',
                        help='as in hrnet compare, requires --results')
    parser.add_argument('--checkpoint', default='', help='tested checkpoint')
    parser.add_argument('--data', nargs='+', help='dataset as in published tables, such as COCO; requires --work-dir')
    parser.add_argument('--split', nargs='+', help='split, such as val2017; requires --work-dir')
    parser.add_argument('--images', nargs='+', type=int, help='number of tested images; requires --work-dir')
    parser.add_argument('--note', default='', help='text that distinguishes the model in the leaderboard')
    parser.add_argument('--store', default=STORE, metavar='FILE', help=f'file with your results (default: {STORE})')
    args = parser.parse_args(argv)
    used, other = ('results', 'work_dir') if args.results else ('work_dir', 'results')
    missing = [f'--{name}' for name in _REQUIRED[used] if getattr(args, name) is None]
    surplus = [f'--{name}' for name in _REQUIRED[other] if getattr(args, name) is not None]
    if missing or surplus:
        wrong = f'no {", ".join(missing)}' if missing else ' and '.join(surplus)
        parser.error(f'--{used.replace("_", "-")} requires --{", --".join(_REQUIRED[used])}, and excludes '
                     f'--{", --".join(_REQUIRED[other])}, got {wrong}')
    if args.subset is not None and not args.results:
        parser.error('--subset requires --results')
    if args.images is not None and min(args.images) < 1:
        parser.error(f'--images must be at least 1, got {min(args.images)}')
    return args


def from_results(args: argparse.Namespace) -> Record:
    """Evaluate result files, and return their record.

    Raises:
        ValueError: The config is not for a detector, or the results do not match the annotations.
    """
    from hrnet_plugin.evaluation.coco_evaluation import (  # needs pycocotools
        evaluate_detections,
        read_annotations,
        read_results,
    )
    from hrnet_plugin.evaluation.tested_images import evaluated_images
    config = find_config(args.config)
    if host_of_config(config) is not MMDET:
        raise ValueError(f'--results requires a config of mmdet, got one of {config.default_scope}')
    truth = read_annotations(args.annotations)
    images = evaluated_images(truth, args.results, args.subset)
    metrics: dict[str, float | None] = {}
    classes: dict[str, Any] = {}
    for file in args.results:
        detections = read_results(file)
        kinds = {kind_of(detection) for detection in detections if isinstance(detection, Mapping)}
        kind = 'segm' if 'segm' in kinds else 'bbox'
        with progress(f'evaluating {file}'):
            found = evaluate_detections(truth, detections, kind, images=images)
        metrics.update(found.metrics)
        classes['AP' if kind == 'bbox' else 'mask AP'] = found.classes
    data = describe_annotations(args.annotations, truth.imgs, None if images is None else len(images))
    return _record(config, data, Scores(metrics=metrics, classes=classes), args)


def from_work_dir(args: argparse.Namespace) -> list[Record]:
    """Return the records of the newest test in a work directory, one per dataset.

    Raises:
        FileNotFoundError: The folder has no test.
        ValueError: An option has another number of values than the test has datasets.
    """
    # a test writes its metrics to TIME/TIME.json, and its config to TIME/vis_data/config.py
    files = [file for file in args.work_dir.glob('*/*.json') if file.stem == file.parent.name]
    if not files:
        raise FileNotFoundError(f'--work-dir must be the work directory of a test, got {str(args.work_dir)!r} without '
                                'TIME/TIME.json')
    newest = max(files)
    config = read_config(newest.parent / 'vis_data' / 'config.py')
    task = host_of_config(config).task
    metrics = {key: value for key, value in read_metrics(newest).items() if key not in _TIMES}
    args.checkpoint = args.checkpoint or str(config.get('load_from') or '').removeprefix(SCHEME)
    prefixes = logged_prefixes(config)
    for name in _REQUIRED['work_dir']:
        if len(getattr(args, name)) != len(prefixes):
            words = f' ({", ".join(prefix.logged for prefix in prefixes)})' if len(prefixes) > 1 else ''
            raise ValueError(f'--{name} must have one value per tested dataset{words}, got {getattr(args, name)}')
    scores = [Scores(metrics=rename_metrics(task, prefix.select(metrics, prefixes))) for prefix in prefixes]
    return [_record(config, data_facts(task, *facts), one, args)
            for one, *facts in zip(scores, args.data, args.split, args.images)]


def _record(config: Config, data: DataFacts, scores: Scores, args: argparse.Namespace) -> Record:
    model, cost = describe_tested_model(config, data.data, args.note)
    return make_record(config, data, scores, model, cost, Conditions(test=augmentation(config)), args.checkpoint)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    for record in [from_results(args)] if args.results else from_work_dir(args):
        print_text(f'stored as number {ResultStore(args.store).append(record)} in {args.store}')
