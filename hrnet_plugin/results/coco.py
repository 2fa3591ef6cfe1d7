"""Predictions in the results format of COCO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.array_types import Bools, Floats

if TYPE_CHECKING:
    from hrnet_plugin.results.prediction import Prediction

_LEAST_KEYPOINT_SCORE = 0.2
# COCO has 80 classes with IDs up to 90
_COCO_ENDS = ('person', 'toothbrush')
_COCO_IDS = tuple(number for number in range(1, 91) if number not in {12, 26, 29, 30, 45, 66, 68, 69, 71, 83})


def coco_entries(prediction: Prediction, image_id: int, category_ids: Mapping[str, int] | None) -> list[dict[str, Any]]:
    """Return the entries of :meth:`~hrnet_plugin.results.prediction.Prediction.to_coco`.

    Args:
        prediction: Prediction.
        image_id: ID of the image.
        category_ids: Class name -> category ID, or None for the default.
    """
    if prediction.label_map is not None:
        return [dict(image_id=image_id, category_id=_category(prediction, label, category_ids), score=1.0,
                     segmentation=encode_mask(mask)) for label, mask in segments(prediction.label_map)]
    entries = []
    for index in range(len(prediction)):
        entry = dict(image_id=image_id, **_object(prediction, index))
        entry['category_id'] = _category(prediction, _label(prediction, index), category_ids)
        entries.append(entry)
    return entries


def segments(label_map: NDArray[np.int64]) -> Iterator[tuple[int, Bools]]:
    """Yield label and mask of each class in a label map."""
    for label in np.unique(label_map).tolist():
        yield label, label_map == label


def encode_mask(mask: Bools) -> dict[str, Any]:
    """Return the compressed run-length encoding (RLE) of a mask: 'size' and 'counts' as text."""
    from pycocotools import mask as api  # comes with mmdet and mmpose
    rle = api.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(mask.shape), counts=rle['counts'].decode('ascii'))


def keypoint_rows(points: Floats, scores: Floats) -> list[list[float]]:
    """Return (x, y, score) of each keypoint of an object."""
    return [[*map(float, point), float(score)] for point, score in zip(points, scores)]


def _object(prediction: Prediction, index: int) -> dict[str, Any]:
    if prediction.boxes is None or prediction.scores is None:
        raise ValueError(f'the prediction on {prediction.name} must have boxes and scores, got none')
    left, top, right, bottom = map(float, prediction.boxes[index])
    entry: dict[str, Any] = dict(bbox=[left, top, right - left, bottom - top], score=float(prediction.scores[index]))
    if prediction.masks is not None:
        entry['segmentation'] = encode_mask(prediction.masks[index])
    if prediction.keypoints is not None and prediction.keypoint_scores is not None:
        scores = prediction.keypoint_scores[index]
        rows = keypoint_rows(prediction.keypoints[index], scores)
        good = scores[scores > _LEAST_KEYPOINT_SCORE]
        entry.update(keypoints=[value for row in rows for value in row],
                     score=entry['score'] * (float(good.mean()) if good.size else 0.))
    return entry


def _label(prediction: Prediction, index: int) -> int:
    return 0 if prediction.labels is None else int(prediction.labels[index])


def _category(prediction: Prediction, label: int, category_ids: Mapping[str, int] | None) -> int:
    name = prediction.class_name(label)
    if category_ids is not None:
        return category_ids[name or 'person']
    classes = prediction.meta.classes
    if len(classes) == len(_COCO_IDS) and (classes[0], classes[-1]) == _COCO_ENDS:
        return _COCO_IDS[label]
    return label + 1
