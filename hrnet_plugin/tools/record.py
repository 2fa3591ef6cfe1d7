"""Keep for the leaderboard what has been tested before: mim run hrnet_plugin record CONFIG --results FILE [options].

    mim run hrnet_plugin record CONFIG --results results.bbox.json --annotations instances_val2017.json
                                                   detections, or masks (results.segm.json), in COCO's format:
                                                   evaluated here
    mim run hrnet_plugin record CONFIG --work-dir work_dirs/NAME
                                                   figures of the newest test in a work directory, as they were
                                                   logged: rounded, without classes

CONFIG is the name of one of the plugin's configs or the path of any. A test that is still to come needs none of this:
mim test hrnet_plugin CONFIG --checkpoint FILE --record.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrnet_plugin.config_files import find_config
from hrnet_plugin.hooks.record import STORE
from hrnet_plugin.leaderboard.data_facts import DataFacts
from hrnet_plugin.leaderboard.gather import assemble
from hrnet_plugin.leaderboard.metrics import named
from hrnet_plugin.leaderboard.model_facts import task_of
from hrnet_plugin.leaderboard.record import Record
from hrnet_plugin.leaderboard.store import ResultStore

_TIMES = ('data_time', 'time')  # which mmengine logs among the metrics


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='name of one of the plugin\'s configs, or path of any')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--results', nargs='+', type=Path, metavar='FILE', help='boxes, masks or both')
    source.add_argument('--work-dir', type=Path, help='of mim test')
    parser.add_argument('--annotations', type=Path, metavar='FILE', help='the truth, for --results')
    parser.add_argument('--checkpoint', default='', help='the weights that were tested')
    parser.add_argument('--data', help='name of the data set, as published rows have it, such as COCO')
    parser.add_argument('--split', help='of it, such as val2017')
    parser.add_argument('--images', type=int, help='how many images were tested, for --work-dir')
    parser.add_argument('--note', default='', help='what sets the model apart from others of its kind')
    parser.add_argument('--store', default=STORE, metavar='FILE', help=f'to which it is appended ({STORE})')
    args = parser.parse_args(argv)
    if args.results and args.annotations is None:
        parser.error('--results needs --annotations')
    if args.work_dir and None in (args.data, args.split, args.images):
        parser.error('--work-dir needs --data, --split and --images, which its logs do not have')
    return args


def evaluate(results: Sequence[Path], annotations: Path) -> dict[str, Any]:
    """Metrics, classes and number of images of files with detections; those that have masks are of masks."""
    from hrnet_plugin.leaderboard.coco_evaluation import evaluate_detections
    found: dict[str, Any] = dict(metrics={}, classes={}, images=0)
    for file in results:
        detections = json.loads(file.read_text(encoding='utf-8'))
        kind = 'segm' if any('segmentation' in detection for detection in detections[:1]) else 'bbox'
        evaluation = evaluate_detections(annotations, detections, kind)
        found['metrics'].update(evaluation.metrics)
        found['classes']['AP' if kind == 'bbox' else 'mask AP'] = dict(evaluation.classes)
        found['images'] = evaluation.images
    return found


def logged(work_dir: Path) -> dict[str, float]:
    """The metrics of the newest test in a work directory.

    Raises:
        FileNotFoundError: If there was none.
    """
    for file in sorted(work_dir.glob('*/*.json'), reverse=True):
        if file.stem == file.parent.name:  # mmengine's: a test writes its metrics into FOLDER/FOLDER.json
            return json.loads(file.read_text(encoding='utf-8'))
    raise FileNotFoundError(f'--work-dir must be the work directory of a test, got {str(work_dir)!r} without '
                            'TIME/TIME.json')


def make_record(args: argparse.Namespace) -> Record:
    """The record that the command line describes.

    Raises:
        FileNotFoundError, ValueError: If a file is not there, or results and annotations do not fit.
    """
    config = find_config(args.config)
    task = task_of(config)
    if args.results is None:
        metrics = named(task, {key: value for key, value in logged(args.work_dir).items() if key not in _TIMES})
        found: dict[str, Any] = dict(metrics=metrics, classes={}, images=args.images)
    elif task != 'detection':
        raise ValueError(f'--results needs a config of mmdet, got one of {config.default_scope}')
    else:
        found = evaluate(args.results, args.annotations)
    data = DataFacts.of(task, args.data or args.annotations.parent.name, args.split or args.annotations.stem,
                        found['images'])
    return assemble(config, data, found['metrics'], found['classes'], dict(note=args.note), args.checkpoint)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    number = ResultStore(args.store).append(make_record(args))
    print(f'kept as number {number} of {args.store}')


if __name__ == '__main__':
    try:
        main()
    except (ImportError, OSError, ValueError, sqlite3.Error) as error:
        raise SystemExit(f'record: {error}') from None
