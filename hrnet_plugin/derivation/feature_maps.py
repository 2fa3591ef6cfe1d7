"""Feature maps of the backbone that HRNet replaces."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.arch import arch_channels
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.hosts import MMDET

_IMAGE_SIZE = 256
# arguments that change neither channels nor strides: initial weights, and operators that the meta device lacks
_UNUSED = ('init_cfg', 'pretrained', 'dcn', 'stage_with_dcn', 'sac', 'stage_with_sac')
STRIDES = (4, 8, 16, 32)


def feature_maps(backbone: ConfigEntry) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return channels and strides of the feature maps of a backbone, finest first.

    Args:
        backbone: Config of a backbone of mmdet.

    Raises:
        ValueError: If the backbone does not build in this environment, or does not return feature maps.
    """
    import_module('mmdet.models')
    cfg = ConfigDict({key: value for key, value in backbone.items() if key not in _UNUSED})
    try:
        outs = _run(cfg, 'meta')
    except Exception:  # some backbones read tensor values, which the meta device lacks
        try:
            outs = _run(cfg, 'cpu')
        except Exception as error:  # any backbone may fail in its own way
            raise ValueError(f'the backbone of type {backbone.get("type")!r} must run in this environment, got '
                             f'{type(error).__name__}: {" ".join(str(error).split())}') from error
    return tuple(out.shape[1] for out in outs), tuple(_IMAGE_SIZE // out.shape[2] for out in outs)


def _run(cfg: ConfigDict, device: str) -> Sequence[torch.Tensor]:
    with DefaultScope.overwrite_default_scope(MMDET.name), torch.device(device), torch.no_grad():
        module = MODELS.build(cfg)
        module.eval()  # returns None for backbones of mmdet
        return module(torch.empty(1, 3, _IMAGE_SIZE, _IMAGE_SIZE))


def same_strides(arch: str, strides: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the branches of HRNet with the given strides, and their channels.

    Args:
        arch: Name of the network.
        strides: Strides, finest first.

    Raises:
        ValueError: If HRNet has no feature maps of these strides.
    """
    if not set(strides) <= set(STRIDES) or len(set(strides)) < len(strides):
        raise ValueError(f'heads and neck must read feature maps of different strides among {list(STRIDES)}, those of '
                         f'HRNet, got {list(strides)}')
    branches = tuple(STRIDES.index(stride) for stride in strides)
    return branches, tuple(arch_channels(arch)[branch] for branch in branches)
