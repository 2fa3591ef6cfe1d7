"""What COCO's server, or a reader of its figures, would find wrong with a file of detections."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrnet_plugin.submission.images import TestImages
from hrnet_plugin.submission.rle import rle_error
from hrnet_plugin.submission.stream import read_detections

SIZE_LIMIT = 2 * 2**30  # bytes of the file; larger ones were not taken, and 100 boxes an image are a tenth of it
PER_IMAGE = 100  # detections of an image that the server looks at
_OUTSIDE = 1.  # pixels by which a box may exceed its image, as rounding does
_SHOWN = 20


@dataclass
class Report:
    """What was found in a file.

    Attributes:
        kind: 'bbox' or 'segm'.
        detections: How many there are.
        images: Image -> how many of them are in it.
        categories: Category -> how many of them are of it.
        errors: What the server refuses, or would evaluate as nothing; the first ones.
        wrong: How many detections have one.
        warnings: What it takes and a reader should know.
    """

    kind: str = ''
    detections: int = 0
    images: Counter[int] = field(default_factory=Counter)
    categories: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    wrong: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """For people."""
        lines = [f'{self.detections} detections ({self.kind or "of no kind"}) in {len(self.images)} images, of '
                 f'{len(self.categories)} categories']
        lines += [f'error: {error}' for error in self.errors]
        if self.wrong > len(self.errors):
            lines.append(f'error: and {self.wrong - len(self.errors)} more detections')
        return '\n'.join([*lines, *(f'warning: {warning}' for warning in self.warnings)])


def check_file(file: str | Path, images: TestImages) -> Report:
    """Check a file of detections, or of masks.

    Args:
        file: Its path.
        images: Those of the split that it is for.

    Raises:
        ImportError, FileNotFoundError: As :func:`~hrnet_plugin.submission.stream.read_detections` does.
    """
    report, size = Report(), Path(file).stat().st_size
    if size > SIZE_LIMIT:
        report.errors.append(f'the file must have at most {SIZE_LIMIT} bytes, got {size}')
    try:
        for number, detection in enumerate(read_detections(file)):
            _take(report, number, detection, images)
    except ValueError as error:
        report.errors.append(str(error))
        report.wrong += 1
        return report
    if not report.detections:
        report.errors.append('results must have detections, got an empty list')
    report.warnings += _warnings(report, images)
    return report


def _take(report: Report, number: int, detection: Any, images: TestImages) -> None:
    report.detections += 1
    if not report.kind and isinstance(detection, Mapping):
        report.kind = 'segm' if 'segmentation' in detection else 'bbox'
    error = detection_error(detection, report.kind, images)
    if error:
        report.wrong += 1
        if len(report.errors) < _SHOWN:
            report.errors.append(f'detection {number}: {error}')
        return
    report.images[detection['image_id']] += 1
    report.categories[detection['category_id']] += 1


def detection_error(detection: Any, kind: str, images: TestImages) -> str:
    """What is wrong with a detection; empty if nothing is.

    Args:
        detection: An element of the list.
        kind: 'bbox' or 'segm', as the first one of the file is.
        images: Those of the split.
    """
    if not isinstance(detection, Mapping):
        return f'must be an object, got {_short(detection)}'
    shape = 'segmentation' if kind == 'segm' else 'bbox'
    missing = [key for key in ('image_id', 'category_id', 'score', shape) if key not in detection]
    if missing:
        return f'must have {", ".join(missing)}, got {_short(sorted(detection))}'
    image, category, score = detection['image_id'], detection['category_id'], detection['score']
    for name, value, known in (('image_id', image, images.sizes), ('category_id', category, images.categories)):
        if isinstance(value, bool) or not isinstance(value, int):
            return f'{name} must be an integer, got {_short(value)}'
        if value not in known:
            return f'{name} must be one of the {len(known)} of the split, got {value}{images.hint(name, value)}'
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        return f'score must be a number from 0 to 1, got {_short(score)}'
    height, width = images.sizes[image]
    if kind == 'segm':
        return rle_error(detection['segmentation'], height, width)
    return box_error(detection['bbox'], height, width)


def box_error(box: Any, height: int, width: int) -> str:
    """What is wrong with a box ``[x, y, width, height]``, in pixels of its image; empty if nothing is."""
    if not isinstance(box, list) or len(box) != 4 or not all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) for value in box):
        return f'bbox must be four finite numbers, got {_short(box)}'
    x, y, w, h = box
    if w <= 0 or h <= 0:
        return f'bbox must have a width and a height above 0, got {w} and {h}'
    if x < -_OUTSIDE or y < -_OUTSIDE or x + w > width + _OUTSIDE or y + h > height + _OUTSIDE:
        corners = w <= width + _OUTSIDE and h <= height + _OUTSIDE and w > x >= 0 and h > y >= 0
        hint = '; is it [x1, y1, x2, y2] in place of [x, y, width, height]?' if corners else ''
        return f'bbox must lie in its image of {width} x {height}, got {_short(box)}{hint}'
    return ''


def _warnings(report: Report, images: TestImages) -> list[str]:
    found = []
    crowded = sum(number > PER_IMAGE for number in report.images.values())
    if crowded:
        found.append(f'{crowded} images have more than {PER_IMAGE} detections, of which the server takes the best')
    empty = len(images.sizes) - len(report.images)
    if empty:
        found.append(f'{empty} of the {len(images.sizes)} images have no detection')
    never = len(images.categories) - len(report.categories)
    if never:
        found.append(f'{never} of the {len(images.categories)} categories are never found')
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
