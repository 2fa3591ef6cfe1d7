"""Objects and predictions of an evaluation as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.coco_keypoints import has_boxes
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.evaluation.matching.groups import count_within

#: Boxes of shape (N, 4), keypoints of shape (N, K, 3), or a list of N RLEs.
Shapes = Floats | list[Any]


@dataclass(frozen=True, kw_only=True)
class Instances:
    """Objects or predictions, by image.

    Attributes:
        image, category: Indices in ``imgIds`` and ``catIds``, shape (N,).
        area: Areas in pixels, shape (N,).
        shapes: Boxes, RLEs or keypoints.
    """

    image: Ints
    category: Ints
    area: Floats
    shapes: Shapes

    @property
    def points(self) -> Floats:
        """Keypoints, shape (N, K, 3). For 'keypoints' only."""
        return np.asarray(self.shapes)

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, kw_only=True)
class Objects(Instances):
    """Ground-truth objects. Those of an image are in the order of their file.

    Attributes:
        crowd: True for crowds, which several predictions can match, shape (N,).
        ignored: True for objects that do not count: crowds, and persons without labeled keypoints. Shape (N,).
        boxes: Boxes of persons, shape (N, 4). Empty for other kinds.
    """

    crowd: Bools
    ignored: Bools
    boxes: Floats


@dataclass(frozen=True, kw_only=True)
class Predictions(Instances):
    """Predictions. Those of an image are by class and descending score.

    Attributes:
        score: Scores, shape (N,).
        rank: Number of predictions of the same image and class with higher scores, shape (N,).
    """

    score: Floats
    rank: Ints


def collect_objects(truth: COCO, kind: str, images: Sequence[int], categories: Sequence[int]) -> Objects:
    """Collect checked annotations of these images and categories."""
    chosen = truth.getAnnIds(imgIds=images, catIds=categories) if images and categories else []  # [] selects all
    found = truth.loadAnns(chosen)
    crowd = np.array([annotation['iscrowd'] for annotation in found], bool)
    unlabeled = np.array([kind == 'keypoints' and annotation['num_keypoints'] == 0 for annotation in found], bool)
    shapes: Shapes = ([truth.annToRLE(annotation) for annotation in found] if kind == 'segm' else
              _stack([annotation[SHAPES[kind]] for annotation in found], kind))
    boxes = [annotation['bbox'] for annotation in found] if kind == 'keypoints' else []
    return Objects(
        image=_places([annotation['image_id'] for annotation in found], images),
        category=_places([annotation['category_id'] for annotation in found], categories),
        area=np.array([annotation['area'] for annotation in found], float), crowd=crowd, ignored=crowd | unlabeled,
        shapes=shapes, boxes=np.array(boxes, float).reshape(-1, 4))


def collect_predictions(results: Sequence[Mapping[str, Any]], kind: str, images: Sequence[int],
                        categories: Sequence[int], most: int) -> Predictions:
    """Collect the predictions with the highest scores.

    Equal scores keep the order of the results.

    Args:
        results: Checked detections in COCO's results format.
        kind: 'bbox', 'segm' or 'keypoints'.
        images, categories: IDs to evaluate. Other predictions are left out.
        most: Maximum number of predictions per image and class.
    """
    image = _places([result['image_id'] for result in results], images)
    category = _places([result['category_id'] for result in results], categories)
    score = np.array([result['score'] for result in results], float)
    order = np.lexsort((-score, category, image))  # stable
    order = order[(image[order] >= 0) & (category[order] >= 0)]
    rank = count_within(image[order] * len(categories) + category[order])
    order, rank = order[rank < most], rank[rank < most]
    found = [results[k][SHAPES[kind]] for k in order]
    shapes: Shapes = found if kind == 'segm' else _stack(found, kind)
    boxes = np.array([results[k]['bbox'] for k in order], float).reshape(-1, 4) if (
        kind == 'keypoints' and results and has_boxes(results)) else None
    return Predictions(image=image[order], category=category[order], score=score[order], rank=rank, shapes=shapes,
                       area=_areas(shapes, kind, boxes))


def _places(ids: Sequence[Any], known: Sequence[Any]) -> Ints:
    """Return the index of each ID in ``known``, or -1."""
    place_of = {number: k for k, number in enumerate(known)}
    return np.array([place_of.get(number, -1) for number in ids], np.int64)


def _stack(shapes: Sequence[Any], kind: str) -> Floats:
    found = np.array(shapes, float)
    return found.reshape(len(shapes), -1, 3) if kind == 'keypoints' and shapes else found.reshape(-1, 4)


def _areas(shapes: Shapes, kind: str, boxes: Floats | None) -> Floats:
    """Compute the areas of predictions as ``COCO.loadRes`` does.

    Args:
        shapes: Boxes, RLEs or keypoints.
        kind: 'bbox', 'segm' or 'keypoints'.
        boxes: Boxes of persons whose results have them. Otherwise, the extent of the keypoints is used.
    """
    if not len(shapes):
        return np.zeros(0)
    if isinstance(shapes, list):
        return np.asarray(mask.area(shapes), float)
    if kind == 'keypoints' and boxes is None:
        extent = np.ptp(shapes[:, :, :2], axis=1)
        return np.asarray(extent[:, 0] * extent[:, 1])
    boxes = shapes if boxes is None else boxes
    return np.asarray(boxes[:, 2] * boxes[:, 3])
