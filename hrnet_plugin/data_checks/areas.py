"""Checks of area, iscrowd and ignore of annotations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hrnet_plugin.data_checks.coco_file import CocoFile, Section, indices
from hrnet_plugin.data_checks.columns import Columns, Use
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.json_types import Json

_FIX = 'Add the area in pixels, e.g. width * height of the box.'


def check_areas(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    """Yield findings about missing and invalid areas."""
    notes = data.annotations
    if use.keypoints and not use.evaluated:
        return  # only the COCO API reads them
    reader = 'xtcocotools raises {} in the evaluation' if use.keypoints else 'mmdet raises {} when it loads the file'
    missing = notes.without('area')
    yield from notes.report(missing, 'without area', f'{reader.format("KeyError: " + repr("area"))}. {_FIX}')
    wrong = [number for number in indices(~columns.has_area) if 'area' in notes.entries[number]]
    yield from notes.report(wrong, 'whose area is not a number', f'{reader.format("TypeError")}. {_FIX}')
    with np.errstate(invalid='ignore'):
        sides = np.maximum(columns.boxes[:, 2:], 0) + 2  # pixels at both edges count for some tools
        large = np.isfinite(columns.areas) & (columns.areas > 1.1 * sides.prod(axis=1))
        empty = columns.areas <= 0
    if use.evaluated:
        infinite = columns.has_area & ~np.isfinite(columns.areas)
        yield from notes.report(indices(infinite), 'whose area is NaN or infinite',
                                f'The COCO API counts them for wrong object sizes. {_FIX}')
        yield from notes.report(indices(large), 'with an area larger than the box', 'The COCO API takes the size of '
                                'objects from it, so that AP of small, medium and large objects is wrong. Compute the '
                                'areas again, e.g. after a change of the image size.', is_error=False)
    effect = 'No detection matches them' if use.keypoints else 'mmdet leaves them out of training without a message'
    yield from notes.report(indices(empty), 'with zero or negative area', f'{effect}. {_FIX}', is_error=False)


def check_flags(data: CocoFile, use: Use) -> Iterator[Finding]:
    """Yield findings about iscrowd and ignore."""
    notes = data.annotations
    yield from _check_crowd(notes, use)
    if not use.keypoints:
        crowd = notes.column('iscrowd')
        ignored = [number for number, value in enumerate(notes.column('ignore')) if value and not crowd[number]]
        counted = ', but the COCO API counts them as objects' if use.evaluated else ''
        yield from notes.report(ignored, 'with ignore', f'mmdet leaves them out of training{counted}. Set iscrowd to 1 '
                                                        'instead, for which all tools ignore them.', is_error=False)


def _check_crowd(notes: Section, use: Use) -> Iterator[Finding]:
    if use.evaluated:
        tool = 'xtcocotools takes it as 0, but pycocotools' if use.keypoints else 'The COCO API'
        yield from notes.report(notes.without('iscrowd'), 'without iscrowd',
                                f"{tool} raises KeyError: 'iscrowd' in the evaluation. Add iscrowd: 0.",
                                is_error=not use.keypoints)
        nulls = [number for number, entry in enumerate(notes.entries) if entry.get('iscrowd', 0) is None]
        yield from notes.report(nulls, 'whose iscrowd is null',
                                'The COCO API raises TypeError in the evaluation. Use the numbers 0 and 1.')
    wrong = [number for number, value in enumerate(notes.column('iscrowd')) if not _is_flag(value)]
    yield from notes.report(wrong, 'whose iscrowd is not 0 or 1',
                            'The hosts ignore such objects in training. Use the numbers 0 and 1.')


def _is_flag(value: Json) -> bool:
    """Return True for 0, 1, and for null, which is 0 in training."""
    return value is None or (not isinstance(value, (str, list)) and value in (0, 1))
