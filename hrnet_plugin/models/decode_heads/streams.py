"""What heads on all streams have in common: checks of their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from hrnet_plugin.checks import MOST_CHANNELS, check_bool, check_int, check_ints, check_layer_cfg, check_no_others
from hrnet_plugin.config_types import ConfigEntry

if TYPE_CHECKING:
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead


def check_options(num_classes: int, align_corners: bool, norm_cfg: ConfigEntry | None) -> None:
    """Raise TypeError or ValueError unless these are what a head takes."""
    check_int('num_classes', num_classes, 1, MOST_CHANNELS)
    check_bool('align_corners', align_corners)
    check_layer_cfg('norm_cfg', norm_cfg, optional=True)


def check_inherited_options(kind: str, parent: type[nn.Module], options: ConfigEntry) -> None:
    """Raise TypeError if a head got arguments that no parent class has."""
    known = {name for cls in parent.__mro__[:-1] for name in inspect.signature(cls).parameters}
    check_no_others('head', f'hrnet_plugin.{kind}', {name: value for name, value in options.items()
                                                            if name not in known}, "arch='w32', num_classes=...")


def check_class_weights(head: BaseDecodeHead) -> None:
    """Raise ValueError unless the weights of classes in a head's losses are as many as its classes."""
    for loss in head.loss_decode if isinstance(head.loss_decode, nn.ModuleList) else [head.loss_decode]:
        weights = getattr(loss, 'class_weight', None)
        if weights is not None and len(weights) != head.num_classes:
            raise ValueError(f'loss_decode.class_weight must have {head.num_classes} entries, one for each of '
                             f'num_classes, got {len(weights)}; None weighs all alike')


def stream_indices(in_index: Sequence[int] | None, streams: int) -> tuple[int, ...]:
    """Which maps a head on ``streams`` streams reads.

    Raises:
        TypeError, ValueError: If they are no indices, or not as many as the streams.
    """
    indices = tuple(range(streams)) if in_index is None else check_ints('in_index', in_index, least=0)
    if len(indices) != streams:
        raise ValueError(f'in_index must have {streams} entries, one for each of in_channels, got {in_index!r}')
    return indices
