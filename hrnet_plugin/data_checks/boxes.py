"""Checks of boxes and areas of annotations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hrnet_plugin.array_types import Bools, Floats
from hrnet_plugin.data_checks.box_formats import are_corners, are_normalized, areas_fit_corners
from hrnet_plugin.data_checks.coco_file import CocoFile, indices
from hrnet_plugin.data_checks.columns import Columns, Use
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.evaluation.detections import short

_TOLERANCE = 1.  # pixels that a box may extend over the edge of its image


def check_boxes(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    """Yield findings about missing and invalid boxes."""
    yield from _check_box_types(data, columns, use)
    file = data.annotations.file
    finite = np.isfinite(columns.boxes).all(axis=1)
    fix = 'Convert them to [x, y, width, height] in pixels.'
    if are_normalized(columns):
        effect = 'mmpose crops single pixels' if use.keypoints else 'mmdet leaves all objects out of training'
        yield Finding(is_error=True, message=f'{file}: all boxes are in [0, 1], e.g. {_example(data, finite)}. '
                                             f'{effect}, and the metrics are wrong. {fix}')
    elif are_corners(columns):
        yield Finding(is_error=areas_fit_corners(columns), message=(
            f'{file}: the boxes look like [x1, y1, x2, y2], e.g. {_example(data, finite)}. As [x, y, width, height], '
            f'many extend over the edge of their image. Training and metrics would use too large boxes. {fix}'))
    else:
        yield from _check_extents(data, columns, use)


def usable_boxes(columns: Columns) -> Bools:
    """Return which objects mmdet trains on, shape (N,)."""
    width, height = columns.boxes[:, 2], columns.boxes[:, 3]
    overlap = _overlap(columns)
    with np.errstate(invalid='ignore'):
        return ((overlap > 0).all(axis=1) & (width >= 1) & (height >= 1) & (columns.areas > 0) & columns.known
                & ~columns.crowd)


def _check_box_types(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    notes = data.annotations
    missing = notes.without('bbox')
    if use.keypoints and not use.evaluated:  # datasets of faces have center and scale
        missing = [number for number in missing if 'center' not in notes.entries[number]]
    # mmpose trains on the others
    is_error = not use.keypoints or use.evaluated or len(missing) == len(notes.entries)
    effect = "mmdet raises KeyError: 'bbox' when it loads the file" if not use.keypoints else (
        'mmpose leaves them out' + (", and the COCO API raises KeyError: 'bbox'" if use.evaluated else ''))
    yield from notes.report(missing, 'without bbox', f'{effect}. Add [x, y, width, height] in pixels.',
                            is_error=is_error)
    wrong = [number for number in indices(~columns.has_box) if 'bbox' in notes.entries[number]]
    if wrong:
        host = 'mmpose raises an error' if use.keypoints else 'mmdet raises ValueError or TypeError'
        yield from notes.report(wrong, 'whose bbox is not four numbers',
                                f'{host} when it loads the file. Use [x, y, width, height] in pixels.',
                                example=short(notes.entries[wrong[0]]['bbox']))
    infinite = columns.has_box & ~np.isfinite(columns.boxes).all(axis=1)
    effect = 'mmpose trains on an empty crop' if use.keypoints else 'mmdet leaves them out or trains on a wrong box'
    yield from notes.report(indices(infinite), 'whose bbox is NaN or infinite',
                            f'{effect}, and the metrics are wrong. Correct the boxes or remove the annotations.')


def _check_extents(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    notes, boxes = data.annotations, columns.boxes
    host = 'mmpose' if use.keypoints else 'mmdet'
    drops = f'{host} leaves them out of training without a message'
    missed = ', and the COCO API counts them as objects that no detection matches' if use.evaluated else ''
    lower = ', but the COCO API does not, so that the metrics are lower' if use.evaluated else ''
    fix = 'Correct the boxes or remove the annotations.'
    with np.errstate(invalid='ignore'):
        smallest, overlap = boxes[:, 2:].min(axis=1), _overlap(columns)
        empty, outside = smallest <= 0, (overlap <= 0).any(axis=1)
        beyond = (boxes[:, :2] < -_TOLERANCE).any(axis=1) | (
            boxes[:, :2] + boxes[:, 2:] > columns.sizes[:, ::-1] + _TOLERANCE).any(axis=1)
        tiny = (smallest > 0) & (smallest < 1)
    yield from notes.report(indices(empty), 'with zero or negative width or height', f'{drops}{missed}. {fix}',
                            is_error=False)
    yield from notes.report(indices(outside & ~empty), 'with a box outside of the image', f'{drops}{missed}. {fix}',
                            is_error=False)
    yield from notes.report(indices(beyond & ~outside & ~empty), 'with a box that extends over the edge of the image',
                            f'{host} clips them{lower}. Clip the boxes to the image.', is_error=False)
    if not use.keypoints:
        yield from notes.report(indices(tiny & ~outside), 'with a box of less than 1 pixel', f'{drops}. {fix}',
                                is_error=False)


def _overlap(columns: Columns) -> Floats:
    """Return width and height of the part of the boxes inside of the image in pixels, shape (N, 2)."""
    start, size = columns.boxes[:, :2], columns.boxes[:, 2:]
    with np.errstate(invalid='ignore'):
        return np.minimum(start + size, columns.sizes[:, ::-1]) - np.maximum(start, 0)


def _example(data: CocoFile, finite: Bools) -> str:
    return short(data.annotations.entries[int(finite.argmax())]['bbox'])
