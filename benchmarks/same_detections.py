"""Comparison of the detections of trained detectors with and without the torch engine, through ``mim test``.

    python benchmarks/same_detections.py CONFIG=CHECKPOINT [...] [--out FILE.json]

Two detections in an image match if they have the same class and differ by at most 1e-2 pixels and 1e-4 in score. Each
detection has at most one match. The reported share is the number of matches divided by the larger number of detections.
Masks are compared pixel by pixel.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask

from hrnet_plugin.experiments.benchmarking import run_mim

PIXELS, SCORE = 1e-2, 1e-4
ENGINE = ['--cfg-options', 'default_hooks.engine.type=hrnet_plugin.InferenceEngineHook']


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('jobs', nargs='+', metavar='CONFIG=CHECKPOINT', help='shipped config and its checkpoint')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/same_detections'),
                        help='folder of the tests (default: work_dirs/same_detections)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write the records to this file')
    args = parser.parse_args(argv)
    if not all('=' in job for job in args.jobs):
        parser.error(f'each job must be CONFIG=CHECKPOINT, got {args.jobs}')
    return args


def run_test(config: str, checkpoint: str, work: Path, options: Sequence[str]) -> tuple[dict[str, float], list[Any]]:
    """Run ``mim test``, and return its metrics and predictions."""
    pickled = work / 'predictions.pkl'
    work.mkdir(parents=True, exist_ok=True)
    run_mim(['test', 'hrnet_plugin', config, '--checkpoint', checkpoint, '--work-dir', str(work), '--out',
             str(pickled), *options])
    scalars = max(work.glob('*/*.json'), key=lambda path: path.stat().st_mtime)
    metrics = {key: value for key, value in json.loads(scalars.read_text()).items() if re.fullmatch(r'coco/\w+', key)}
    with pickled.open('rb') as file:
        return metrics, pickle.load(file)


def match_detections(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[int, int]]:
    """Match the detections of an image, and return pairs of their indices. Each index occurs at most once."""
    pairs, free = [], list(range(len(other['scores'])))
    for i in range(len(one['scores'])):
        for j in free:
            if (one['labels'][i] == other['labels'][j] and abs(one['scores'][i] - other['scores'][j]) <= SCORE
                    and (one['bboxes'][i] - other['bboxes'][j]).abs().max() <= PIXELS):
                pairs.append((i, j))
                free.remove(j)
                break
    return pairs


def compare(eager: Sequence[Any], engine: Sequence[Any]) -> dict[str, Any]:
    """Compare predictions, and return the share of matches and their largest differences.

    Args:
        eager: Predictions of the eager model, one per image.
        engine: Predictions of the torch engine, one per image.
    """
    numbers, matched, boxes, scores, pixels, wrong = [0, 0], 0, 0., 0., 0, 0
    for sample, twin in zip(eager, engine):
        one, other = ({key: torch.as_tensor(part[key]) for key in ('bboxes', 'scores', 'labels')}
                      for part in (sample['pred_instances'], twin['pred_instances']))
        pairs = match_detections(one, other)
        numbers[0] += len(one['scores'])
        numbers[1] += len(other['scores'])
        matched += len(pairs)
        for i, j in pairs:
            boxes = max(boxes, (one['bboxes'][i] - other['bboxes'][j]).abs().max().item())
            scores = max(scores, abs(one['scores'][i] - other['scores'][j]).item())
            if 'masks' in sample['pred_instances']:
                a, b = (coco_mask.decode(part['pred_instances']['masks'][k]) for part, k in ((sample, i), (twin, j)))
                pixels += int(a.sum())
                wrong += int(np.count_nonzero(a != b))
    record: dict[str, Any] = dict(images=len(eager), detections=numbers, matched=matched,
                                  share=matched / max(*numbers, 1), largest_difference=dict(pixels=boxes, score=scores))
    if pixels:
        record['mask_pixels'] = dict(inside=pixels, different=wrong)
    return record


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    records = []
    for job in args.jobs:
        config, checkpoint = job.split('=', 1)
        work = args.work_dir / Path(config).stem
        (before, eager), (after, engine) = (run_test(config, checkpoint, work / name, options)
                                          for name, options in (('eager', []), ('engine', ENGINE)))
        record = dict(config=Path(config).stem, **compare(eager, engine), figures=before,
                      largest_difference_of_figures=max(abs(before[key] - after[key]) for key in before))
        records.append(record)
        print(f'{record["config"]}: {record["matched"]} matches of {record["detections"]} detections '
              f'({record["share"]:.5f}), AP {before["coco/bbox_mAP"]} and {after["coco/bbox_mAP"]}', flush=True)
    if args.out is not None:
        setting = dict(pixels=PIXELS, score=SCORE, torch=torch.__version__, threads=torch.get_num_threads())
        args.out.write_text(json.dumps(dict(setting=setting, records=records), indent=1) + '\n')


if __name__ == '__main__':
    main()
