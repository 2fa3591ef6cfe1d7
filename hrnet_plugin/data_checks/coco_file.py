"""Annotation file in COCO's format, without the keys that a scan does not need."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrnet_plugin.array_types import Bools, Ints
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.evaluation.annotation_files import read_sections
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.json_files import check_regular

_SHOWN = 3  # entries of a message


class FormatError(ValueError):
    """File that is not in COCO's format."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Images, annotations or categories of a file.

    Attributes:
        file: Path of the file.
        name: 'images', 'annotations' or 'categories'.
        entries: JSON objects, whose values are not checked yet.
    """

    file: Path
    name: str
    entries: list[dict[str, Any]]

    def column(self, key: str) -> list[Any]:
        """Return the value of a key for all entries, None where it is missing."""
        return [entry.get(key) for entry in self.entries]

    def without(self, key: str) -> list[int]:
        """Return the positions of the entries that lack a key."""
        return [number for number, entry in enumerate(self.entries) if key not in entry]

    def report(self, cases: Iterable[int] | Ints, what: str, then: str, *, is_error: bool = True,
               example: str = '') -> Iterator[Finding]:
        """Yield a finding if there are cases.

        Args:
            cases: Positions of the entries.
            what: Attribute of the entries, e.g. 'without area'.
            then: Sentences with the consequence and the fix.
            is_error: Whether training or evaluation fails, or is wrong.
            example: Value of the first case.
        """
        numbers = [int(number) for number in cases]
        if numbers:
            where = self._name(numbers) + (f'; e.g. {example}' if example else '')
            yield Finding(is_error=is_error, message=f'{self.file}: {len(numbers)} of {len(self.entries)} {self.name} '
                                                     f'{what} ({where}). {then}')

    def _name(self, numbers: list[int]) -> str:
        shown = [self.entries[number] for number in numbers[:_SHOWN]]
        more = ', ...' if len(numbers) > _SHOWN else ''
        if all('id' in entry for entry in shown):
            names = 'ID ' + ', '.join(short(entry['id']) for entry in shown) + more
        else:
            names = 'position ' + ', '.join(map(str, numbers[:_SHOWN])) + more
        for key, noun in (('image_id', 'image'), ('file_name', 'file'), ('name', 'name')):
            if any(key in entry for entry in shown):
                names += f'; {noun} ' + ', '.join(short(entry.get(key)) for entry in shown) + more
        return names


@dataclass(frozen=True, kw_only=True)
class CocoFile:
    """Sections of an annotation file."""

    images: Section
    annotations: Section
    categories: Section


def read_coco_file(file: Path, *, masks: bool) -> CocoFile:
    """Read an annotation file.

    Args:
        file: Path of the JSON file.
        masks: Whether to keep segmentations, which take most of the memory.

    Raises:
        FormatError: If the file cannot be read, or is not in COCO's format.
    """
    try:
        _check_byte_order_mark(file)
        # the config of the user names the file, and training reads it whatever its size
        sections = read_sections(file, None if masks else _drop_segmentation, limited=False)
    except OSError as error:
        raise FormatError(f'{file}: the file cannot be read, {error.strerror}.') from None
    except ValueError as error:
        raise FormatError(str(error)) from None
    return CocoFile(**{name: Section(file=file, name=name, entries=entries) for name, entries in sections.items()})


def _check_byte_order_mark(file: Path) -> None:
    check_regular(file, 'annotations')
    with file.open('rb') as opened:
        if opened.read(len(BOM_UTF8)) == BOM_UTF8:
            raise FormatError(f'{file} must be without a byte order mark (BOM), got one. mmdet, mmpose and the COCO '
                              'API raise JSONDecodeError. Save it as UTF-8 without BOM.')


def indices(cases: Bools) -> Ints:
    """Return the positions of true values."""
    return cases.nonzero()[0]


def _drop_segmentation(entry: dict[str, Any]) -> dict[str, Any]:
    entry.pop('segmentation', None)
    return entry
