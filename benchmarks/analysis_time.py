"""Time and memory of analyses of many detections, beside the COCO API.

    python benchmarks/analysis_time.py
    python benchmarks/analysis_time.py --images 2000 --api

The second form evaluates the same detections with the COCO API, too. It prints how many times as long that takes, and
checks that all curves are equal. The peak of memory is that of the process up to each line.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import resource
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.evaluation.analysis.analyze import analyze
from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation

WIDTH, HEIGHT = 640, 480
OBJECTS = 7  # mean number per image, as in COCO

_Result = TypeVar('_Result')


def make_scene(images: int, detections: int, classes: int, seed: int) -> tuple[COCO, list[dict[str, Any]]]:
    """Make random objects, and detections of which a third is near objects. Crowds are one object in a hundred."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for image in range(1, images + 1):
        number = max(1, rng.poisson(OBJECTS))
        corners, sizes = rng.uniform(0, 400, (number, 2)), rng.uniform(8, 240, (number, 2))
        boxes, labels = np.concatenate([corners, sizes], axis=1), rng.integers(1, classes + 1, number)
        crowds = rng.random(number) < .01
        truth += [dict(id=len(truth) + k + 1, image_id=image, category_id=int(label), bbox=box.tolist(),
                       area=float(box[2] * box[3]), iscrowd=int(crowd))
                  for k, (label, box, crowd) in enumerate(zip(labels, boxes, crowds))]
        owners = rng.integers(0, number, detections)
        near = rng.random(detections) < 1 / 3
        moved = np.abs(boxes[owners] + rng.normal(0, 12, (detections, 4)))
        other = np.concatenate([rng.uniform(0, 400, (detections, 2)), rng.uniform(8, 240, (detections, 2))], axis=1)
        right = near & (rng.random(detections) < .8)
        names = np.where(right, labels[owners], rng.integers(1, classes + 1, detections))
        scores = np.where(near, rng.beta(2, 2, detections), rng.beta(1, 8, detections)).round(4)
        shown = np.where(near[:, None], moved, other).round(2).tolist()
        found += [dict(image_id=image, category_id=int(label), bbox=box, score=float(score))
                  for label, box, score in zip(names, shown, scores)]
    content = COCO()
    content.dataset = dict(images=[dict(id=k, width=WIDTH, height=HEIGHT) for k in range(1, images + 1)],
                           categories=[dict(id=k, name=f'class {k}') for k in range(1, classes + 1)], annotations=truth)
    with contextlib.redirect_stdout(io.StringIO()):
        content.createIndex()
    return content, found


def timed(name: str, function: Callable[[], _Result]) -> tuple[_Result, float]:
    """Run a function, and print its CPU time and the peak memory of the process."""
    start, cpu = time.perf_counter(), time.process_time()
    result = function()
    used = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f'{name:<28} {used:8.1f} s CPU {time.perf_counter() - start:8.1f} s wall {peak:6.2f} GiB peak', flush=True)
    return result, used


def evaluate(evaluation: COCOeval) -> COCOeval:
    """Run all steps of an evaluation."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def run_api(truth: COCO, detections: list[dict[str, Any]]) -> COCOeval:
    """Evaluate with the COCO API."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(detections), 'bbox')
    return evaluate(evaluation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--images', type=int, default=20_000, help='number of images (default: 20000)')
    parser.add_argument('--detections', type=int, default=100, help='detections per image (default: 100)')
    parser.add_argument('--classes', type=int, default=80, help='number of classes (default: 80)')
    parser.add_argument('--seed', type=int, default=0, help='random seed (default: 0)')
    parser.add_argument('--api', action='store_true', help='also run the COCO API')
    args = parser.parse_args()
    (truth, found), _ = timed('making the detections', lambda: make_scene(
        args.images, args.detections, args.classes, args.seed))
    ours, evaluation_time = timed('evaluation', lambda: evaluate(ArrayEvaluation(truth, found, 'bbox')))
    analysis, analysis_time = timed('analysis', lambda: analyze(ours))
    print(f'{len(ours.predictions)} detections, {len(ours.objects)} objects, {len(ours.pairs.overlap)} '
          f'pairs, {np.sum(analysis.confusion.counts)} entries in the confusion matrix')
    if args.api:
        theirs, api_time = timed('COCO API', lambda: run_api(copy.deepcopy(truth), found))
        equal = all(np.array_equal(ours.eval[name], theirs.eval[name]) for name in ('precision', 'recall', 'scores'))
        print(f'The COCO API takes {api_time / (evaluation_time + analysis_time):.1f} times as long. '
              f'Curves are {"equal" if equal else "different"}.')


if __name__ == '__main__':
    main()
