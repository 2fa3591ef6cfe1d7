"""Checks of necks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2
from hrnet_plugin.training.compatibility.comparisons import advice_for_inputs, find_outputs, input_argument
from hrnet_plugin.training.compatibility.levels import Levels, neck_levels
from hrnet_plugin.training.compatibility.origin import host_of, is_ours


def check_necks(necks: Sequence[nn.Module], levels: Levels | None) -> Levels | None:
    """Return the feature maps of a sequence of necks, or None if they are unknown.

    Args:
        necks: Necks in the order of application.
        levels: Feature maps of the backbone, or None if they are unknown.

    Raises:
        ValueError: If a neck of a host or of this package does not fit its inputs.
    """
    for k, neck in enumerate(necks):
        levels = _check_neck(f'neck[{k}]' if k else 'neck', neck, levels)
    return levels


def _check_neck(name: str, neck: nn.Module, before: Levels | None) -> Levels | None:
    """Check a neck against its inputs and return its outputs."""
    if before is not None and (is_ours(neck) or host_of(neck) is not None):
        _check_channels(name, neck, before)
        _check_number(name, neck, before)
    try:
        return neck_levels(name, neck, before)
    except ValueError as error:
        inputs = '' if before is None else f' the {before.text}'
        raise ValueError(f'{name} ({type(neck).__name__}) must accept{inputs}, got an error: {error}. Change the '
                         f'arguments of the neck, or set backbone.out_indices') from None


def _check_channels(name: str, neck: nn.Module, levels: Levels) -> None:
    """Compare ``in_channels`` with the inputs, finest first or (YOLO) finest last."""
    got, expected = _input_channels(neck), list(levels.channels)
    if isinstance(got, int) and got != expected[-1] and levels.source == 'neck':
        raise ValueError(f'{name}.in_channels must be {expected[-1]}, as in the preceding neck, got {got}')
    if not isinstance(got, (list, tuple)) or list(got) in (expected, expected[::-1]):
        return
    if levels.source == 'neck':
        raise ValueError(f'{name}.in_channels must be {tuple(expected)}, as in the preceding neck, got {tuple(got)}')
    raise ValueError(f'{name}.in_channels must be {expected}, as in the backbone, got {list(got)}. '
                     f'{_advice(name, neck, got, levels)}')


def _input_channels(neck: nn.Module) -> int | Sequence[int] | None:
    convs = getattr(neck, 'convs', None)
    if type(neck).__name__ == 'ChannelMapper' and isinstance(convs, nn.ModuleList):  # it has no attribute in_channels
        channels = [conv.in_channels for conv in convs.modules() if isinstance(conv, nn.Conv2d)]
        return channels if len(channels) == len(convs) else None  # None for deformable convolutions
    return getattr(neck, 'in_channels', None)


def _check_number(name: str, neck: nn.Module, levels: Levels) -> None:
    number = getattr(neck, 'num_levels', None)  # of BFP
    if isinstance(number, int) and number != len(levels):
        raise ValueError(f'{name}.num_levels must be {len(levels)}, the number of {levels.maps} of the '
                         f'{"preceding neck" if levels.source == "neck" else "backbone"}, got {number}')


def _advice(name: str, neck: nn.Module, got: Sequence[int], levels: Levels) -> str:
    if isinstance(neck, (HRFPN, HRNetV2)):
        if len(got) == len(levels):
            return 'Set the same arch in neck and backbone'
        return advice_for_inputs(f'{name}.arch=None, {name}.in_channels', got, levels)
    # e.g. the FPN of an inherited config
    selection = find_outputs(got, levels)
    outputs = '' if selection is None else f'backbone.{selection}, or '
    return (f'Set {outputs}in_channels of {type(neck).__name__}, or replace it by the neck of HRNet: '
            f"neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', {input_argument(levels)})")
