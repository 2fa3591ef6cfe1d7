"""Comparison of entries of a config with the feature maps of a backbone or neck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature
from typing import cast

from torch import nn

from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.training.compatibility.levels import Levels
from hrnet_plugin.training.compatibility.origin import if_known, is_known


def check_strides(key: str, got: Sequence[int], expected: Sequence[int] | None, levels: Levels, advice: str = ''
                  ) -> None:
    """Raise ValueError unless strides equal the expected ones. ``expected`` is None if these are unknown."""
    if expected is not None and tuple(got) != tuple(expected):
        raise ValueError(f'{key} must be {list(expected)}, the strides of the {levels.source}\'s {levels.maps}, got '
                         f'{list(got)}{advice}')


def check_channels(key: str, got: int | Sequence[int] | None, levels: Levels) -> None:
    """Raise ValueError unless ``in_channels`` of a head equals the channels of all levels. None is not checked.

    An int is compared with each level: heads on levels with different channels use some of them.
    """
    if isinstance(got, (list, tuple)):
        if tuple(got) != levels.channels:
            raise ValueError(f'{key} must be {list(levels.channels)}, as in the {levels.source}, got {list(got)}. '
                             f'{advice_for_inputs(key, got, levels)}')
    elif isinstance(got, int) and got not in levels.channels:
        if len(set(levels.channels)) > 1:
            raise ValueError(f'{key} must be one of {list(levels.channels)}, the channels of the {levels.source}\'s '
                             f'{levels.maps}, got {got}')
        advice = f'; or set {levels.key}.out_channels={got}' if _has_int_argument(levels.neck, 'out_channels') else ''
        raise ValueError(f'{key} must be {levels.channels[0]}, the {levels.source}\'s out_channels, got {got}{advice}')


def check_number(key: str, got: int, levels: Levels, advice: str = '') -> None:
    """Raise ValueError unless a number of levels equals that of the backbone or neck."""
    if got != len(levels):
        raise ValueError(f'{key} must be {len(levels)}, the number of {levels.maps} of the {levels.source}, got {got}'
                         f'{advice}')


def check_end_level(key: str, got: int, levels: Levels) -> None:
    """Raise ValueError if the index of the last level that a head uses is too large."""
    if got >= len(levels):
        raise ValueError(f'{key} must be below {len(levels)}, the number of {levels.maps} of the {levels.source}, got '
                         f'{got}{advice_for_number(got + 1, levels)}')


def advice_for_strides(strides: Sequence[int], levels: Levels) -> str:
    """Return how to change the neck instead of the head, or an empty string if that is impossible."""
    first = strides[0]
    finest = 4 if levels.backbone is None else levels.backbone.out_strides[0]
    if not isinstance(levels.neck, HRFPN) or first % finest or (
            list(strides) != [first * 2**i for i in range(len(strides))]):
        return ''
    return f'; or set {levels.key}.stride={first // finest}, {levels.key}.num_outs={len(strides)}'


def advice_for_number(number: int, levels: Levels) -> str:
    """Return how to get ``number`` levels from the neck, or an empty string if that is impossible."""
    if not _has_int_argument(levels.neck, 'num_outs'):
        return ''
    inputs = getattr(levels.neck, 'in_channels', None)
    # necks of hosts have at least one output per input
    fits = isinstance(levels.neck, HRFPN) or not isinstance(inputs, (list, tuple)) or number >= len(inputs)
    return f'; or set {levels.key}.num_outs={number}' if fits else ''


def has_argument(module: nn.Module | None, name: str) -> bool:
    """Return True if the class of a module has an argument with this name."""
    return module is not None and name in signature(type(module)).parameters


def _has_int_argument(neck: nn.Module | None, name: str) -> bool:
    """Return True if a neck has an argument with one value for all levels."""
    return has_argument(neck, name) and isinstance(getattr(neck, name, 0), int)


def merging_neck(levels: Levels, out_channels: int | None, *, replaces: bool = False) -> str:
    """Return the config of a neck that merges all feature maps into one with the given channels.

    Args:
        levels: Feature maps of the backbone.
        out_channels: Channels of the output, or None for the sum of those of the inputs.
        replaces: Whether it replaces another neck.
    """
    width = '' if out_channels in (None, sum(levels.channels)) else f', out_channels={out_channels}'
    delete = '_delete_=True, ' if replaces else ''
    return f"neck=dict({delete}type='hrnet_plugin.HRNetV2', {input_argument(levels)}{width})"


def input_argument(levels: Levels) -> str:
    """Return the argument of a neck of this package for the inputs."""
    backbone = levels.backbone
    whole = backbone is not None and levels.channels == backbone.stages[-1].out_channels
    return 'arch=...' if whole else f'in_channels={list(levels.channels)}'


def advice_for_inputs(key: str, got: Sequence[int], levels: Levels) -> str:
    """Return how to change the input channels of a module, or the outputs of the backbone."""
    selection = find_outputs(got, levels)
    return f'Set {"" if selection is None else f"backbone.{selection}, or "}{key}={list(levels.channels)}'


def find_outputs(channels: Sequence[int], levels: Levels) -> str | None:
    """Return the entry of the backbone that gives feature maps with these channels, or None if there is none."""
    if levels.source != 'backbone' or levels.backbone is None:
        return None
    branches = levels.backbone.stages[-1].out_channels
    selection = select_outputs(channels, branches)
    if selection is None:
        return None
    given = levels.backbone.multiscale_output is not None
    return f'out_indices={selection}{" with multiscale_output=None" if given else ""}'


def select_outputs(channels: Sequence[int], branches: Sequence[int]) -> tuple[int, ...] | None:
    """Return the branches with the given channels, finest first, or None if there are none.

    >>> select_outputs([36, 144], [18, 36, 72, 144])
    (1, 3)
    """
    if not set(channels) <= set(branches):
        return None
    selection = tuple(branches.index(width) for width in channels)
    return selection if list(selection) == sorted(set(selection)) else None


def strides_of(module: object) -> list[int] | None:
    """Return the strides of anchors, points or RoI levels, or None if there are no integer strides."""
    strides = first_strides(module)
    return cast('list[int]', strides) if strides and all(isinstance(stride, int) for stride in strides) else None


def first_strides(module: object) -> list[float]:
    """Return the strides of anchors, points or RoI levels, or an empty list."""
    module = if_known(module)
    strides = getattr(module, 'featmap_strides', getattr(module, 'strides', None))
    if not isinstance(strides, (list, tuple)):
        return []
    # mmdet's anchors and points have one stride per axis
    return [stride[0] if isinstance(stride, (list, tuple)) else stride for stride in strides]


def each(module: nn.Module | None) -> Iterator[tuple[int, nn.Module]]:
    """Yield index and module of a cascade, or of a single module, without modules of other packages."""
    parts = module if isinstance(module, nn.ModuleList) else (module, )
    yield from ((i, part) for i, part in enumerate(parts) if part is not None and is_known(part))
