"""Checks of the IDs of images, annotations and categories."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from hrnet_plugin.data_checks.coco_file import CocoFile, Section
from hrnet_plugin.data_checks.columns import Use, key, key_of
from hrnet_plugin.data_checks.finding import Finding

_DUPLICATES = dict(
    images='The COCO API keeps the last one and gives it the annotations of all.',
    annotations='mmdet raises AssertionError, mmpose reads the last one twice, and the COCO API counts wrong matches.',
    categories='The COCO API keeps the last one, and mmdet drops the classes of the others.')


def check_ids(data: CocoFile, use: Use) -> Iterator[Finding]:
    """Yield findings about missing, duplicated or invalid IDs."""
    for section in (data.images, data.annotations, data.categories):
        yield from section.report(section.without('id'), 'without id',
                                  "The COCO API raises KeyError: 'id' when it loads the file. Number them from 1.")
        yield from section.report(duplicates([key(entry) for entry in section.entries]), 'with an ID of another one',
                                  f'{_DUPLICATES[section.name]} Give each its own ID.')
        yield from section.report(_unhashable(section, 'id'), 'whose id is a list or object',
                                  'The COCO API raises TypeError. Use integers.')
    yield from _check_image_ids(data, use)
    if use.evaluated:
        yield from _check_annotation_ids(data.annotations)
        for section in (data.images, data.categories):
            yield from _check_mixed_ids(section)
    yield from _check_references(data, 'image_id', data.images, 'mmdet, mmpose and the COCO API leave them out.')
    effect = ('mmpose trains on them, and the COCO API leaves them out.' if use.keypoints else
              'mmdet and the COCO API leave them out.')
    yield from _check_references(data, 'category_id', data.categories, effect)


def duplicates(values: Sequence[Hashable]) -> list[int]:
    """Return the positions of values that occur before. None is no duplicate."""
    if len(set(values)) == len(values):
        return []
    seen: set[Hashable] = set()
    return [number for number, value in enumerate(values) if _is_repeated(value, seen)]


def _is_repeated(value: Hashable, seen: set[Hashable]) -> bool:
    if value in seen:
        return value is not None
    seen.add(value)
    return False


def _unhashable(section: Section, name: str) -> list[int]:
    return [number for number, value in enumerate(section.column(name)) if isinstance(value, (list, dict))]


def _check_image_ids(data: CocoFile, use: Use) -> Iterator[Finding]:
    if use.keypoints:
        texts = [number for number, value in enumerate(data.images.column('id')) if isinstance(value, str)]
        yield from data.images.report(texts, 'whose id is text', 'mmpose raises TypeError when it loads the file. Use '
                                                                 'integers, also for image_id of the annotations.')


def _check_annotation_ids(section: Section) -> Iterator[Finding]:
    ids = section.column('id')
    yield from section.report([number for number, value in enumerate(ids) if value == 0], 'with the ID 0',
                              'The COCO API treats a detection that matches it as a false positive, so that the '
                              'metrics are slightly too low. Number the annotations from 1.', is_error=False)
    texts = [number for number, value in enumerate(ids) if isinstance(value, str) and not _is_numeric(value)]
    yield from section.report(texts, 'whose id is text', 'The COCO API raises ValueError when a detection matches one. '
                                                         'Number the annotations from 1.')


def _check_mixed_ids(section: Section) -> Iterator[Finding]:
    ids = section.column('id')
    texts = [number for number, value in enumerate(ids) if isinstance(value, str)]
    if len(texts) < sum(value is not None for value in ids):
        yield from section.report(texts, 'whose id is text, unlike the others',
                                  'The COCO API raises TypeError when it sorts them. Use integers everywhere.')


def _check_references(data: CocoFile, name: str, targets: Section, effect: str) -> Iterator[Finding]:
    """Yield findings about annotations of unknown images or categories."""
    notes, values = data.annotations, data.annotations.column(name)
    yield from notes.report(notes.without(name), f'without {name}',
                            f"The COCO API raises KeyError: '{name}' when it loads the file. Add it.")
    yield from notes.report(_unhashable(notes, name), f'whose {name} is a list or object',
                            'The COCO API raises TypeError when it loads the file. Use one of the IDs.')
    known = {key(entry) for entry in targets.entries} - {None}
    spelled = {str(value) for value in known}
    unknown = [number for number, value in enumerate(values) if key_of(value) not in known and name in
               notes.entries[number] and not isinstance(value, (list, dict))]
    typed = [number for number in unknown if str(values[number]) in spelled]
    got = f'{name} of another type than the ID of its {targets.name}'
    yield from notes.report(typed, f'with {got}', f'{effect} Use integers for both.')
    odd = set(typed)
    rest = [number for number in unknown if number not in odd]
    yield from notes.report(rest, f'whose {name} is not one of the {targets.name}',
                            f'{effect} Add the {targets.name} or remove the annotations.', is_error=False)


def _is_numeric(value: Any) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
