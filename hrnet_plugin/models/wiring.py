"""Do backbone, neck and heads of a detector fit? Found out while the host builds it.

mmdet builds the parts of a detector one after the other and lets none of them see the others. Where their levels do
not fit, it trains without a word: a head of strides 8 to 128 on levels of strides 4 to 64 looks for every object in
the wrong place. Torch announces each module that becomes a part of another one; this listens, and looks at those that
join a module with a neck or a backbone of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Union

from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2

Neck = Union[HRFPN, HRNetV2]

# read one map; with more they fail at the first step, or take one of them
_SINGLE_LEVEL = ('CenterNetHead', )


def check_neck(backbone: HRNet, neck: nn.Module) -> None:
    """Raise ValueError unless a neck reads the channels that an HRNet gives."""
    wanted = getattr(neck, 'in_channels', None)
    if isinstance(wanted, (list, tuple)) and tuple(wanted) != tuple(backbone.out_channels):
        raise ValueError(f'neck.in_channels must be {list(backbone.out_channels)}, which the backbone gives, got '
                         f'{list(wanted)}: give neck and backbone the same arch, and the backbone as many outputs as '
                         'the neck reads (multiscale_output)')


def check_dense_head(name: str, head: Any, neck: Neck) -> None:
    """Raise ValueError unless a head that runs over all levels has the neck's strides and channels."""
    _check_channels(f'{name}.in_channels', getattr(head, 'in_channels', None), neck)
    if type(head).__name__ in _SINGLE_LEVEL and len(neck.out_strides) != 1:
        raise ValueError(f'{name} ({type(head).__name__}) reads one map, the neck gives {len(neck.out_strides)}: set '
                         "neck.num_outs=1, or neck.type='hrnet_plugin.HRNetV2'")
    priors = getattr(head, 'prior_generator', None)
    if priors is None:
        return
    key = next((key for key in ('strides', 'point_strides') if hasattr(head, key)), 'anchor_generator.strides')
    strides = [_one(stride) for stride in priors.strides]
    _check_strides(f'{name}.{key}', strides, neck.out_strides, _neck_for(strides, neck, len(strides)))
    ranges = getattr(head, 'regress_ranges', None)
    if ranges is not None and len(ranges) != len(neck.out_strides):
        raise ValueError(f'{name}.regress_ranges must have one entry for each of the neck\'s {len(neck.out_strides)} '
                         f'levels, got {len(ranges)}')


def check_roi_head(name: str, head: Any, neck: Neck) -> None:
    """Raise ValueError unless a head pools from levels that the neck has at the strides that it believes."""
    for part in ('bbox_roi_extractor', 'mask_roi_extractor'):
        for extractor in _each(getattr(head, part, None)):
            strides = [_one(stride) for stride in extractor.featmap_strides]
            _check_strides(f'{name}.{part}.featmap_strides', strides, neck.out_strides[:len(strides)],
                           _neck_for(strides, neck, max(len(strides), len(neck.out_strides))))
            _check_channels(f'{name}.{part}.out_channels', extractor.out_channels, neck)
    semantic = getattr(head, 'semantic_head', None)
    if semantic is None:
        return
    _check_channels(f'{name}.semantic_head.in_channels', semantic.in_channels, neck)
    if semantic.num_ins != len(neck.out_strides):
        raise ValueError(f'{name}.semantic_head.num_ins must be {len(neck.out_strides)}, the neck\'s number of levels, '
                         f'got {semantic.num_ins}')
    strides = [_one(stride) for stride in head.semantic_roi_extractor.featmap_strides]
    level = semantic.fusion_level
    _check_strides(f'{name}.semantic_roi_extractor.featmap_strides (semantic_head.fusion_level = {level})', strides,
                   neck.out_strides[level:level + 1])


def check_encoder(name: str, encoder: Any, neck: Neck) -> None:
    """Raise ValueError unless a transformer's encoder attends to as many levels as the neck gives."""
    attention = encoder.layers[0].self_attn
    levels = getattr(attention, 'num_levels', 1)
    if levels != len(neck.out_strides):
        raise ValueError(f'{name}.layer_cfg.self_attn_cfg.num_levels must be {len(neck.out_strides)}, the neck\'s '
                         f'number of levels, got {levels}; or set neck.num_outs={levels}')
    _check_channels(f'{name}.layer_cfg.self_attn_cfg.embed_dims', attention.embed_dims, neck)


def _check_strides(key: str, got: Sequence[int], wanted: Sequence[int], otherwise: str = '') -> None:
    if tuple(got) != tuple(wanted):
        raise ValueError(f'{key} must be {list(wanted)}, the strides of the neck\'s levels, got {list(got)}{otherwise}')


def _neck_for(strides: Sequence[int], neck: Neck, num_outs: int) -> str:
    """What to change in the neck instead of the head, where that is possible."""
    first = strides[0]
    if not isinstance(neck, HRFPN) or first % 4 or list(strides) != [first * 2**i for i in range(len(strides))]:
        return ''
    return f'; or set neck.stride={first // 4}, neck.num_outs={num_outs}'


def _check_channels(key: str, got: object, neck: Neck) -> None:
    if isinstance(got, int) and got != neck.out_channels:
        raise ValueError(f'{key} must be {neck.out_channels}, the neck\'s out_channels, got {got}')


def _one(stride: int | Sequence[int]) -> int:
    # mmdet's anchors and points have a stride for each axis
    return stride if isinstance(stride, int) else stride[0]


def _each(module: Any) -> Iterator[Any]:
    # the heads of a cascade have one extractor a stage
    if module is not None:
        yield from module if isinstance(module, nn.ModuleList) else (module, )


_CHECKS: dict[str, Callable[[str, Any, Neck], None]] = {
    'rpn_head': check_dense_head,
    'bbox_head': check_dense_head,
    'roi_head': check_roi_head,
    'encoder': check_encoder,
}


def check_part(whole: nn.Module, name: str, part: nn.Module | None) -> None:
    """Torch's hook for a module that becomes a part of another one: check it against the parts that are there.

    Raises:
        ValueError: If levels, strides or channels differ; the message names the entry of the config to change.
    """
    parts = whole._modules
    if name == 'neck':
        backbone = parts.get('backbone')
        if isinstance(backbone, HRNet) and part is not None:
            check_neck(backbone, part)
    elif name in _CHECKS:
        neck = parts.get('neck')
        if isinstance(neck, (HRFPN, HRNetV2)) and part is not None:
            _CHECKS[name](name, part, neck)


def watch_building() -> None:
    """Check every detector that is built in this process from now on."""
    register_module_module_registration_hook(check_part)
