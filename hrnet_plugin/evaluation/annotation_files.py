"""Structure of annotation files in COCO's format: lists of objects with IDs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.evaluation.rle import is_whole
from hrnet_plugin.json_files import DATA_BYTES, DATA_DEPTH, read_json
from hrnet_plugin.json_types import Json

_SECTIONS = ('images', 'annotations', 'categories')
_NEED = "an object with lists 'images', 'annotations' and 'categories'"
_EXPORT = 'Export the annotations again in COCO\'s format.'

Entries = list[dict[str, Any]]


def read_sections(file: str | Path, object_hook: Callable[[dict[str, Any]], Any] | None = None, *,
                  limited: bool = True) -> dict[str, Entries]:
    """Read the images, annotations and categories of a file. Their values are not checked.

    Args:
        file: JSON file. Without annotations, as of unlabeled images, the list of annotations is empty.
        object_hook: See :func:`~hrnet_plugin.json_files.read_json`.
        limited: Whether to refuse files larger than :data:`~hrnet_plugin.json_files.DATA_BYTES`, and repeated keys, of
            which the hosts use the last.

    Raises:
        OSError: If the file does not exist or is not readable.
        ValueError: If it is not in COCO's format. The message begins with the file.
    """
    # NaN has a better message where its annotation is checked
    content = read_json(file, max_bytes=DATA_BYTES if limited else None, max_depth=DATA_DEPTH, allow_nan=True,
                        unique_keys=limited, object_hook=object_hook)
    if not isinstance(content, dict):
        hint = ' Detections in the results format are no annotations.' if isinstance(content, list) else ''
        raise ValueError(f'{file} must be {_NEED}, got a {type(content).__name__}.{hint}')
    content.setdefault('annotations', [])
    missing = [name for name in _SECTIONS if name not in content]
    if missing:
        raise ValueError(f'{file} must be {_NEED}, got none of {", ".join(missing)}. mmdet, mmpose and the COCO API '
                         f'raise KeyError or detect no data. {_EXPORT}')
    for name in _SECTIONS:
        entries = content[name]
        wrong = [entry for entry in entries if not isinstance(entry, dict)] if isinstance(entries, list) else [entries]
        if wrong:
            raise ValueError(f"{file}: '{name}' must be a list of objects, got {short(wrong[0])}. mmdet, mmpose and "
                             'the COCO API raise TypeError.')
    return {name: content[name] for name in _SECTIONS}


def check_ids(sections: Mapping[str, Entries]) -> None:
    """Raise an error if an ID of an image or category, or one in an annotation, is missing or of the wrong type.

    Raises:
        ValueError: If there is such an ID, or IDs of both types. The message lacks the file.
    """
    for name, key in (('images', 'image_id'), ('categories', 'category_id')):
        ids = [entry.get('id') for entry in sections[name]]
        wrong = _first_wrong(ids)
        if wrong is not None:
            raise ValueError(f"id of each of '{name}' must be an integer of 64 bits or text, got {short(ids[wrong])} "
                             f'at position {wrong}. {_EXPORT}')
        if len({isinstance(number, str) for number in ids}) > 1:
            raise ValueError(f"id of '{name}' must be all integers or all text, got both. {_EXPORT}")
        wrong = _first_wrong([annotation.get(key) for annotation in sections['annotations']])
        if wrong is not None:
            annotation = sections['annotations'][wrong]
            got = short(annotation[key]) if key in annotation else f'the keys {short(sorted(annotation))}'
            raise ValueError(f'annotation {short(annotation.get("id", wrong + 1))}: {key} must be an ID of '
                             f"'{name}', got {got}. {_EXPORT}")


def check_names(categories: Collection[Mapping[str, Any]]) -> None:
    """Raise an error if a category has no name.

    Raises:
        ValueError: If there is one. The message lacks the file.
    """
    for category in categories:
        if not isinstance(category.get('name'), str):
            raise ValueError(f'category {short(category["id"])}: name must be text, got {short(category.get("name"))}')


def _first_wrong(ids: Sequence[Json]) -> int | None:
    """Return the position of the first value that is no ID, or None."""
    if set(map(type, ids)) == {int} and min(ids) >= -2**63 and max(ids) < 2**63:  # type: ignore[type-var,operator]
        return None
    return next((position for position, number in enumerate(ids) if not _is_id(number)), None)


def _is_id(value: Json) -> bool:
    """Return True for text and integers of 64 bits. Longer ones may all have the same hash, and take hours to look up.

    Integers may be written as floats, as some tools do.
    """
    return isinstance(value, str) or (is_whole(value) and -2**63 <= value < 2**63)  # type: ignore[operator]
