"""Entries of configs and heads of models that adapters of several hosts read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

    from hrnet_plugin.config_types import ConfigEntry


def config_image_channels(model: ConfigEntry) -> int:
    """Return the number of image channels of a model: ``in_channels`` of its backbone, 3 by default.

    Args:
        model: Entry ``model`` of a config of any library. Its backbone may be that of a wrapped model.
    """
    backbone = _find_backbone(model)
    channels = None if backbone is None else backbone.get('in_channels')
    return channels if isinstance(channels, int) else 3


def _find_backbone(model: ConfigEntry) -> ConfigEntry | None:
    """Return the config of the backbone of a model or of the first model that it wraps."""
    backbone = model.get('backbone')
    if isinstance(backbone, Mapping):
        return backbone
    # e.g. 'detector' of semi-supervised methods, or 'module' of test-time augmentation
    parts = (_find_backbone(part) for part in model.values() if isinstance(part, Mapping))
    return next((part for part in parts if part is not None), None)


def find_class_heads(model: nn.Module, names: re.Pattern[str]) -> Iterator[tuple[str, nn.Module, int]]:
    """Yield name, module and number of classes of the heads with an attribute ``num_classes``.

    Args:
        model: Model of a host.
        names: Pattern of the names of heads in the model.
    """
    for name, module in model.named_modules():
        number = getattr(module, 'num_classes', None)
        if names.search(name) and isinstance(number, int):
            yield name, module, number


def fixed_input_size(config: Config) -> tuple[int, int] | None:
    """Return height and width from the codec or data preprocessor of a config, or None.

    Args:
        config: Config of any library.
    """
    if 'input_size' in config.get('codec', {}):
        width, height = config.codec.input_size
        return height, width
    size = (config.model.get('data_preprocessor') or {}).get('size')
    return None if size is None else (size[0], size[1])
