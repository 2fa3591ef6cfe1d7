"""Check of a file of detections before a submission to the COCO evaluation server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np

from hrnet_plugin.evaluation.detections import kind_of
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.kinds import KINDS, Kind
from hrnet_plugin.evaluation.submission.stream import read_detections

SIZE_LIMIT = 2 * 2**30  # bytes of the file; 100 boxes per image take a tenth of it
_SHOWN = 20


@dataclass
class Report:
    """Result of the check of a file.

    Attributes:
        kind: 'bbox', 'segm' or 'keypoints', the kind of the first detection. Empty without detections.
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


def file_kind(file: str | Path) -> str:
    """Return the kind of the first detection of a file: 'bbox', 'segm' or 'keypoints'. 'bbox' without detections.

    Args:
        file: JSON file of detections in COCO's results format.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If the file does not exist.
        ValueError: If the file does not begin with a JSON list.
    """
    first = next(read_detections(file), None)
    return kind_of(first if isinstance(first, Mapping) else {})


def check_file(file: str | Path, images: SplitImages) -> Report:
    """Check a file of boxes, masks or keypoints.

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
    return checker.finish()


class _Checker:
    """Check of detections one by one, which stores only counts and hashes per image."""

    def __init__(self, images: SplitImages) -> None:
        self.report = Report()
        self._images = images
        self._kind: Kind | None = None
        self._checker = KINDS['bbox'].checker(images)  # until the first object
        self._rows = {image: k for k, image in enumerate(images.sizes)}
        self._columns = {category: k for k, category in enumerate(images.categories)}
        self._counts = np.zeros((len(self._rows), len(self._columns)), np.int32)
        # XOR of hashes: 0 if each detection of an image occurs twice
        self._unpaired = np.zeros(len(self._rows), np.int64)
        self._unusual: Counter[str] = Counter()

    def add(self, detection: Any) -> None:
        report = self.report
        if self._kind is None and isinstance(detection, Mapping):
            self._kind = KINDS[kind_of(detection)]
            self._checker = self._kind.checker(self._images)
            report.kind = self._kind.name
        error = self._checker.error(detection)
        if not error and self._kind is not None:
            error = self._kind.server_error(detection, self._images)
            if not error:
                self._count(detection, self._kind)
        if error:
            report.wrong += 1
            if report.wrong <= _SHOWN:
                report.errors.append(f'detection {report.detections}: {error}')
        report.detections += 1

    def _count(self, detection: Mapping[str, Any], kind: Kind) -> None:
        row = self._rows[detection['image_id']]
        self._counts[row, self._columns[detection['category_id']]] += 1
        self._unpaired[row] ^= _hash(detection, kind)
        self._unusual.update(kind.unusual(detection, self._images))
        self._unusual.update(key for key in kind.misleading if key in detection)
        if not 0 <= detection['score'] <= 1:
            self._unusual['score'] += 1

    def finish(self) -> Report:
        """Add the errors and warnings of the whole file to the report, and return it."""
        report, kind = self.report, self._kind
        if not report.detections:
            report.errors.append('results must have detections, got an empty list')
        if kind is not None:
            report.errors += [message.format(self._unusual[name]) for name, message in kind.mistakes.items()
                              if 2 * self._unusual[name] > report.detections]
            report.warnings += self._warnings(kind)
        return report

    def _warnings(self, kind: Kind) -> Iterator[str]:
        extra = 'detections have {}, which changes how the server evaluates {}. `hrnet submission pack` leaves it out'
        words = {'score': 'scores are outside [0, 1]', **kind.warnings,
                 **{key: extra.format(key, kind.key) for key in kind.misleading}}
        yield from (f'{self._unusual[name]} {text}' for name, text in words.items() if self._unusual[name])
        counts = self._counts[:, [self._columns[category] for category in kind.categories(self._images)]]
        for number, text in (
            ((counts > kind.limit).sum(), f'times, an image has more than {kind.limit} detections of a class. Only '
                                          f'the {kind.limit} with the highest scores are evaluated'),
            (((counts.sum(1) > 0) & (self._unpaired == 0)).sum(), 'images have each of their detections twice'),
            ((counts.sum(1) == 0).sum(), f'of the {len(counts)} images have no detections'),
            ((counts.sum(0) == 0).sum(), f'of the {counts.shape[1]} categories have no detections'),
        ):
            if number:
                yield f'{number} {text}'


def _hash(detection: Mapping[str, Any], kind: Kind) -> int:
    """Return a hash of a detection without its image. It uses bytes, since hash(-1) == hash(-2)."""
    return hash((detection['category_id'], pack('d', detection['score']), kind.encode(detection[kind.key])))
