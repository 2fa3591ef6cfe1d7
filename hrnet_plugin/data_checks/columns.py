"""Columns of the annotations of a file, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from hrnet_plugin.array_types import Bools, Floats
from hrnet_plugin.data_checks.coco_file import CocoFile
from hrnet_plugin.evaluation.rle import image_size_error
from hrnet_plugin.json_types import Json

_NUMBERS = {int, float}  # no bool


@dataclass(frozen=True, kw_only=True)
class Use:
    """Use of a file by training and evaluation.

    Attributes:
        masks: Whether segmentations are used.
        keypoints: Whether keypoints are used, by mmpose. Otherwise, mmdet uses the boxes.
        evaluated: Whether the file is ground truth of the COCO API.
    """

    masks: bool
    keypoints: bool
    evaluated: bool


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of N annotations.

    Attributes:
        boxes: Boxes [x, y, width, height] in pixels, shape (N, 4). Rows are NaN if the box is not four numbers.
        has_box: Whether the box is a list of four numbers, finite or not, shape (N,).
        areas: Areas in pixels, shape (N,). NaN if the area is no number.
        has_area: Whether the area is a number, finite or not, shape (N,).
        sizes: Height and width of the image in pixels, shape (N, 2). NaN if the image is unknown or its size
            is invalid.
        crowd: Whether iscrowd is set, shape (N,).
        known: Whether image and category are known, shape (N,).
    """

    boxes: Floats
    has_box: Bools
    areas: Floats
    has_area: Bools
    sizes: Floats
    crowd: Bools
    known: Bools


def read_columns(data: CocoFile) -> Columns:
    """Read the columns of all annotations."""
    sizes = {key(image): _image_size(image) for image in data.images.entries if 'id' in image}
    categories = {key(category) for category in data.categories.entries if 'id' in category}
    notes = data.annotations
    images = [key_of(value) for value in notes.column('image_id')]
    unknown = (np.nan, np.nan)
    crowd = [value in (1, True) for value in notes.column('iscrowd')]
    known = [image in sizes and key_of(category) in categories
             for image, category in zip(images, notes.column('category_id'))]
    boxes, has_box = number_rows(notes.column('bbox'), 4)
    areas, has_area = number_rows([[value] for value in notes.column('area')], 1)
    return Columns(boxes=boxes, has_box=has_box, areas=areas[:, 0], has_area=has_area,
                   sizes=np.array([sizes.get(image, unknown) for image in images], float).reshape(-1, 2),
                   crowd=np.array(crowd, bool), known=np.array(known, bool))


def number_rows(rows: Sequence[Any], length: int) -> tuple[Floats, Bools]:
    """Return lists of numbers as rows of an array.

    Args:
        rows: JSON values.
        length: Number of numbers in a valid row.

    Returns:
        Array of shape (len(rows), length), and whether the rows are valid. Invalid rows are NaN.
    """
    valid = np.array([is_number_list(row, length) for row in rows], bool)
    array = np.full((len(rows), length), np.nan)
    numbers = list(compress(rows, valid))
    try:
        array[valid] = np.array(numbers, float).reshape(-1, length)
    except OverflowError:  # an integer of hundreds of digits
        array[valid] = [[_to_float(value) for value in row] for row in numbers]
    return array, valid


def is_number_list(row: Json, length: int) -> bool:
    """Return True if a JSON value is a list of ``length`` numbers, finite or not."""
    return type(row) is list and len(row) == length and _NUMBERS.issuperset(map(type, row))


def key(entry: dict[str, Any]) -> Any:
    """Return the ID of an entry, None if it is missing or has no valid type."""
    return key_of(entry.get('id'))


def key_of(value: Json) -> Any:
    """Return an ID, None if it has no valid type."""
    return None if isinstance(value, (list, dict)) else value


def _image_size(image: dict[str, Any]) -> tuple[float, float]:
    height, width = image.get('height', 0), image.get('width', 0)
    return (np.nan, np.nan) if image_size_error(height, width) else (float(height), float(width))


def _to_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float('inf')
