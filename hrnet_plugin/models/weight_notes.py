"""Weights remember what they were trained with: names and shapes are the same, outputs are not.

Such facts travel in the metadata of state dicts, which has no tensors, so that no name is added. mmengine and torch
save and load it. A module that loads weights with other facts than its own says so, with the line of the config to
change.
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

_Module = TypeVar('_Module', bound=nn.Module)


@dataclass(frozen=True)
class Fact(Generic[_Module]):
    """Something that changes a network's outputs and no name or shape.

    Attributes:
        own: Of a module, as a text; None where it cannot be known.
        differs: From what they were trained with and what the module has to a sentence; None where the former is no
            value that is known.
    """

    own: Callable[[_Module], str | None]
    differs: Callable[[str, str], str | None]


def note_facts(module: _Module, facts: Mapping[str, Fact[_Module]]) -> None:
    """Note facts in the metadata of a module's state dicts, and compare them with those of what it loads."""
    module._register_state_dict_hook(partial(_write, facts))
    module._register_load_state_dict_pre_hook(partial(_compare, facts), with_module=True)


def _write(facts: Mapping[str, Fact[_Module]], module: _Module, state_dict: Mapping[str, Tensor], prefix: str,
           metadata: dict[str, str | int]) -> None:
    metadata.update({name: text for name, fact in facts.items() if (text := fact.own(module)) is not None})


def _compare(facts: Mapping[str, Fact[_Module]], module: _Module, state_dict: Mapping[str, Tensor], prefix: str,
             metadata: Mapping[str, str | int], *unused: bool | list[str]) -> None:
    for name, fact in facts.items():
        own, theirs = fact.own(module), metadata.get(name)
        if own is not None and isinstance(theirs, str) and theirs != own:
            sentence = fact.differs(theirs, own)
            if sentence is not None:
                print_log(sentence, logger='current', level=logging.WARNING)


def images_of(preprocessor: nn.Module | None) -> str | None:
    """'RGB' or 'BGR', and ', std 1' where pixels are not divided: what a preprocessor of a host gives a network.

    None where the preprocessor leaves it to the pipeline. Hosts read images as BGR.
    """
    if not getattr(preprocessor, '_enable_normalize', False):
        return None
    converts = next((getattr(preprocessor, name) for name in ('_channel_conversion', 'channel_conversion', 'to_rgb')
                     if hasattr(preprocessor, name)), None)
    std = getattr(preprocessor, 'std', None)
    if converts is None or not isinstance(std, torch.Tensor) or std.is_meta:
        return None
    return ('RGB' if converts else 'BGR') + (', std 1' if bool((std == 1).all()) else '')


_UPSAMPLING = {known.text: known for known in (
    Upsampling('nearest'), Upsampling('bilinear'), Upsampling('bilinear', align_corners=True))}


def _upsampling_differs(theirs: str, own: str) -> str | None:
    if theirs not in _UPSAMPLING:
        return None
    return (f'these weights were trained with {theirs} upsampling in the fusion, and the network has {own}: as they '
            f'are, they give other outputs. For the same ones set backbone.upsample={_UPSAMPLING[theirs].cfg!r}; to be '
            'trained on, they may stay')


def _images_differ(theirs: str, own: str) -> str:
    order = [*theirs.split(', '), ''][0]
    words = f'data_preprocessor.bgr_to_rgb={order == "RGB"}'
    if 'std 1' in theirs or 'std 1' in own:
        words += ', and mean and std accordingly'
    elif order != own.split(', ')[0]:
        words += ', and mean and std in the other order'
    return f'these weights were trained on {theirs} images, and the network gets {own}: for the same ones set {words}'


def _eps_differs(theirs: str, own: str) -> str:
    return (f'these weights were trained with eps {theirs} in norms, and the network has {own}: for the same outputs '
            f'set backbone.norm_cfg.eps={theirs}')


def _operator_differs(theirs: str, own: str) -> str:
    return (f'these weights were trained with the {theirs} of maps in the fusion, and the network takes the {own}: for '
            f'the same outputs set backbone.fusion_operator={theirs!r}')


def _corners_differ(theirs: str, own: str) -> str:
    return (f"these weights of a head were trained with align_corners={theirs}, and the head has {own}: for the same "
            f"outputs set the decode_head's align_corners={theirs}")


def _upsampling(network: HRNet) -> str | None:
    return str(network.upsampling.text)


def _images(network: HRNet) -> str | None:
    return network.images


def _operator(network: HRNet) -> str | None:
    return str(network.fusion_operator)


def _eps(network: nn.Module) -> str | None:
    return next((str(layer.eps) for layer in network.modules() if isinstance(getattr(layer, 'eps', None), float)), None)


def _corners(head: BaseDecodeHead) -> str | None:
    return str(head.align_corners)


NETWORK: Mapping[str, Fact[HRNet]] = {
    'upsampling': Fact(_upsampling, _upsampling_differs),
    'images': Fact(_images, _images_differ),
    'fusion_operator': Fact(_operator, _operator_differs),
    'norm_eps': Fact(_eps, _eps_differs),
}
HEAD: Mapping[str, Fact[BaseDecodeHead]] = {'align_corners': Fact(_corners, _corners_differ)}
