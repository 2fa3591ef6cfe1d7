"""Checks of segmentations in COCO's format: run-length encodings (RLE) and polygons.

The COCO API does not check them. An invalid one makes it hang, crash, allocate gigabytes or compute wrong metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from hrnet_plugin.array_types import Ints
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.json_types import Json

#: Error message for an RLE that is valid but for a run without pixels.
ZERO_RUN = 'segmentation.counts must be runs of at least 1 pixel after the first, got 0'

_CHARACTERS = 6  # per number in compressed counts; the API decodes to 32 bits and allocates no more
_MOST_PIXELS = 2**29  # per image, so that any difference of two runs has at most 6 characters


def image_size_error(height: Any, width: Any) -> str:
    """Return an error message for an invalid image size, or an empty string.

    Integers and floats without a fraction are valid, since annotation files contain both.
    """
    if is_whole(height) and is_whole(width) and 0 < min(height, width) <= max(height, width) < _MOST_PIXELS \
            and height * width < _MOST_PIXELS:
        return ''
    return (f'height and width must be positive integers with a product below {_MOST_PIXELS}, got {short(height)} and '
            f'{short(width)}')


def is_whole(value: Json | np.integer[Any]) -> bool:
    """Return True if a value is a finite number without a fraction, and no bool."""
    return isinstance(value, (int, float, np.integer)) and not isinstance(value, bool) and bool(value % 1 == 0)


def rle_error(rle: Any, height: int, width: int) -> str:
    """Return an error message for an invalid compressed RLE, or an empty string.

    Args:
        rle: Dict with 'size' and 'counts'. The counts are str, or bytes as pycocotools returns them.
        height, width: Size of the image in pixels.
    """
    wrong = _size_error(rle, height, width)
    if wrong:
        return wrong
    counts, most = rle['counts'], _CHARACTERS * (height * width + 2)
    if not isinstance(counts, (str, bytes)):
        return f'segmentation.counts must be compressed text, got a {type(counts).__name__}'
    if len(counts) > most:
        return f'segmentation.counts must have at most {most} characters for its image, got {len(counts)}'
    try:
        runs = decode_counts(counts)
    except ValueError as error:
        return f'segmentation.counts {error}'
    return _runs_error(runs, height * width)


def segmentation_error(segmentation: Any, height: int, width: int) -> str:
    """Return an error message for an invalid segmentation of an annotation, or an empty string.

    Args:
        segmentation: List of polygons, RLE with a list of counts, or compressed RLE.
        height, width: Size of the image in pixels.
    """
    if isinstance(segmentation, list):
        return _polygons_error(segmentation, height, width)
    wrong = _counts_error(segmentation, height, width)
    if wrong:
        return wrong
    counts = segmentation['counts']
    runs = np.array(counts) if isinstance(counts, list) else decode_counts(counts)
    if (runs[1:-1] == 0).any():  # the API stops comparing two masks at a zero run that both have
        return ZERO_RUN
    return ''


def is_empty(rle: dict[str, Any]) -> bool:
    """Return True if a valid compressed RLE has no pixels."""
    return not decode_counts(rle['counts'])[1::2].any()


@lru_cache(maxsize=1)  # rle_error() and its caller decode the same mask
def decode_counts(text: str | bytes) -> Ints:
    """Decode compressed counts to the run lengths of background and object, alternating.

    A character encodes five bits, offset by 48. Its sixth bit is set if the number continues. Numbers are signed. From
    the fourth number on, they are differences from the last run but one.

    Raises:
        ValueError: If a character is invalid, or a number is too long or incomplete.
    """
    encoded = text if isinstance(text, bytes) else text.encode('utf-8', 'surrogatepass')
    codes = np.frombuffer(encoded, dtype=np.uint8).astype(np.int64) - 48
    if codes.size == 0 or codes.min() < 0 or codes.max() > 63:
        raise ValueError(f'must be made of the characters from 0 to o, got {text[:20]!r}')
    last = (codes & 32) == 0
    if not last[-1]:
        raise ValueError(f'must end with a complete number, got ...{text[-10:]!r}')
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() >= _CHARACTERS:
        raise ValueError('must be numbers of at most six characters, got a longer one')
    position = np.arange(codes.size) - np.repeat(starts, ends - starts + 1)
    numbers = np.add.reduceat((codes & 31) << (5 * position), starts)
    negative = (codes[ends] & 16) != 0
    numbers = numbers - (negative.astype(np.int64) << (5 * (ends - starts + 1)))
    # undo the differences: cumulative sums over every second number
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs


def _size_error(rle: Any, height: int, width: int) -> str:
    if type(rle) is not dict or 'size' not in rle or 'counts' not in rle:  # the API rejects subclasses of dict
        got = short(list(rle)) if isinstance(rle, dict) else f'a {type(rle).__name__}'
        return f"segmentation must be an RLE with 'size' and 'counts', got {got}"
    size = rle['size']
    if not isinstance(size, (list, tuple)) or list(size) != [height, width] or not all(map(is_whole, size)):
        return f'segmentation must have the size of its image, [{height}, {width}], got {short(size)}'
    return ''


def _runs_error(runs: Ints, pixels: int) -> str:
    if runs.size and runs.min() < 0:
        return f'segmentation.counts must be runs of 0 or more pixels, got {runs.min()}'
    if runs.sum() != pixels:
        return f'segmentation.counts must be runs that add up to the {pixels} pixels of the image, got {runs.sum()}'
    return ''


def _counts_error(rle: Any, height: int, width: int) -> str:
    """Return an error message for an invalid RLE whose counts are a list or compressed."""
    if not isinstance(rle, dict):
        return f'segmentation must be polygons or an RLE, got {short(rle)}'
    counts = rle.get('counts')
    if not isinstance(counts, list):
        return rle_error(rle, height, width)
    for run in counts:
        if not is_whole(run) or not 0 <= run <= height * width:
            return f'segmentation.counts must be integers from 0 to the {height * width} pixels, got {short(run)}'
    return _size_error(rle, height, width) or _runs_error(np.array(counts, np.int64), height * width)


def _polygons_error(polygons: Sequence[Any], height: int, width: int) -> str:
    if not polygons:
        return 'segmentation must have at least one polygon, got an empty list'
    # the API reads four numbers as a box, and infers the type of all elements from the first
    errors = (_polygon_error(polygon, 4 if k else 6, height, width) for k, polygon in enumerate(polygons))
    return next(filter(None, errors), '')


def _polygon_error(polygon: Any, least: int, height: int, width: int) -> str:
    if not isinstance(polygon, list) or not {int, float}.issuperset(map(type, polygon)):
        return f'segmentation must be polygons [x1, y1, x2, y2, ...], got {short(polygon)}'
    if len(polygon) < least or len(polygon) % 2:
        return f'segmentation must be polygons of at least {least // 2} points with x and y, got {len(polygon)} numbers'
    # the API allocates memory for each pixel of the outline, even outside the image
    most = min(4 * height * width + 2**16, 2**22)
    if _reach_bound(polygon) <= most or _reach(polygon) <= most:  # False for NaN
        return ''
    return (f'segmentation must have finite coordinates near its image of {width} x {height} and outlines of at most '
            f'{most} pixels, got {short(polygon)}')


def _reach_bound(polygon: Sequence[float]) -> float:
    """Return an upper bound of the reach, which takes less time to compute. NaN if a number is NaN."""
    least, most = min(polygon), max(polygon)
    try:
        return max(len(polygon) // 2 * (most - least), most, -least) + 0 * sum(polygon)
    except OverflowError:  # an integer of hundreds of digits
        return float('inf')


def _reach(polygon: Sequence[float]) -> float:
    """Return the length of the outline, or the largest coordinate if that is larger."""
    try:
        points = np.array(polygon, float).reshape(-1, 2)
    except OverflowError:  # an integer of hundreds of digits
        return float('inf')
    with np.errstate(invalid='ignore', over='ignore'):
        steps = np.abs(np.diff(points, axis=0, append=points[:1])).max(axis=1)
        return float(np.maximum(steps.sum(), np.abs(points).max()))
