"""Keypoints in COCO's format: checks, and the sigmas of object keypoint similarity (OKS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.detections import is_finite_number, short

if TYPE_CHECKING:
    from pycocotools.coco import COCO

#: Sigmas of the 17 keypoints of COCO's persons.
COCO_SIGMAS = {
    'nose': .026, 'left_eye': .025, 'right_eye': .025, 'left_ear': .035, 'right_ear': .035, 'left_shoulder': .079,
    'right_shoulder': .079, 'left_elbow': .072, 'right_elbow': .072, 'left_wrist': .062, 'right_wrist': .062,
    'left_hip': .107, 'right_hip': .107, 'left_knee': .087, 'right_knee': .087, 'left_ankle': .089,
    'right_ankle': .089}
_BOX_SHARE = 0.53  # area of a person in its box, which xtcocotools assumes for annotations without an area


def keypoint_names(truth: COCO) -> list[str]:
    """Return the names of the keypoints, which all categories with keypoints must share.

    Raises:
        ValueError: If no category has keypoints, or two have different ones.
    """
    found = {tuple(category['keypoints']) for category in truth.cats.values() if _has_names(category)}
    if len(found) != 1:
        raise ValueError('annotations must have one or more categories with the same list of keypoints, got '
                         f'{len(found)} lists. Use annotations of keypoints, e.g. person_keypoints_val2017.json.')
    return list(found.pop())


def keypoint_categories(truth: COCO) -> list[int]:
    """Return the IDs of the categories with keypoints."""
    return sorted(number for number, category in truth.cats.items() if _has_names(category))


def choose_sigmas(names: Sequence[str], sigmas: Sequence[float] | None = None) -> Floats:
    """Return the sigmas of keypoints, by default those of COCO's persons.

    Args:
        names: Names of the keypoints.
        sigmas: Sigmas, one per keypoint.

    Raises:
        ValueError: If the sigmas are invalid, or there are none and the keypoints are not those of COCO.
    """
    if sigmas is None:
        if list(names) != list(COCO_SIGMAS):
            raise ValueError(f'sigmas must be given for keypoints other than those of COCO, got {len(names)} keypoints '
                             f'{short(list(names))}. Their config in mmpose has them in dataset_info.')
        return np.array(list(COCO_SIGMAS.values()))
    if len(sigmas) != len(names) or not all(is_finite_number(sigma) and sigma > 0 for sigma in sigmas):
        raise ValueError(f'sigmas must be {len(names)} positive numbers, one per keypoint of the annotations, got '
                         f'{len(sigmas)}: {short(list(sigmas))}')
    return np.array(sigmas, float)


def complete_keypoints(annotation: dict[str, Any], number: int) -> None:
    """Set ``num_keypoints``, and a missing area as xtcocotools does. Missing keypoints are unlabeled.

    Args:
        annotation: Annotation of an object, changed in place.
        number: Number of keypoints.
    """
    annotation.setdefault('keypoints', [0] * 3 * number)
    if not keypoints_error(annotation['keypoints'], number):
        annotation['num_keypoints'] = int(np.count_nonzero(np.array(annotation['keypoints'][2::3]) > 0))
    box = annotation.get('bbox')
    if 'area' not in annotation and isinstance(box, list) and len(box) == 4 and all(map(is_finite_number, box)):
        annotation['area'] = box[2] * box[3] * _BOX_SHARE


def keypoints_error(keypoints: Any, number: int) -> str:
    """Return an error message for invalid keypoints, or an empty string."""
    if not isinstance(keypoints, list) or len(keypoints) != 3 * number:
        got = f'{len(keypoints)} numbers' if isinstance(keypoints, list) else short(keypoints)
        return f'keypoints must be {number} times x, y and score or visibility, got {got}'
    return '' if all(map(is_finite_number, keypoints)) else f'keypoints must be finite numbers, got {short(keypoints)}'


def has_boxes(results: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if all results have a box, from which the COCO API then takes their area."""
    boxes = (result.get('bbox') for result in results)
    return all(isinstance(box, list) and len(box) == 4 and all(map(is_finite_number, box)) for box in boxes)


def _has_names(category: Mapping[str, Any]) -> bool:
    names = category.get('keypoints')
    return isinstance(names, list) and bool(names) and all(isinstance(name, str) for name in names)
