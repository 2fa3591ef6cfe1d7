"""Checks of necks and heads of detectors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from torch import nn

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2

Neck = HRFPN | HRNetV2

# mmdet's heads for a single level; with more levels, they use the first ones or fail at the first step
_SINGLE_LEVEL = ('CenterNetHead', 'CenterTripletHead')
# attributes with the generator of a head's anchors or points
_GENERATORS = ('prior_generator', 'square_anchor_generator', 'approx_anchor_generator')


def check_neck(backbone: HRNet, neck: nn.Module) -> None:
    """Raise ValueError unless ``in_channels`` of a neck match the backbone, finest first or (YOLO) finest last."""
    got = getattr(neck, 'in_channels', None)
    expected = list(backbone.out_channels)
    if isinstance(got, (list, tuple)) and list(got) not in (expected, expected[::-1]):
        raise ValueError(f'neck.in_channels must be {expected}, as in the backbone, got {list(got)}. '
                         f'{_neck_advice(neck, len(got), len(expected))}')


def _neck_advice(neck: nn.Module, num_inputs: int, num_outputs: int) -> str:
    if not isinstance(neck, (HRFPN, HRNetV2)):  # e.g. the FPN of an inherited config
        return (f'Set in_channels of {type(neck).__name__}, or replace it by the neck of HRNet: '
                "neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch=...), with the backbone's arch")
    if num_inputs == num_outputs:
        return 'Set the same arch in neck and backbone'
    return 'Set backbone.multiscale_output to match the number of inputs of the neck'


def check_neck_sequence(necks: Sequence[nn.Module]) -> None:
    """Raise ValueError unless ``in_channels`` of a pyramid after HRNetV2, in a list of necks, match its output."""
    for k, (first, second) in enumerate(itertools.pairwise(necks), 1):
        if isinstance(first, HRNetV2) and isinstance(second, (HRFPN, HRNetV2)):
            expected = (first.out_channels, )
            if second.in_channels != expected:
                raise ValueError(f'neck[{k}].in_channels must be {expected}, as in the preceding neck, got '
                                 f'{second.in_channels}')


def check_dense_head(name: str, head: nn.Module, neck: Neck) -> None:
    """Raise ValueError unless a dense head has the strides and channels of the neck."""
    for i, stage in enumerate(_each(getattr(head, 'stages', None))):  # Cascade RPN
        check_dense_head(f'{name}.stages[{i}]', stage, neck)
    _check_channels(f'{name}.in_channels', _channels_of(head), neck)
    _check_single_level(name, head, neck)
    strides = next((_strides(getattr(head, key)) for key in _GENERATORS if hasattr(head, key)), None)
    if strides is None:
        return
    key = next((key for key in ('strides', 'point_strides') if hasattr(head, key)), 'anchor_generator.strides')
    _check_strides(f'{name}.{key}', strides, neck.out_strides, _advice_for_strides(strides, neck))
    ranges = getattr(head, 'regress_ranges', None)
    if ranges is not None and len(ranges) != len(neck.out_strides):
        raise ValueError(f'{name}.regress_ranges must have one entry per level of the neck '
                         f'({len(neck.out_strides)}), got {len(ranges)}')


def _channels_of(head: nn.Module) -> int | Sequence[int] | None:
    centers = getattr(head, 'heatmap_head', None)  # CenterNet has no attribute in_channels
    if isinstance(centers, nn.Sequential) and isinstance(centers[0], nn.Conv2d):
        return centers[0].in_channels
    return getattr(head, 'in_channels', None)


def _check_single_level(name: str, head: nn.Module, neck: Neck) -> None:
    single = any(parent.__name__ in _SINGLE_LEVEL for parent in type(head).__mro__)
    if single and len(neck.out_strides) != 1:
        raise ValueError(f'{name} ({type(head).__name__}) requires one level, got {len(neck.out_strides)} from '
                         "the neck. Set neck.num_outs=1, or neck.type='hrnet_plugin.HRNetV2'")


def check_roi_head(name: str, head: nn.Module, neck: Neck) -> None:
    """Raise ValueError unless RoI extractors and semantic head have the strides and channels of the neck."""
    for part in ('bbox_roi_extractor', 'mask_roi_extractor'):
        for extractor in _each(getattr(head, part, None)):
            strides = _strides(extractor)
            if strides is not None:
                _check_strides(f'{name}.{part}.featmap_strides', strides, neck.out_strides[:len(strides)])
            _check_channels(f'{name}.{part}.out_channels', getattr(extractor, 'out_channels', None), neck)
    semantic, semantic_extractor = (getattr(head, f'semantic_{part}', None) for part in ('head', 'roi_extractor'))
    level, number = getattr(semantic, 'fusion_level', None), getattr(semantic, 'num_ins', None)
    if level is None or number is None:
        return
    _check_channels(f'{name}.semantic_head.in_channels', getattr(semantic, 'in_channels', None), neck)
    if number != len(neck.out_strides):
        raise ValueError(f'{name}.semantic_head.num_ins must be {len(neck.out_strides)}, the number of levels of the '
                         f'neck, got {number}')
    strides = _strides(semantic_extractor)
    if strides is not None:
        _check_strides(f'{name}.semantic_roi_extractor.featmap_strides (semantic_head.fusion_level = {level})', strides,
                       neck.out_strides[level:level + 1])


def check_encoder(name: str, encoder: nn.Module, neck: Neck) -> None:
    """Raise ValueError unless a deformable transformer encoder has the levels and channels of the neck."""
    layers = getattr(encoder, 'layers', None)
    attention = getattr(layers[0], 'self_attn', None) if isinstance(layers, nn.ModuleList) and len(layers) else None
    levels = getattr(attention, 'num_levels', None)
    if levels is None:  # other encoders use the last level
        return
    if levels != len(neck.out_strides):
        raise ValueError(f'{name}.layer_cfg.self_attn_cfg.num_levels must be {len(neck.out_strides)}, the '
                         f'number of levels of the neck, got {levels}; or set neck.num_outs={levels}')
    _check_channels(f'{name}.layer_cfg.self_attn_cfg.embed_dims', getattr(attention, 'embed_dims', None), neck)


def _strides(module: nn.Module | None) -> list[int] | None:
    """Return the strides of anchors, points or RoI levels, or None if there are no integer strides."""
    strides = getattr(module, 'featmap_strides', getattr(module, 'strides', None))
    if not isinstance(strides, (list, tuple)):
        return None
    # mmdet's anchors and points have one stride per axis
    strides = [stride[0] if isinstance(stride, (list, tuple)) else stride for stride in strides]
    return strides if strides and all(isinstance(stride, int) for stride in strides) else None


def _check_strides(key: str, got: Sequence[int], expected: Sequence[int], advice: str = '') -> None:
    if tuple(got) != tuple(expected):
        raise ValueError(f'{key} must be {list(expected)}, the strides of the neck\'s levels, got {list(got)}{advice}')


def _advice_for_strides(strides: Sequence[int], neck: Neck) -> str:
    """Return how to change the neck instead of the head, or an empty string if that is impossible."""
    first = strides[0]
    if not isinstance(neck, HRFPN) or first % 4 or list(strides) != [first * 2**i for i in range(len(strides))]:
        return ''
    return f'; or set neck.stride={first // 4}, neck.num_outs={len(strides)}'


def _check_channels(key: str, got: int | Sequence[int] | None, neck: Neck) -> None:
    if isinstance(got, int) and got != neck.out_channels:
        raise ValueError(f'{key} must be {neck.out_channels}, the neck\'s out_channels, got {got}; or set '
                         f'neck.out_channels={got}')


def _each(module: nn.Module | None) -> Iterator[nn.Module]:
    # heads of a cascade have one extractor per stage
    if module is not None:
        yield from module if isinstance(module, nn.ModuleList) else (module, )
