"""Check of a file of detections before a submission to the COCO evaluation server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np

from hrnet_plugin.evaluation.detections import SHAPES, is_finite_number, kind_of, short
from hrnet_plugin.evaluation.rle import is_empty, rle_error
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.stream import read_detections

SIZE_LIMIT = 2 * 2**30  # bytes of the file; 100 boxes per image take a tenth of it
PER_CLASS = 100  # evaluated detections per class and image
_OUTSIDE = 1.  # pixels by which a box may extend beyond its image, due to rounding
_SHOWN = 20


@dataclass
class Report:
    """Result of the check of a file.

    Attributes:
        kind: 'bbox' or 'segm'. Empty without detections.
        detections: Number of detections.
        wrong: Number of invalid detections. The server rejects them or never matches them.
        errors: Error messages of the file and of its first 20 invalid detections.
        warnings: Messages about valid but unusual detections.
    """

    kind: str = ''
    detections: int = 0
    wrong: int = 0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Report as text, one line per error or warning."""
        lines = [f'{self.detections} detections{f" ({self.kind})" if self.kind else ""}',
                 *(f'error: {error}' for error in self.errors)]
        if self.wrong > _SHOWN:
            lines.append(f'error: and {self.wrong - _SHOWN} more detections')
        return '\n'.join([*lines, *(f'warning: {warning}' for warning in self.warnings)])


def check_file(file: str | Path, images: SplitImages) -> Report:
    """Check a file of boxes or masks.

    Args:
        file: JSON file of detections in COCO's results format.
        images: Images and categories of the evaluated split.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If the file does not exist.
    """
    checker = _Checker(images)
    size = Path(file).stat().st_size
    if size > SIZE_LIMIT:
        checker.report.errors.append(f'the file must have at most {SIZE_LIMIT} bytes, got {size}')
    try:
        for detection in read_detections(file):
            checker.add(detection)
    except ValueError as error:
        checker.report.errors.append(str(error))
        return checker.report
    checker.finish()
    return checker.report


class _Checker:
    """Check of detections one by one, which stores only counts and hashes per image."""

    def __init__(self, images: SplitImages) -> None:
        self.report = Report()
        self._images = images
        self._rows = {image: k for k, image in enumerate(images.sizes)}
        self._columns = {category: k for k, category in enumerate(images.categories)}
        self._counts = np.zeros((len(self._rows), len(self._columns)), np.int32)
        # XOR of hashes: 0 if each detection of an image occurs twice
        self._unpaired = np.zeros(len(self._rows), np.int64)
        self._unusual = dict.fromkeys(_WARNINGS, 0)
        self._corners = 0

    def add(self, detection: Any) -> None:
        report = self.report
        if not report.kind and isinstance(detection, Mapping):
            report.kind = kind_of(detection)
        error = detection_error(detection, report.kind, self._images)
        if error:
            report.wrong += 1
            if report.wrong <= _SHOWN:
                report.errors.append(f'detection {report.detections}: {error}')
        else:
            row = self._rows[detection['image_id']]
            self._counts[row, self._columns[detection['category_id']]] += 1
            self._unpaired[row] ^= _hash(detection, report.kind)
            self._count_unusual(detection)
        report.detections += 1

    def _count_unusual(self, detection: Mapping[str, Any]) -> None:
        unusual = self._unusual
        unusual['score'] += not 0 <= detection['score'] <= 1
        if self.report.kind == 'segm':
            unusual['empty'] += is_empty(detection['segmentation'])
            return
        height, width = self._images.sizes[detection['image_id']]
        x, y, w, h = detection['bbox']
        unusual['size'] += w == 0 or h == 0
        outside = x < -_OUTSIDE or y < -_OUTSIDE or x + w > width + _OUTSIDE or y + h > height + _OUTSIDE
        unusual['outside'] += outside
        self._corners += outside and 0 <= x < w <= width + _OUTSIDE and 0 <= y < h <= height + _OUTSIDE

    def finish(self) -> None:
        report, counts = self.report, self._counts
        if not report.detections:
            report.errors.append('results must have detections, got an empty list')
        if 2 * self._corners > report.detections:
            report.errors.append(f'bbox must be [x, y, width, height], got {self._corners} boxes that extend '
                                 'beyond their images but would fit as [x1, y1, x2, y2]')
        report.warnings += [f'{number} {_WARNINGS[name]}' for name, number in self._unusual.items() if number]
        for number, words in (
            ((counts > PER_CLASS).sum(), f'times, an image has more than {PER_CLASS} detections of a class. Only '
                                         f'the {PER_CLASS} with the highest scores are evaluated'),
            (((counts.sum(1) > 0) & (self._unpaired == 0)).sum(), 'images have each of their detections twice'),
            ((counts.sum(1) == 0).sum(), f'of the {len(counts)} images have no detections'),
            ((counts.sum(0) == 0).sum(), f'of the {counts.shape[1]} categories have no detections'),
        ):
            if number:
                report.warnings.append(f'{number} {words}')


_WARNINGS = {'score': 'scores are outside [0, 1]', 'empty': 'masks have no pixels',
             'size': 'boxes have zero width or height', 'outside': 'boxes extend beyond their images'}


def _hash(detection: Mapping[str, Any], kind: str) -> int:
    """Return a hash of a detection without its image. It uses bytes, since hash(-1) == hash(-2)."""
    category, score, shape = detection['category_id'], detection['score'], detection[SHAPES[kind]]
    if kind == 'segm':
        return hash((category, pack('d', score), shape['counts']))
    return hash((category, pack('5d', score, *shape)))


def detection_error(detection: Any, kind: str, images: SplitImages) -> str:
    """Return an error message for an invalid detection, or an empty string.

    Args:
        detection: Element of the list of results.
        kind: 'bbox' or 'segm', the type of the file's first detection.
        images: Images and categories of the split.
    """
    if not isinstance(detection, Mapping):
        return f'must be an object, got {short(detection)}'
    missing = [key for key in ('image_id', 'category_id', 'score', SHAPES[kind]) if key not in detection]
    if missing:
        return f'must have {", ".join(missing)}, got {short(sorted(detection))}'
    image, category, score = detection['image_id'], detection['category_id'], detection['score']
    for name, value, known in (('image_id', image, images.sizes), ('category_id', category, images.categories)):
        if isinstance(value, bool) or not isinstance(value, int):
            return f'{name} must be an integer, got {short(value)}'
        if value not in known:
            return f'{name} must be one of the {len(known)} in the split, got {value}{images.hint(name, value)}'
    if not is_finite_number(score):
        return f'score must be a finite number, got {short(score)}'
    height, width = images.sizes[image]
    if kind == 'segm':
        return rle_error(detection['segmentation'], height, width)
    return _box_error(detection['bbox'], height, width)


def _box_error(box: Any, height: int, width: int) -> str:
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_finite_number, box)):
        return f'bbox must be four finite numbers, got {short(box)}'
    x, y, w, h = box
    if w < 0 or h < 0:
        return f'bbox must have a width and height of at least 0, got {w} and {h}'
    if x >= width or y >= height or x + w < 0 or y + h < 0:
        return f'bbox must overlap its image of {width} x {height}, got {short(box)}'
    return ''
