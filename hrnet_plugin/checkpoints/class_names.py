"""Names and palettes of classes in checkpoints of mmengine, which may come from anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_LENGTH = 1000  # characters of a name


@dataclass(frozen=True, kw_only=True)
class ClassNames:
    """Classes of the dataset that a model was trained on.

    Attributes:
        classes: Class names by label, or empty.
        palette: Color (R, G, B) of each class, or empty.
    """

    classes: tuple[str, ...] = ()
    palette: tuple[tuple[int, int, int], ...] = ()


def find_class_names(content: object) -> ClassNames:
    """Return the class names in a checkpoint. Invalid names and palettes are left out.

    Args:
        content: Content of the file. mmengine stores 'dataset_meta' in its 'meta', and mmcv 'CLASSES' and 'PALETTE'.
    """
    meta = content.get('meta') if isinstance(content, Mapping) else None
    if not isinstance(meta, Mapping):
        return ClassNames()
    given = meta.get('dataset_meta', meta)
    if not isinstance(given, Mapping):
        return ClassNames()
    names: dict[str, Any] = {key.lower(): value for key, value in given.items() if isinstance(key, str)}
    classes: Any = names.get('classes')
    palette: Any = names.get('palette')
    if not _is_list(classes) or not all(map(_is_name, classes)):
        return ClassNames()
    colors = tuple(map(tuple, palette)) if _is_list(palette) and all(map(_is_color, palette)) else ()
    return ClassNames(classes=tuple(classes), palette=colors)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_LENGTH and value.isprintable()


def _is_color(value: Any) -> bool:
    return _is_list(value) and len(value) == 3 and all(type(part) is int and 0 <= part <= 255 for part in value)
