"""Types of keypoint errors, and their cost in object keypoint similarity (OKS).

The types are those of Ronchi and Perona (arXiv 1707.05388, section 3). A detection is compared with the person that it
matches at an OKS of at least 0.1. The similarity of a keypoint to a location is its term of the OKS, in [0, 1].
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.coco_keypoints import keypoint_names
from hrnet_plugin.evaluation.comparison.comparison import KEYPOINT_TYPES, Errors
from hrnet_plugin.evaluation.matching.area_matches import match_area

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation

_OTHER_SIDE = {'left': 'right', 'right': 'left', 'Left': 'Right', 'Right': 'Left', 'LEFT': 'RIGHT', 'RIGHT': 'LEFT'}
_SIDES = re.compile('|'.join(_OTHER_SIDE))
MATCHED, NEAR, GOOD = 0.1, 0.5, 0.85  # OKS of a match; similarity of a keypoint that is near or good


@dataclass(frozen=True)
class _Person:
    """Labeled keypoints of a person: booleans, types and similarities, shape (K,)."""
    labeled: Bools
    kind: Ints  # index in KEYPOINT_TYPES, if labeled
    similarity: Floats


def count_keypoint_errors(evaluation: ArrayEvaluation) -> tuple[Errors, dict[str, float | None]]:
    """Count the labeled keypoints of an evaluation by type, and compute the cost of each type.

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


def _classify(evaluation: ArrayEvaluation, counterparts: Ints) -> Iterator[_Person]:
    """Classify the keypoints of the persons that are not ignored."""
    objects, predictions = evaluation.objects, evaluation.predictions
    points, found, sizes = objects.points, predictions.points, (2 * evaluation.params.kpt_oks_sigmas) ** 2
    matches = match_area(objects, predictions, evaluation.pairs, tuple(evaluation.params.areaRng[0]),
                         np.array([MATCHED]))
    matched = matches.matched(slice(None))[0]
    prediction = np.full(len(objects) + 1, -1)
    prediction[matched] = np.arange(len(matched))
    groups = objects.image * len(evaluation.params.catIds) + objects.category
    order = np.argsort(groups, kind='stable')
    for group in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        for place in group[~matches.ignored[group]]:
            if prediction[place] < 0:
                yield _undetected(points[place, :, 2] > 0)
                continue
            others = [place, *group[group != place]]
            yield _classify_person(found[prediction[place]], points[others], objects.area[others], sizes, counterparts)


def _undetected(labeled: Bools) -> _Person:
    return _Person(labeled, np.full(len(labeled), KEYPOINT_TYPES.index('undetected')), np.zeros(len(labeled)))


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
