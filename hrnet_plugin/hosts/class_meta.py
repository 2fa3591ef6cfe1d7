"""Names and palette of the classes of a model."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hrnet_plugin.results.dataset_meta import DatasetMeta, colors_of


def class_meta(sources: Sequence[Mapping[str, Any]], numbers: Collection[int]) -> DatasetMeta:
    """Return the first class names that fit a model, and their palette. Log a warning if none fits.

    Args:
        sources: Metainfo of datasets, with the entries 'classes' and 'palette', or without.
        numbers: Numbers of classes of the heads. Empty if any number fits.
    """
    names = [tuple(map(str, source.get('classes') or ())) for source in sources]
    classes = next((found for found in names if found and (not numbers or len(found) in numbers)), ())
    if not classes:
        if any(names):
            from mmengine.logging import print_log
            print_log(f'model has {max(numbers)} classes, but there are names for {max(map(len, names))} classes. '
                      'Classes are named by their numbers', 'current', logging.WARNING)
        return DatasetMeta()
    palettes = [colors_of(source.get('palette'))[:len(classes)] for source in sources]
    return DatasetMeta(classes=classes, palette=next((found for found in palettes if len(found) == len(classes)), ()))
