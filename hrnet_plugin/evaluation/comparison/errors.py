"""What is wrong with detections, kind by kind, and what each kind costs.

The kinds are those of TIDE (arXiv 2008.08115, section 2), at an overlap of 0.5 with an object, and 0.1 with anything.
Costs are of the COCO API's AP50, whose mean is over the classes that have objects; TIDE's is over those with
detections, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.comparison import KINDS, Errors
from hrnet_plugin.evaluation.comparison.matches import ClassMatches, mean_precision
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.json_types import JsonObject

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

FOREGROUND, BACKGROUND = 0.5, 0.1
_MOVABLE = ('classification', 'localisation')  # which another place or name would make right


@dataclass(frozen=True)
class _Found:
    """All detections and objects, by columns: one entry each."""
    category: Ints
    image: Ints
    score: Floats
    hit: Bools
    kind: Ints  # place in KINDS, -1 of a hit
    target: Ints  # of the object that it overlaps most, -1 without
    objects: Floats  # (K, I): how many of a class in an image
    object_category: Ints
    object_image: Ints
    object_found: Bools


def count_errors(evaluation: COCOeval) -> Errors:
    """Sort out an evaluation of the COCO API.

    Args:
        evaluation: Of boxes or masks, with what it has matched.
    """
    found = _sort(evaluation)
    missed = _missed(found)
    numbers = {kind: int((found.kind == k).sum()) for k, kind in enumerate(KINDS)}
    numbers['missed'] = int(missed.sum())
    base = _ap(found)
    costs = {kind: (_moved if kind in _MOVABLE else _dropped)(found, k) - base for k, kind in enumerate(KINDS[:-1])}
    costs['missed'] = _without(found, missed) - base
    return Errors(numbers, costs)


def _without(found: _Found, missed: Bools) -> float:
    """AP50 without some objects; of a class that has no other ones, it is 1."""
    fewer = found.objects.copy()
    np.subtract.at(fewer, (found.object_category[missed], found.object_image[missed]), 1)
    rest = _ap(replace(found, objects=fewer))
    left, all_of_them = fewer.any(1).sum(), found.objects.any(1).sum()
    return float((left * np.nan_to_num(rest) + all_of_them - left) / all_of_them)


def _dropped(found: _Found, kind: int) -> float:
    """AP50 without the detections of a kind."""
    return _ap(found, found.kind != kind)


def _moved(found: _Found, kind: int) -> float:
    """AP50 with the detections of a kind on the object that they overlap, where none is yet; the others are dropped."""
    wrong = np.flatnonzero(found.kind == kind)
    wrong = wrong[np.argsort(-found.score[wrong], kind='mergesort')]
    free = ~found.object_found[found.target[wrong]]
    _, first = np.unique(found.target[wrong][free], return_index=True)
    repaired = wrong[free][first]
    keep = found.kind != kind
    keep[repaired] = True
    hit, category = found.hit.copy(), found.category.copy()
    hit[repaired] = True
    category[repaired] = found.object_category[found.target[repaired]]
    return _ap(replace(found, hit=hit, category=category), keep)


def _ap(found: _Found, keep: Bools | None = None) -> float:
    """AP50 of the detections, or of those that are kept."""
    order = np.argsort(-found.score, kind='mergesort')
    if keep is not None:
        order = order[keep[order]]
    matches = []
    for k, per_image in enumerate(found.objects):
        mine = order[found.category[order] == k]
        matches.append(ClassMatches(found.score[mine], found.image[mine], found.hit[None, mine],
                                    np.ones((1, len(mine)), bool), per_image))
    return mean_precision(matches)


def _missed(found: _Found) -> Bools:
    """Objects that nothing has found, not even at the wrong place or by the wrong name."""
    near = found.target[(found.kind == KINDS.index('classification')) | (found.kind == KINDS.index('localisation'))]
    seen = found.object_found.copy()
    seen[near] = True
    return ~seen


def _sort(evaluation: COCOeval) -> _Found:
    params = evaluation.params
    threshold = int(np.argmin(np.abs(params.iouThrs - FOREGROUND)))
    images, areas, most = len(params.imgIds), len(params.areaRng), params.maxDets[-1]
    place_of = {number: k for k, number in enumerate(params.catIds)}
    parts: list[dict[str, Ints]] = []
    objects = np.zeros((len(params.catIds), images))
    object_category: list[int] = []
    object_image: list[int] = []
    object_found: list[bool] = []
    for i, image in enumerate(params.imgIds):
        records = [(k, evaluation.evalImgs[k * areas * images + i]) for k in range(len(params.catIds))]
        records = [(k, record) for k, record in records if record is not None]
        # not the API's '_ignore', which is of the last range of sizes
        truth = [a for k in params.catIds for a in evaluation._gts[image, k] if not a['ignore']]
        detected = [d for k, record in records for d in _detections(evaluation, image, params.catIds[k], record, most)]
        matched = np.concatenate([record['dtMatches'][threshold][:most] for _, record in records] or [np.zeros(0)])
        ignored = np.concatenate([record['dtIgnore'][threshold][:most] for _, record in records] or [np.zeros(0)])
        hit, counted = matched != 0, ~ignored.astype(bool)
        category = np.array([place_of[d['category_id']] for d in detected], int)
        owner = np.array([place_of[a['category_id']] for a in truth], int)
        kind, target = _kinds(_overlaps(detected, truth, params.iouType), category, owner, hit)
        parts.append(dict(
            category=category[counted], image=np.full(counted.sum(), i), hit=hit[counted], kind=kind[counted],
            score=np.array([d['score'] for d in detected], float)[counted],
            target=np.where(target < 0, -1, target + len(object_category))[counted]))
        ids = set(matched[hit & counted].astype(int))
        for annotation, k in zip(truth, owner):
            objects[k, i] += 1
            object_category.append(int(k))
            object_image.append(i)
            object_found.append(annotation['id'] in ids)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    return _Found(**columns, objects=objects, object_category=np.array(object_category, int),
                  object_image=np.array(object_image, int), object_found=np.array(object_found, bool))


def _detections(evaluation: COCOeval, image: int, category: int, record: Any, most: int) -> list[Any]:
    """Those of a record, in its order."""
    known = {d['id']: d for d in evaluation._dts[image, category]}
    return [known[number] for number in record['dtIds'][:most]]


def _overlaps(detected: Sequence[JsonObject], truth: Sequence[JsonObject], kind: str) -> Floats:
    """``(D, G)``, intersection over union."""
    if not detected or not truth:
        return np.zeros((len(detected), len(truth)))
    key = SHAPES[kind]
    return np.asarray(mask.iou([d[key] for d in detected], [a[key] for a in truth], [0] * len(truth)))


def _kinds(overlaps: Floats, category: Ints, owner: Ints,
           hit: Bools) -> tuple[Ints, Ints]:
    """Of each detection of an image, the kind of its error (-1 if it is none) and the object that it is about (-1)."""
    kind, target = np.full(len(category), -1), np.full(len(category), -1)
    if not len(owner):
        kind[~hit] = KINDS.index('background')
        return kind, target
    same = category[:, None] == owner[None, :]
    own, other = np.where(same, overlaps, -1), np.where(same, -1, overlaps)
    best_own, best_other = own.max(1), other.max(1)
    rules = (
        ('localisation', (best_own >= BACKGROUND) & (best_own < FOREGROUND), own.argmax(1)),
        ('classification', best_other >= FOREGROUND, other.argmax(1)),
        ('duplicate', best_own >= FOREGROUND, own.argmax(1)),
        ('background', np.maximum(best_own, best_other) < BACKGROUND, np.full(len(category), -1)),
        ('both', np.ones(len(category), bool), other.argmax(1)),
    )
    free = ~hit
    for name, holds, about in rules:  # the first that holds
        kind[free & holds] = KINDS.index(name)
        target[free & holds] = about[free & holds]
        free = free & ~holds
    return kind, target
