"""Checks of segmentations of annotations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from hrnet_plugin.data_checks.coco_file import CocoFile
from hrnet_plugin.data_checks.columns import Columns, Use
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.evaluation.rle import ZERO_RUN, segmentation_error

_EMPTY, _SHORT, _SIZE, _ZERO, _INVALID = 'empty', 'short', 'size', 'zero', 'invalid'


def check_segmentations(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    """Yield findings about missing and invalid segmentations. Those of unknown images are not checked."""
    notes = data.annotations
    cases: dict[str, list[int]] = defaultdict(list)
    example = ''
    sizes = columns.sizes.tolist()
    for number, value in enumerate(notes.column('segmentation')):
        kind, error = _classify(value, *sizes[number])
        if kind:
            cases[kind].append(number)
        if kind == _INVALID:
            example = example or error
    yield from notes.report(cases[_EMPTY], 'without segmentation', "mmdet raises KeyError: 'mask' in training, and the "
                            'COCO API raises an error. Add the segmentations, or use a detector without masks.')
    yield from notes.report(cases[_SHORT], 'with a polygon of less than 3 points or half a point',
                            'mmdet leaves out the polygon, or the object if it has no other one. The COCO API raises '
                            'an error or uses a wrong mask. Remove the polygons.', is_error=use.evaluated)
    yield from notes.report(cases[_SIZE], 'with an RLE of another size than its image',
                            'mmdet raises ValueError in training, and the metrics are wrong. Encode the masks at the '
                            'size of the image.')
    yield from notes.report(cases[_ZERO], 'with a run of 0 pixels in the RLE', 'The COCO API may compare only the part '
                            'of the mask before it. Encode the masks with pycocotools.', is_error=False)
    yield from notes.report(cases[_INVALID], 'with an invalid segmentation', 'The COCO API hangs, crashes or uses a '
                            'wrong mask. Export the segmentations again.', example=example)


def _classify(value: Any, height: float, width: float) -> tuple[str, str]:
    """Return the kind of the problem of a segmentation and its message, both empty for a valid one."""
    if not value:
        return _EMPTY, ''
    if np.isnan(height) or np.isnan(width):
        return '', ''
    error = segmentation_error(value, int(height), int(width))
    if not error:
        return '', ''
    if isinstance(value, list) and all(map(_is_polygon, value)) and any(len(part) < 6 or len(part) % 2
                                                                        for part in value):
        return _SHORT, ''
    if isinstance(value, dict) and isinstance(value.get('size'), list) and value['size'] != [height, width]:
        return _SIZE, ''
    return (_ZERO if error == ZERO_RUN else _INVALID), error


def _is_polygon(part: Any) -> bool:
    return isinstance(part, list) and {int, float}.issuperset(map(type, part))
