"""Do backbone, neck and heads fit, and which images does the backbone get? Found out while the host builds the model.

Hosts build the parts of a model one after the other and let none of them see the others. Where they do not fit, a model
may train without a word: a head of strides 8 to 128 on levels of strides 4 to 64 looks for every object in the wrong
place. Torch announces each module that becomes a part of another one; this listens, and looks at those that join a
module with a neck or a backbone of this package.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2
from hrnet_plugin.models.weight_notes import images_of
from hrnet_plugin.training.compatibility.backbone_heads import check_cascade, check_decode_head, check_last_map_head
from hrnet_plugin.training.compatibility.detectors import (
    Neck,
    check_chain,
    check_dense_head,
    check_encoder,
    check_neck,
    check_roi_head,
)

__all__ = ['check_part', 'watch_building']

_BEHIND_NECK: dict[str, Callable[[str, nn.Module, Neck], None]] = {
    'rpn_head': check_dense_head,
    'bbox_head': check_dense_head,
    'roi_head': check_roi_head,
    'encoder': check_encoder,
}
_BEHIND_BACKBONE: dict[str, Callable[[str, nn.Module, HRNet], None]] = {
    'head': check_last_map_head,
    'decode_head': check_decode_head,
    'auxiliary_head': check_decode_head,
}

# lists of heads on a backbone of this package -> their name in the model, and the backbone
_CASCADES: weakref.WeakKeyDictionary[nn.Module, tuple[str, weakref.ref[HRNet]]] = weakref.WeakKeyDictionary()


def check_part(whole: nn.Module, name: str, part: nn.Module | None) -> None:
    """Torch's hook for a module that becomes a part of another one: check it against the parts that are there.

    Raises:
        ValueError: If levels, strides or channels differ; the message names the entry of the config to change.
    """
    if isinstance(whole, nn.ModuleList) and whole in _CASCADES:
        _check_in_list(whole, name, part)
    if name == 'backbone' and isinstance(part, HRNet):
        part.images = images_of(whole._modules.get('data_preprocessor'))
    if part is None or (name != 'neck' and name not in _BEHIND_NECK and name not in _BEHIND_BACKBONE):
        return
    backbone, neck = whole._modules.get('backbone'), whole._modules.get('neck')
    if name == 'neck':
        if isinstance(backbone, HRNet):
            check_neck(backbone, _chain(part)[0])
        check_chain(_chain(part))
    elif name in _BEHIND_BACKBONE:
        if isinstance(backbone, HRNet) and neck is None:
            _check_behind_backbone(name, part, backbone)
    else:
        ours = [module for module in _chain(neck) if isinstance(module, (HRFPN, HRNetV2))]
        if ours:
            _BEHIND_NECK[name](name, part, ours[-1])


def _check_behind_backbone(name: str, part: nn.Module, backbone: HRNet) -> None:
    if not isinstance(part, nn.ModuleList):
        _BEHIND_BACKBONE[name](name, part, backbone)
        return
    # mmsegmentation fills the list of a cascade when it is a part of the model already
    _CASCADES[part] = name, weakref.ref(backbone)
    for i, head in enumerate(part):
        _check_in_list(part, str(i), head)


def _check_in_list(heads: nn.ModuleList, index: str, head: nn.Module | None) -> None:
    name, reference = _CASCADES[heads]
    backbone = reference()
    if head is None or backbone is None:
        return
    if name == 'decode_head' and len(heads):
        check_cascade(f'{name}[{index}]', head, heads[0])
    _BEHIND_BACKBONE[name](f'{name}[{index}]', head, backbone)


def _chain(neck: nn.Module | None) -> list[nn.Module]:
    if neck is None:
        return []
    # mmdet chains the necks of a list; those of others behind a pyramid keep its levels
    return list(neck) if isinstance(neck, nn.Sequential) and len(neck) else [neck]


def watch_building() -> None:
    """Check every model that is built in this process from now on."""
    register_module_module_registration_hook(check_part)
