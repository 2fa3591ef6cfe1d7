"""Checkpoint metadata: settings that change a network's outputs, but no state-dict key and no shape.

Each setting is stored in the metadata of the state dict (``state_dict._metadata``), which torch and mmengine save and
load. No key is added. If a module loads a state dict whose settings differ from its configuration, a warning names the
config entry to change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from hrnet_plugin.models.layers import Upsampling

if TYPE_CHECKING:
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead

    from hrnet_plugin.models.backbones.hrnet import HRNet

COLORS = 3  # least number of channels of images with an order
_Module = TypeVar('_Module', bound=nn.Module)


@dataclass(frozen=True)
class MetadataEntry(Generic[_Module]):
    """Setting of a module that is stored in checkpoint metadata.

    Attributes:
        read: Function from a module to the value of the setting, as a string; None if it is unknown.
        explain: Function from the stored and the current value to a warning; None for an unknown stored value.
    """

    read: Callable[[_Module], str | None]
    explain: Callable[[str, str], str | None]


def register_metadata(module: _Module, entries: Mapping[str, MetadataEntry[_Module]]) -> None:
    """Store ``entries`` in the metadata of a module's state dicts, and compare them when it loads a state dict."""
    module._register_state_dict_hook(partial(_write, entries))
    module._register_load_state_dict_pre_hook(partial(_compare, entries), with_module=True)


def _write(entries: Mapping[str, MetadataEntry[_Module]], module: _Module, state_dict: Mapping[str, Tensor],
           prefix: str, metadata: dict[str, str | int]) -> None:
    metadata.update({name: text for name, entry in entries.items() if (text := entry.read(module)) is not None})


def _compare(entries: Mapping[str, MetadataEntry[_Module]], module: _Module, state_dict: Mapping[str, Tensor],
             prefix: str, metadata: Mapping[str, str | int], *unused: bool | list[str]) -> None:
    for name, entry in entries.items():
        current, stored = entry.read(module), metadata.get(name)
        if current is not None and isinstance(stored, str) and stored != current:
            warning = entry.explain(stored, current)
            if warning is not None:
                print_log(warning, logger='current', level=logging.WARNING)


def read_image_format(preprocessor: nn.Module | None) -> str | None:
    """Return the format of the images that a data preprocessor passes to the network.

    Upstream pipelines read images as BGR.

    Args:
        preprocessor: Data preprocessor of mmdet, mmpose, mmsegmentation or mmpretrain, or None.

    Returns:
        'RGB' or 'BGR', followed by ', std 1' if pixels are not divided. None if the preprocessor does not normalize.
    """
    if not getattr(preprocessor, '_enable_normalize', False):
        return None
    converts = next((getattr(preprocessor, name) for name in ('_channel_conversion', 'channel_conversion', 'to_rgb')
                     if hasattr(preprocessor, name)), None)
    std = getattr(preprocessor, 'std', None)
    if converts is None or not isinstance(std, torch.Tensor) or std.is_meta:
        return None
    return ('RGB' if converts else 'BGR') + (', std 1' if bool((std == 1).all()) else '')


def with_channel_order(images: str, order: str) -> str:
    """Return an image format with another channel order.

    >>> with_channel_order('RGB, std 1', 'BGR')
    'BGR, std 1'
    """
    return ', '.join([order, *images.split(', ')[1:]])


_UPSAMPLING = {known.text: known for known in (
    Upsampling('nearest'), Upsampling('bilinear'), Upsampling('bilinear', align_corners=True))}


def _explain_upsampling(stored: str, current: str) -> str | None:
    if stored not in _UPSAMPLING:
        return None
    return (f'The checkpoint was trained with {stored} upsampling in the fusion, but the network uses {current}. '
            f'Outputs differ. To reproduce them, set backbone.upsample={_UPSAMPLING[stored].cfg!r}. For fine-tuning, '
            'no change is needed.')


def _explain_image_format(stored: str, current: str) -> str:
    order = [*stored.split(', '), ''][0]
    change = f'data_preprocessor.bgr_to_rgb={order == "RGB"}'
    if 'std 1' in stored or 'std 1' in current:
        change += ', and mean and std accordingly'
    elif order != current.split(', ')[0]:
        change += ', and reverse mean and std'
    return f'The checkpoint was trained on {stored} images, but the network receives {current}. Set {change}.'


def _explain_eps(stored: str, current: str) -> str:
    return (f'The checkpoint was trained with norm eps {stored}, but the network uses {current}. '
            f'Set backbone.norm_cfg.eps={stored}.')


def _explain_operator(stored: str, current: str) -> str:
    return (f'The checkpoint was trained with fusion operator {stored!r}, but the network uses {current!r}. '
            f'Set backbone.fusion_operator={stored!r}.')


def _explain_align_corners(stored: str, current: str) -> str:
    return (f'The head checkpoint was trained with align_corners={stored}, but the head uses {current}. '
            f'Set decode_head.align_corners={stored}.')


def _read_upsampling(network: HRNet) -> str | None:
    return str(network.upsampling.text)


def _read_image_format(network: HRNet) -> str | None:
    return network.image_format


def _read_operator(network: HRNet) -> str | None:
    return str(network.fusion_operator)


def _read_eps(network: nn.Module) -> str | None:
    return next((str(layer.eps) for layer in network.modules() if isinstance(getattr(layer, 'eps', None), float)), None)


def _read_align_corners(head: BaseDecodeHead) -> str | None:
    return str(head.align_corners)


NETWORK_METADATA: Mapping[str, MetadataEntry[HRNet]] = {
    'upsampling': MetadataEntry(_read_upsampling, _explain_upsampling),
    'images': MetadataEntry(_read_image_format, _explain_image_format),
    'fusion_operator': MetadataEntry(_read_operator, _explain_operator),
    'norm_eps': MetadataEntry(_read_eps, _explain_eps),
}
HEAD_METADATA: Mapping[str, MetadataEntry[BaseDecodeHead]] = {
    'align_corners': MetadataEntry(_read_align_corners, _explain_align_corners),
}
