"""Checks of heads of two-stage detectors."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.training.compatibility.comparisons import (
    check_channels,
    check_number,
    check_strides,
    each,
    first_strides,
    strides_of,
)
from hrnet_plugin.training.compatibility.levels import Levels
from hrnet_plugin.training.compatibility.origin import known_part

# extractor -> heads that read its outputs
_READERS = {'bbox_roi_extractor': ('bbox_head', ), 'mask_roi_extractor': ('mask_head', 'mask_iou_head')}


def check_roi_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless RoI extractors, their heads and other branches fit the levels."""
    for part, readers in _READERS.items():
        for _, extractor in each(known_part(head, part)):
            _check_extractor(f'{name}.{part}', extractor, levels)
            for reader in readers:
                _check_reader(f'{name}.{reader}', head, known_part(head, reader), extractor)
    _check_semantic_branch(name, head, levels)
    context = known_part(head, 'glbctx_head')  # SCNet
    check_channels(f'{name}.glbctx_head.in_channels', getattr(context, 'in_channels', None), levels)
    _check_point_head(name, head)


def _check_extractor(name: str, extractor: nn.Module, levels: Levels) -> None:
    strides = strides_of(extractor)
    if strides is not None:
        expected = None if levels.strides is None else levels.strides[:len(strides)]
        check_strides(f'{name}.featmap_strides', strides, expected, levels)
    check_channels(f'{name}.out_channels', getattr(extractor, 'out_channels', None), levels)


def _check_reader(name: str, head: nn.Module, readers: nn.Module | None, extractor: nn.Module) -> None:
    """Compare ``in_channels`` of box and mask heads with their extractor."""
    expected = getattr(extractor, 'out_channels', None)
    if not isinstance(expected, int) or getattr(head, 'with_shared_head', False):
        return  # a shared head changes the channels in between
    if getattr(extractor, 'aggregation', '') == 'concat':
        expected *= len(first_strides(extractor))
    several = isinstance(readers, nn.ModuleList)
    for i, reader in each(readers):
        got = getattr(reader, 'in_channels', None)
        if isinstance(got, int) and got != expected:
            raise ValueError(f'{name}{f"[{i}]" if several else ""}.in_channels must be {expected}, the channels of its '
                             f'RoI extractor, got {got}')


def _check_semantic_branch(name: str, head: nn.Module, levels: Levels) -> None:
    """Check the branch of HTC, SCNet and DetectoRS."""
    semantic, extractor = (known_part(head, f'semantic_{part}') for part in ('head', 'roi_extractor'))
    level, number = getattr(semantic, 'fusion_level', None), getattr(semantic, 'num_ins', None)
    if level is None or number is None:
        return
    check_channels(f'{name}.semantic_head.in_channels', getattr(semantic, 'in_channels', None), levels)
    check_number(f'{name}.semantic_head.num_ins', number, levels)
    strides = strides_of(extractor)
    if strides is not None and levels.strides is not None:
        check_strides(f'{name}.semantic_roi_extractor.featmap_strides (semantic_head.fusion_level = {level})', strides,
                      levels.strides[level:level + 1], levels)


def _check_point_head(name: str, head: nn.Module) -> None:
    """Check PointRend's head, which reads the concatenated levels of the mask extractor at each point."""
    got = getattr(known_part(head, 'point_head'), 'in_channels', None)
    extractor = known_part(head, 'mask_roi_extractor')
    channels, strides = getattr(extractor, 'out_channels', None), strides_of(extractor)
    if isinstance(got, int) and isinstance(channels, int) and strides is not None and got != channels * len(strides):
        raise ValueError(f'{name}.point_head.in_channels must be {channels * len(strides)}, the channels of the '
                         f'{len(strides)} levels of mask_roi_extractor in total, got {got}')
