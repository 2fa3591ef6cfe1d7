"""Argument checks that the segmentation heads share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mmseg.registry import MODELS, TASK_UTILS
from torch import nn

from hrnet_plugin.checks import (
    MAX_CHANNELS,
    check_bool,
    check_init_cfg,
    check_int,
    check_ints,
    check_layer_cfg,
    check_no_others,
    check_number,
)
from hrnet_plugin.config_types import ConfigEntry, ConfigValue

if TYPE_CHECKING:
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead


def check_options(num_classes: int, align_corners: bool, norm_cfg: ConfigEntry | None, dropout_ratio: float) -> None:
    """Raise TypeError or ValueError if an argument of a head is invalid."""
    check_int('num_classes', num_classes, 1, MAX_CHANNELS)
    check_bool('align_corners', align_corners)
    check_layer_cfg('norm_cfg', norm_cfg, optional=True)
    check_number('dropout_ratio', dropout_ratio, most=1)


def _check_losses(name: str, value: ConfigValue) -> None:
    for loss in value if isinstance(value, (list, tuple)) else [value]:
        check_layer_cfg(name, loss, optional=False, registry=MODELS)


def _optional(check: Callable[..., object], *bounds: float) -> Callable[[str, ConfigValue], None]:
    """Return a check of an argument that may be None."""
    def check_optional(name: str, value: ConfigValue) -> None:
        if value is not None:
            check(name, value, *bounds)
    return check_optional


# arguments that mmsegmentation's constructors check late, or in errors without their names
_INHERITED: dict[str, Callable[[str, ConfigValue], None]] = {
    'loss_decode': _check_losses, 'conv_cfg': partial(check_layer_cfg, optional=True),
    'act_cfg': partial(check_layer_cfg, optional=True),
    'sampler': partial(check_layer_cfg, optional=True, registry=TASK_UTILS),
    'init_cfg': lambda name, value: check_init_cfg(value),
    'ignore_index': _optional(check_int, -MAX_CHANNELS, MAX_CHANNELS), 'scale': _optional(check_int, 1, MAX_CHANNELS),
    'threshold': _optional(check_number), 'out_channels': _optional(check_int, 1, MAX_CHANNELS),
}


def check_inherited_options(kind: str, parent: type[nn.Module], options: ConfigEntry) -> None:
    """Raise TypeError if ``options`` has arguments that neither ``parent`` nor its base classes accept."""
    known = {name for cls in parent.__mro__[:-1] for name in inspect.signature(cls).parameters}
    check_no_others('head', f'hrnet_plugin.{kind}', {name: value for name, value in options.items()
                                                            if name not in known}, "arch='w32', num_classes=...")
    for name in _INHERITED.keys() & options.keys():
        _INHERITED[name](name, options[name])


def check_class_weights(head: BaseDecodeHead) -> None:
    """Raise ValueError unless ``class_weight`` of each loss has one entry per class."""
    for loss in head.loss_decode if isinstance(head.loss_decode, nn.ModuleList) else [head.loss_decode]:
        weights = getattr(loss, 'class_weight', None)
        if weights is not None and len(weights) != head.num_classes:
            raise ValueError(f'loss_decode.class_weight must have {head.num_classes} entries, one for each of '
                             f'num_classes, got {len(weights)}. Use None for equal weights.')


def branch_indices(in_index: Sequence[int] | None, num_inputs: int) -> tuple[int, ...]:
    """Return the indices of the feature maps that a head uses.

    Args:
        in_index: Indices from the config, or None for the first ``num_inputs`` feature maps.
        num_inputs: Number of feature maps that the head uses.

    Raises:
        TypeError, ValueError: If ``in_index`` is not a sequence of ``num_inputs`` indices.
    """
    indices = tuple(range(num_inputs)) if in_index is None else check_ints('in_index', in_index, least=0)
    if len(indices) != num_inputs:
        raise ValueError(f'in_index must have {num_inputs} entries, one for each of in_channels, got {in_index!r}')
    return indices
