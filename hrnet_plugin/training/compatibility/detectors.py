"""Checks of the dense, mask and semantic heads of detectors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.training.compatibility.comparisons import (
    advice_for_number,
    advice_for_strides,
    check_channels,
    check_end_level,
    check_number,
    check_strides,
    each,
    first_strides,
    merging_neck,
    strides_of,
)
from hrnet_plugin.training.compatibility.levels import Levels, backbone_levels
from hrnet_plugin.training.compatibility.origin import known_part

# mmdet's heads for a single level; with more levels, they use the first ones or fail at the first step
_SINGLE_LEVEL = ('CenterNetHead', 'CenterTripletHead')
# attributes with the generator of a head's anchors or points
_GENERATORS = ('prior_generator', 'square_anchor_generator', 'approx_anchor_generator')
# attributes with one entry per level
_PER_LEVEL = ('regress_ranges', 'base_edge_list', 'scale_ranges')


def check_dense_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless a dense head has the strides and channels of its levels."""
    for i, stage in each(known_part(head, 'stages')):  # Cascade RPN
        check_dense_head(f'{name}.stages[{i}]', stage, levels)
    _check_single_level(name, head, levels)
    check_channels(f'{name}.in_channels', _channels_of(head), levels)
    _check_strides(name, head, levels)
    _check_entries(name, head, levels)


def _check_strides(name: str, head: nn.Module, levels: Levels) -> None:
    generator = next((getattr(head, key) for key in _GENERATORS if hasattr(head, key)), None)
    key = next((key for key in ('strides', 'point_strides') if hasattr(head, key)), 'anchor_generator.strides')
    # VFNet has strides besides those of its anchors; in RepPoints, they are unused
    own = strides_of(head) if hasattr(head, 'fcos_prior_generator') else None
    for strides in (strides_of(generator), own):
        if strides is not None:
            check_strides(f'{name}.{key}', strides, levels.strides, levels, advice_for_strides(strides, levels))
    number = len(first_strides(generator))
    if strides_of(generator) is None and number:  # YOLACT's strides are rounded
        check_number(f'the length of {name}.{key}', number, levels, advice_for_number(number, levels))


def _check_entries(name: str, head: nn.Module, levels: Levels) -> None:
    for key in _PER_LEVEL:
        entries = getattr(head, key, None)
        if isinstance(entries, (list, tuple)) and len(entries) != len(levels):
            raise ValueError(f'{name}.{key} must have one entry per level of the {levels.source} ({len(levels)}), got '
                             f'{len(entries)}')


def _channels_of(head: nn.Module) -> int | Sequence[int] | None:
    centers = known_part(head, 'heatmap_head')  # CenterNet has no attribute in_channels
    if isinstance(centers, nn.Sequential) and isinstance(centers[0], nn.Conv2d):
        return centers[0].in_channels
    channels = getattr(head, 'in_channels', None)
    return None if isinstance(channels, (list, tuple)) and hasattr(head, 'in_index') else channels


def _check_single_level(name: str, head: nn.Module, levels: Levels) -> None:
    single = any(parent.__name__ in _SINGLE_LEVEL for parent in type(head).__mro__)
    if single and len(levels) != 1:
        raise ValueError(f'{name} ({type(head).__name__}) requires one level, got {len(levels)} from the '
                         f'{levels.source}{_advice_for_single_level(head, levels)}')


def _advice_for_single_level(head: nn.Module, levels: Levels) -> str:
    before, channels = backbone_levels(levels.backbone), _channels_of(head)
    if isinstance(levels.neck, HRFPN):
        return f'. Set {levels.key}.num_outs=1'
    if before is None:
        return ''
    replaces = levels.neck is not None
    neck = merging_neck(before, channels if isinstance(channels, int) else None, replaces=replaces)
    return f'. {"Replace the neck by" if replaces else "Add"} {neck}'


def check_mask_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless the mask head of a one-stage detector fits its levels.

    Supported are SOLO and SOLOv2, CondInst and BoxInst, and YOLACT.
    """
    if hasattr(head, 'resize_feats'):
        _check_solo(name, head, levels)
    features = known_part(head, 'mask_feature_head')
    if features is not None:
        _check_mask_features(f'{name}.mask_feature_head', features, levels, hasattr(head, 'resize_feats'))
    elif hasattr(head, 'protonet'):
        check_channels(f'{name}.in_channels', getattr(head, 'in_channels', None), levels)


def _check_solo(name: str, head: nn.Module, levels: Levels) -> None:
    """Check strides. The head halves the first level, and enlarges the last one to the size of the one before it."""
    check_channels(f'{name}.in_channels', getattr(head, 'in_channels', None), levels)
    strides = strides_of(head)
    if strides is None:
        return
    advice = advice_for_strides([strides[0] // 2, *strides[1:-1], 2 * strides[-1]], levels)
    check_number(f'the length of {name}.strides, num_grids and scale_ranges', len(strides), levels, advice)
    if levels.strides is None or len(levels) < 2:
        return
    expected = [2 * levels.strides[0], *levels.strides[1:-1], levels.strides[-2]]
    if strides != expected:
        raise ValueError(f'{name}.strides must be {expected} for levels with strides {list(levels.strides)}, got '
                         f'{strides}{advice}')


def _check_mask_features(name: str, head: nn.Module, levels: Levels, from_first: bool) -> None:
    """Check the branch that merges levels ``start_level`` to ``end_level``.

    Args:
        name: Key of the branch in the config.
        head: The branch.
        levels: Inputs.
        from_first: Whether its output has the size of the first level, and not of ``start_level``.
    """
    start, end, stride = (getattr(head, key, None) for key in ('start_level', 'end_level', 'mask_stride'))
    if not isinstance(start, int) or not isinstance(end, int):
        return
    check_end_level(f'{name}.end_level', end, levels)
    check_channels(f'{name}.in_channels', getattr(head, 'in_channels', None), levels)
    if levels.strides is not None and isinstance(stride, int):
        level = 0 if from_first else start
        if stride != levels.strides[level]:
            raise ValueError(f'{name}.mask_stride must be {levels.strides[level]}, the stride of level {level} of the '
                             f'{levels.source}, got {stride}')


def check_semantic_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless the semantic head of Panoptic FPN fits its levels, which start with stride 4."""
    end, layers = getattr(head, 'end_level', None), getattr(head, 'conv_upsample_layers', None)
    if not isinstance(end, int) or not isinstance(layers, nn.ModuleList):
        return
    check_end_level(f'{name}.end_level - 1', end - 1, levels)
    first = next(module for module in layers.modules() if isinstance(module, nn.Conv2d))
    check_channels(f'{name}.in_channels', first.in_channels, levels)
    if levels.strides is not None and levels.strides[0] != 4:
        raise ValueError(f'{name} requires levels with strides 4, 8, ..., got {list(levels.strides)} from the '
                         f'{levels.source}{_advice_for_stride_4(levels)}')


def _advice_for_stride_4(levels: Levels) -> str:
    backbone = levels.backbone
    if backbone is not None and backbone.out_strides[0] > 4:
        neck = '' if levels.neck is None else ', and in_channels of the neck accordingly'
        return f'. Set backbone.out_indices={(0, *backbone.out_indices)}{neck}'
    if isinstance(levels.neck, HRFPN):
        return f'. Set {levels.key}.stride=1'
    return f'. Set {levels.key}.start_level=0' if getattr(levels.neck, 'start_level', 0) else ''
