"""Masks as COCO writes them: runs of pixels, column by column, compressed to text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


def rle_error(rle: Any, height: int, width: int) -> str:
    """What is wrong with a compressed mask of an image; empty if nothing is.

    The COCO API does not check: a mask with too many runs is written beyond its memory.
    """
    if not isinstance(rle, dict) or 'size' not in rle or 'counts' not in rle:
        return f"segmentation must be an RLE with 'size' and 'counts', got a {type(rle).__name__}"
    if list(rle['size'] if isinstance(rle['size'], (list, tuple)) else []) != [height, width]:
        return f'segmentation must have the size of its image, [{height}, {width}], got {rle["size"]!r}'
    if not isinstance(rle['counts'], str):
        return f'segmentation.counts must be compressed text, got a {type(rle["counts"]).__name__}'
    try:
        runs = decode_counts(rle['counts'])
    except ValueError as error:
        return f'segmentation.counts {error}'
    if (runs < 0).any() or runs.sum() != height * width:
        return (f'segmentation.counts must be runs that add up to the {height * width} pixels of the image, '
                f'got {runs.sum()}')
    return ''


def is_empty(rle: dict[str, Any]) -> bool:
    """Whether a mask that :func:`rle_error` has found nothing wrong with has no pixels, as detectors may write."""
    return not decode_counts(rle['counts'])[1::2].any()


@lru_cache(maxsize=1)  # a mask is asked twice, one time after the other
def decode_counts(text: str) -> np.ndarray:
    """Lengths of the runs, of background and object in turn.

    Five bits a character, from 48 on, the sixth says that the number goes on; signed, and from the fourth number on the
    difference from the one before the last.

    Raises:
        ValueError: If a character is not one of them, or the last number does not end.
    """
    codes = np.frombuffer(text.encode('utf-8', 'replace'), dtype=np.uint8).astype(np.int64) - 48
    if codes.size == 0 or codes.min() < 0 or codes.max() > 63:
        raise ValueError(f'must be made of the characters from 0 to o, got {text[:20]!r}')
    last = (codes & 32) == 0
    if not last[-1]:
        raise ValueError(f'must end with a whole number, got ...{text[-10:]!r}')
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() > 6:
        raise ValueError('must be numbers of at most seven characters, got a longer one')
    place = np.arange(codes.size) - np.repeat(starts, ends - starts + 1)
    numbers = np.add.reduceat((codes & 31) << (5 * place), starts)
    negative = (codes[ends] & 16) != 0
    numbers = numbers - (negative.astype(np.int64) << (5 * (ends - starts + 1)))
    # differences from the one before the last: sums of every second one
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs
