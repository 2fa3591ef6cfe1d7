"""Types of keypoint errors, and their cost in object keypoint similarity (OKS).

The types are those of Ronchi and Perona (arXiv 1707.05388, section 3). A detection is compared with the person that it
matches at an OKS of at least 0.1. The similarity of a keypoint to a location is its term of the OKS, in [0, 1].
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.coco_keypoints import keypoint_names
from hrnet_plugin.evaluation.comparison.comparison import KEYPOINT_TYPES, Errors

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

_OTHER_SIDE = {'left': 'right', 'right': 'left', 'Left': 'Right', 'Right': 'Left', 'LEFT': 'RIGHT', 'RIGHT': 'LEFT'}
_SIDES = re.compile('|'.join(_OTHER_SIDE))
MATCHED, NEAR, GOOD = 0.1, 0.5, 0.85  # OKS of a match; similarity of a keypoint that is near or good


@dataclass(frozen=True)
class _Person:
    """Labeled keypoints of a person: booleans, types and similarities, shape (K,)."""
    labeled: Bools
    kind: Ints  # index in KEYPOINT_TYPES, if labeled
    similarity: Floats


def count_keypoint_errors(evaluation: COCOeval) -> tuple[Errors, dict[str, float | None]]:
    """Count the labeled keypoints of a COCO evaluation by type, and compute the cost of each type.

    The persons are those of AP: crowds and persons without labeled keypoints are ignored. The costs of a person are the
    mean of 1 minus the similarity over its labeled keypoints, by type. They are averaged over the persons. So the costs
    of all types add up to 1 minus the mean OKS.

    Args:
        evaluation: Finished evaluation of keypoints.

    Returns:
        Keypoints by type, and the fraction of good ones of each keypoint. None if a keypoint is never labeled.
    """
    names = keypoint_names(evaluation.cocoGt)
    persons = list(_classify(evaluation, _counterparts(names)))
    labeled = np.array([person.labeled for person in persons]).reshape(-1, len(names))
    kind = np.array([person.kind for person in persons]).reshape(-1, len(names))
    lost = 1 - np.array([person.similarity for person in persons]).reshape(-1, len(names))
    share = labeled / np.maximum(labeled.sum(axis=1, keepdims=True), 1) / max(1, len(persons))
    masks = {name: labeled & (kind == k) for k, name in enumerate(KEYPOINT_TYPES)}
    errors = Errors({name: int(mask.sum()) for name, mask in masks.items()},
                    {name: float((lost * share)[mask].sum()) for name, mask in masks.items()})
    number, good = labeled.sum(axis=0), masks['good'].sum(axis=0)
    return errors, {name: float(good[k] / number[k]) if number[k] else None for k, name in enumerate(names)}


def _counterparts(names: Sequence[str]) -> Ints:
    """Return the index of the same keypoint of the other side, or of the keypoint itself if it has none."""
    place = {name: k for k, name in enumerate(names)}
    return np.array([place.get(_SIDES.sub(lambda side: _OTHER_SIDE[side[0]], name), k) for k, name in enumerate(names)])


def _classify(evaluation: COCOeval, counterparts: Ints) -> Iterator[_Person]:
    params = copy.copy(evaluation.params)
    sizes = (2 * params.kpt_oks_sigmas) ** 2
    evaluation.params.iouThrs = np.array([MATCHED])
    try:
        for category in params.catIds:
            for image in params.imgIds:
                record = evaluation.evaluateImg(image, category, params.areaRng[0], params.maxDets[-1])
                if record is not None:
                    detected = {d['id']: _points(d) for d in evaluation._dts[image, category]}
                    yield from _classify_image(evaluation._gts[image, category], detected, record, sizes, counterparts)
    finally:
        evaluation.params.iouThrs = params.iouThrs


def _classify_image(truth: Sequence[Mapping[str, Any]], detected: Mapping[int, Floats], record: Any, sizes: Floats,
                    counterparts: Ints) -> Iterator[_Person]:
    """Classify the keypoints of the persons of an image.

    Args:
        truth: Annotations of the image.
        detected: Detection ID -> x, y and score of its keypoints, shape (K, 3).
        record: Record of the API for this image.
        sizes: Squared double sigmas, shape (K,).
        counterparts: Indices of the keypoints of the other side, shape (K,).
    """
    if not truth:
        return
    matched = {int(number): int(detection) for detection, number, ignored in zip(
        record['dtIds'], record['dtMatches'][0], record['dtIgnore'][0]) if number and not ignored}
    points = np.stack([_points(annotation) for annotation in truth])
    areas = np.array([annotation['area'] for annotation in truth], float)
    for place, annotation in enumerate(truth):
        if annotation['ignore']:
            continue
        labeled = points[place, :, 2] > 0
        if annotation['id'] not in matched:
            yield _Person(labeled, np.full(len(labeled), KEYPOINT_TYPES.index('undetected')), np.zeros(len(labeled)))
            continue
        order = [place, *(k for k in range(len(truth)) if k != place)]
        yield _classify_person(detected[matched[annotation['id']]], points[order], areas[order], sizes, counterparts)


def _classify_person(found: Floats, points: Floats, areas: Floats, sizes: Floats, counterparts: Ints) -> _Person:
    """Classify the keypoints of a detected person, which is the first of ``points``, shape (P, K, 3)."""
    both = np.concatenate([points, points[:, counterparts]])  # keypoints of all persons, then those of the other side
    squares = ((both[:, :, :2] - found[None, :, :2]) ** 2).sum(axis=2)
    scale = sizes * (np.tile(areas, 2)[:, None] + np.spacing(1)) * 2
    similarity = np.where(both[:, :, 2] > 0, np.exp(-squares / scale), -1)
    best, place = similarity.max(axis=0), similarity.argmax(axis=0)
    kind = np.select(
        [best < NEAR, (place == 0) & (best >= GOOD), place == 0, place == len(points)],
        [KEYPOINT_TYPES.index(name) for name in ('miss', 'good', 'jitter', 'inversion')], KEYPOINT_TYPES.index('swap'))
    return _Person(points[0, :, 2] > 0, kind, np.maximum(similarity[0], 0))


def _points(entry: Mapping[str, Any]) -> Floats:
    return np.array(entry['keypoints'], float).reshape(-1, 3)
