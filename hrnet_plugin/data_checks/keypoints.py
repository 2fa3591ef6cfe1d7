"""Checks of keypoints of annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrnet_plugin.array_types import Bools, Ints
from hrnet_plugin.data_checks.coco_file import CocoFile, Section, indices
from hrnet_plugin.data_checks.columns import Columns, Use, is_number_list, key, key_of, number_rows
from hrnet_plugin.data_checks.finding import Finding

_CHUNK = 2**15  # annotations, to bound the memory
_TOLERANCE = 1.  # pixels that a keypoint may be outside of its image


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Properties of the keypoints of N annotations.

    Attributes:
        labeled: Number of labeled keypoints, shape (N,). -1 if the keypoints are missing or invalid.
        infinite: Whether a coordinate or visibility is NaN or infinite, shape (N,).
        negative: Whether a visibility is negative, shape (N,).
        fractional: Whether a positive visibility is neither 1 nor 2, shape (N,).
        outside: Whether a labeled keypoint is outside of the image, shape (N,).
    """

    labeled: Ints
    infinite: Bools
    negative: Bools
    fractional: Bools
    outside: Bools


def count_keypoints(data: CocoFile) -> int | None:
    """Return the most frequent number of keypoints of an annotation, None if none has keypoints."""
    rows = data.annotations.column('keypoints')
    lengths = Counter(len(row) // 3 for row in rows if isinstance(row, list) and row and len(row) % 3 == 0)
    return lengths.most_common(1)[0][0] if lengths else None


def check_keypoints(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    """Yield findings about missing and invalid keypoints."""
    notes, expected = data.annotations, _expected_counts(data)
    effect = "raises KeyError: 'keypoints'" if use.evaluated else 'leaves them out of training'
    yield from notes.report(notes.without('keypoints'), 'without keypoints',
                            f'{"The COCO API" if use.evaluated else "mmpose"} {effect}. Add them, or remove the '
                            'annotations.', is_error=use.evaluated)
    yield from _check_lengths(notes, expected)
    labels = _read_labels(notes, columns, expected)
    yield from _check_values(notes, labels)
    yield from _check_counts(notes, columns, labels)
    is_read = (labels.labeled >= 0).any() or count_keypoints(data) is None  # otherwise, the lengths are wrong
    if is_read and not ((labels.labeled > 0) & ~columns.crowd).any():
        yield Finding(is_error=True, message=(
            f"{notes.file}: no annotation has labeled keypoints. mmpose raises 'need at least one array to "
            "concatenate', or learns nothing. Label keypoints with a visibility of 1 or 2."))
    unnamed = [number for number, entry in enumerate(data.categories.entries) if not entry.get('keypoints')]
    yield from data.categories.report(unnamed, "without names in 'keypoints'", 'The number of keypoints cannot be '
                                      "checked. Add the names in the order of the dataset's metainfo.", is_error=False)


def _expected_counts(data: CocoFile) -> list[int | None]:
    """Return the number of keypoints that each annotation must have: that of its category, or the most frequent one."""
    common = count_keypoints(data)
    counts = {key(category): len(names) for category in data.categories.entries
              if isinstance(names := category.get('keypoints'), list) and names}
    return [counts.get(key_of(value), common) for value in data.annotations.column('category_id')]


def _check_lengths(notes: Section, expected: list[int | None]) -> Iterator[Finding]:
    wrong: list[int] = []
    text: list[int] = []
    for number, entry in enumerate(notes.entries):
        row, count = entry.get('keypoints'), expected[number]
        if 'keypoints' not in entry or (count is not None and is_number_list(row, 3 * count)):
            continue
        (text if isinstance(row, list) and count is not None and len(row) == 3 * count else wrong).append(number)
    if wrong:
        first, count = notes.entries[wrong[0]]['keypoints'], expected[wrong[0]] or 0
        got = f'{len(first)} numbers instead of {3 * count}' if isinstance(first, list) else 'no list'
        yield from notes.report(wrong, 'whose keypoints have a wrong length', 'mmpose raises an error in training, and '
                                'so does the COCO API. Use [x, y, visibility] for each keypoint of the category.',
                                example=got)
    yield from notes.report(text, 'whose keypoints contain text or null', 'xtcocotools raises TypeError, and mmpose '
                            'leaves out null. Use numbers, and 0, 0, 0 for keypoints that are not labeled.')


def _read_labels(notes: Section, columns: Columns, expected: list[int | None]) -> Labels:
    total = len(notes.entries)
    labels = Labels(labeled=np.full(total, -1), **{name: np.zeros(total, bool) for name in (
        'infinite', 'negative', 'fractional', 'outside')})
    counts = np.array([count or 0 for count in expected], int)
    for count in set(counts.tolist()) - {0}:
        numbers = indices(counts == count)
        for start in range(0, len(numbers), _CHUNK):
            _read_chunk(notes, columns, labels, numbers[start:start + _CHUNK], count)
    return labels


def _read_chunk(notes: Section, columns: Columns, labels: Labels, numbers: Ints, count: int) -> None:
    rows: list[Any] = [notes.entries[number].get('keypoints') for number in numbers]
    points, valid = number_rows(rows, 3 * count)
    numbers, points = numbers[valid], points[valid].reshape(-1, count, 3)
    visible, places = points[..., 2], points[..., :2]
    with np.errstate(invalid='ignore'):
        beyond = (places < -_TOLERANCE) | (places > columns.sizes[numbers, None, ::-1] + _TOLERANCE)
        labels.labeled[numbers] = (visible > 0).sum(axis=1)
        labels.infinite[numbers] = ~np.isfinite(points).all(axis=(1, 2))
        labels.negative[numbers] = (visible < 0).any(axis=1)
        labels.fractional[numbers] = ((visible > 0) & ~np.isin(visible, (1, 2))).any(axis=1)
        labels.outside[numbers] = (beyond.any(axis=2) & (visible > 0)).any(axis=1)


def _check_values(notes: Section, labels: Labels) -> Iterator[Finding]:
    yield from notes.report(indices(labels.infinite), 'whose keypoints are NaN or infinite',
                            'mmpose leaves them out, or the loss becomes NaN. Use 0, 0, 0 for keypoints that are not '
                            'labeled.')
    yield from notes.report(indices(labels.negative), 'with a negative visibility', 'mmpose uses it as weight of the '
                            'keypoint, so that training increases the error. Use 0 for keypoints that are not labeled.')
    yield from notes.report(indices(labels.fractional), 'with a visibility other than 0, 1 and 2',
                            'mmpose uses the smaller of it and 1 as weight of the keypoint. Use 1 for occluded and 2 '
                            'for visible keypoints.', is_error=False)
    yield from notes.report(indices(labels.outside), 'with labeled keypoints outside of the image',
                            'mmpose leaves out those outside of the crop, but the COCO API counts them. Set their '
                            'visibility to 0, or correct them.', is_error=False)


def _check_counts(notes: Section, columns: Columns, labels: Labels) -> Iterator[Finding]:
    """Yield findings about num_keypoints and annotations without labeled keypoints."""
    yield from notes.report(notes.without('num_keypoints'), 'without num_keypoints',
                            'mmpose counts the keypoints itself, but pycocotools, CrowdPose and the datasets of faces '
                            'and hands raise KeyError. Add the number of keypoints with a visibility above 0.',
                            is_error=False)
    wrong = [number for number, (entry, labeled) in enumerate(zip(notes.entries, labels.labeled.tolist()))
             if labeled >= 0 and entry.get('num_keypoints', labeled) != labeled]
    yield from notes.report(wrong, 'whose num_keypoints is not the number of labeled keypoints',
                            'mmpose and pycocotools leave out annotations for which it is 0. Use the number of '
                            'keypoints with a visibility above 0.', is_error=False)
    empty = (labels.labeled == 0) & ~columns.crowd
    yield from notes.report(indices(empty), 'without labeled keypoints', 'mmpose leaves them out of training or gives '
                            'them no weight, and the COCO API ignores them. Nothing to fix if this is intended.',
                            is_error=False)
