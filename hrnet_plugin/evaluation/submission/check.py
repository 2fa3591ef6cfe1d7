"""What COCO's server, or a reader of its figures, would find wrong with a file of detections."""

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

SIZE_LIMIT = 2 * 2**30  # bytes of the file; 100 boxes an image are a tenth of it
PER_CLASS = 100  # detections of a class in an image that are evaluated
_OUTSIDE = 1.  # pixels by which a box may exceed its image, as rounding does
_SHOWN = 20


@dataclass
class Report:
    """What was found in a file.

    Attributes:
        kind: 'bbox' or 'segm'; empty if there is no detection.
        detections: How many there are.
        wrong: How many of them the server would refuse, or evaluate as nothing.
        errors: What is wrong; of detections, the first ones.
        warnings: What the server takes and a reader should know.
    """

    kind: str = ''
    detections: int = 0
    wrong: int = 0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """For people."""
        lines = [f'{self.detections} detections{f" ({self.kind})" if self.kind else ""}',
                 *(f'error: {error}' for error in self.errors)]
        if self.wrong > _SHOWN:
            lines.append(f'error: and {self.wrong - _SHOWN} more detections')
        return '\n'.join([*lines, *(f'warning: {warning}' for warning in self.warnings)])


def check_file(file: str | Path, images: SplitImages) -> Report:
    """Check a file of detections, or of masks.

    Args:
        file: Its path.
        images: Those of the split that it is for.

    Raises:
        ImportError, FileNotFoundError: As :func:`~hrnet_plugin.evaluation.submission.stream.read_detections` does.
    """
    checker = _Checker(images)
    size = Path(file).stat().st_size
    if size > SIZE_LIMIT:
        checker.report.errors.append(f'the file must have at most {SIZE_LIMIT} bytes, got {size}')
    try:
        for detection in read_detections(file):
            checker.take(detection)
    except ValueError as error:
        checker.report.errors.append(str(error))
        return checker.report
    checker.end()
    return checker.report


class _Checker:
    """Takes detections one by one, and remembers no more than a few numbers for each image."""

    def __init__(self, images: SplitImages) -> None:
        self.report = Report()
        self._images = images
        self._rows = {image: k for k, image in enumerate(images.sizes)}
        self._columns = {category: k for k, category in enumerate(images.categories)}
        self._counts = np.zeros((len(self._rows), len(self._columns)), np.int32)
        # equal detections leave nothing, two by two: 0 where all of an image stand twice
        self._unpaired = np.zeros(len(self._rows), np.int64)
        self._oddities = dict.fromkeys(_ODDITIES, 0)
        self._corners = 0

    def take(self, detection: Any) -> None:
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
            self._look_closer(detection)
        report.detections += 1

    def _look_closer(self, detection: Mapping[str, Any]) -> None:
        odd = self._oddities
        odd['score'] += not 0 <= detection['score'] <= 1
        if self.report.kind == 'segm':
            odd['empty'] += is_empty(detection['segmentation'])
            return
        height, width = self._images.sizes[detection['image_id']]
        x, y, w, h = detection['bbox']
        odd['size'] += w == 0 or h == 0
        outside = x < -_OUTSIDE or y < -_OUTSIDE or x + w > width + _OUTSIDE or y + h > height + _OUTSIDE
        odd['outside'] += outside
        self._corners += outside and 0 <= x < w <= width + _OUTSIDE and 0 <= y < h <= height + _OUTSIDE

    def end(self) -> None:
        report, counts = self.report, self._counts
        if not report.detections:
            report.errors.append('results must have detections, got an empty list')
        if 2 * self._corners > report.detections:
            report.errors.append(f'bbox must be [x, y, width, height], got {self._corners} that exceed their images '
                                 'and would not as [x1, y1, x2, y2]')
        report.warnings += [f'{number} {_ODDITIES[name]}' for name, number in self._oddities.items() if number]
        for number, words in (
            ((counts > PER_CLASS).sum(), f'times an image has more than {PER_CLASS} detections of a class, of which '
                                         'the best are evaluated'),
            (((counts.sum(1) > 0) & (self._unpaired == 0)).sum(), 'images have all of their detections twice'),
            ((counts.sum(1) == 0).sum(), f'of the {len(counts)} images have no detection'),
            ((counts.sum(0) == 0).sum(), f'of the {counts.shape[1]} categories are never found'),
        ):
            if number:
                report.warnings.append(f'{number} {words}')


_ODDITIES = {'score': 'scores are not from 0 to 1', 'empty': 'masks have no pixels',
             'size': 'boxes have no width or no height', 'outside': 'boxes exceed their images'}


def _hash(detection: Mapping[str, Any], kind: str) -> int:
    """Equal for equal detections of an image; of bytes, since the numbers -1 and -2 have one hash."""
    category, score, shape = detection['category_id'], detection['score'], detection[SHAPES[kind]]
    if kind == 'segm':
        return hash((category, pack('d', score), shape['counts']))
    return hash((category, pack('5d', score, *shape)))


def detection_error(detection: Any, kind: str, images: SplitImages) -> str:
    """What is wrong with a detection; empty if nothing is.

    Args:
        detection: An element of the list.
        kind: 'bbox' or 'segm', as the first one of the file is.
        images: Those of the split.
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
            return f'{name} must be one of the {len(known)} of the split, got {value}{images.hint(name, value)}'
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
        return f'bbox must have no width and height below 0, got {w} and {h}'
    if x >= width or y >= height or x + w < 0 or y + h < 0:
        return f'bbox must lie in its image of {width} x {height}, got {short(box)}'
    return ''
