"""Confidence intervals of the differences between a PyTorch model and its exported model."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric, Evaluator

from hrnet_plugin.evaluation.comparison.areas import ImageAreas
from hrnet_plugin.evaluation.comparison.bootstrap import paired_interval
from hrnet_plugin.evaluation.comparison.compare import compare
from hrnet_plugin.evaluation.comparison.comparison import Interval
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.evaluation.leaderboard.exact_metrics import truth_of
from hrnet_plugin.hosts import MMSEG, Host

_NAMES = {'bbox': 'box AP', 'segm': 'mask AP', 'keypoints': 'keypoint AP'}


def save_results(host: Host, evaluator: Evaluator, folder: Path) -> None:
    """Write the ground truth to a new folder, and make the metrics of an evaluator write their results to it.

    Args:
        host: Adapter of the host.
        evaluator: Evaluator before the evaluation, which changes the ground truth. It is changed in place.
        folder: Folder.
    """
    folder.mkdir()
    for number, metric in enumerate(host.result_metrics(evaluator)):
        metric.outfile_prefix = str(folder / str(number))
        content = _truth(metric)
        if content is not None and content['annotations']:
            _truth_file(metric).write_text(json.dumps(content), encoding='utf-8')


def image_areas(host: Host, evaluator: Evaluator) -> ImageAreas | None:
    """Return the areas of label maps, or None for other tasks.

    Args:
        host: Adapter of the host.
        evaluator: Evaluator after the last image, and before its evaluation.
    """
    areas = MMSEG.label_areas(evaluator) if host is MMSEG else ()
    if not areas:
        return None
    intersection, _, predicted, labeled = (np.stack([area.numpy() for area in each]).astype(float)
                                           for each in zip(*areas))
    return ImageAreas(intersection, predicted, labeled)


def label_interval(before: ImageAreas | None, after: ImageAreas | None) -> dict[str, Interval]:
    """Return the interval of the mIoU. Empty for other tasks than segmentation."""
    if before is None or after is None or not before.objects.any():
        return {}
    return {'mIoU': paired_interval(before, after)}


def object_intervals(host: Host, before: Evaluator, after: Evaluator, images: Collection[int]) -> dict[str, Interval]:
    """Return the intervals of the AP of boxes, masks and keypoints from the written results.

    Args:
        host: Adapter of the host.
        before, after: Evaluators of the PyTorch model and the exported model after the evaluation.
        images: IDs of the tested images.
    """
    found = {}
    for one, other in zip(host.result_metrics(before), host.result_metrics(after)):
        prefixes = one.outfile_prefix, other.outfile_prefix
        if not _truth_file(one).is_file():
            continue
        subset = None
        if one in host.coco_metrics(before):  # mmpose evaluates all images of the annotations
            subset = Path(f'{one.outfile_prefix}.subset.json')
            subset.write_text(json.dumps(sorted(images)), encoding='utf-8')
        for kind in _kinds(one):
            first, second = (Path(f'{prefix}.{kind}.json') for prefix in prefixes)
            sigmas = list(map(float, one.dataset_meta['sigmas'])) if kind == 'keypoints' else None
            found[_NAMES[kind]] = compare(_truth_file(one), first, second, kind, subset=subset, sigmas=sigmas).interval
    return found


def _kinds(metric: BaseMetric) -> Iterator[str]:
    """Yield the kinds of results that a metric has written."""
    return (kind for kind in SHAPES if Path(f'{metric.outfile_prefix}.{kind}.json').is_file()
            and kind in getattr(metric, 'metrics', ('keypoints', )))


def _truth_file(metric: BaseMetric) -> Path:
    return Path(f'{metric.outfile_prefix}.truth.json')


def _truth(metric: BaseMetric) -> dict[str, Any] | None:
    """Return the annotations of a metric of the classes that it evaluates."""
    truth = truth_of(metric)
    if truth is None:
        return None
    names = set(metric.dataset_meta.get('classes') or ())
    chosen = [entry for entry in truth.dataset['categories'] if not names or entry['name'] in names]
    numbers = {entry['id'] for entry in chosen}
    return dict(truth.dataset, categories=chosen, annotations=[
        entry for entry in truth.dataset['annotations'] if entry['category_id'] in numbers])
