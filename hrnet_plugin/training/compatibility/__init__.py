"""Build-time checks that strides, levels and channels of backbone, neck and heads agree.

Hosts build the modules of a model independently, and a mismatch may go unnoticed in training. For example, a head with
strides 8 to 128 on levels with strides 4 to 64 searches all objects in the wrong place. Therefore a global hook of
torch checks each module that is added to a model with a backbone or neck of this package. It also sets the channel
order of the images in the backbone.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.checkpoint_metadata import read_image_format
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2
from hrnet_plugin.training.compatibility.backbone_heads import check_cascade, check_decode_head, check_pose_head
from hrnet_plugin.training.compatibility.detectors import (
    Neck,
    check_dense_head,
    check_encoder,
    check_neck,
    check_neck_sequence,
    check_roi_head,
)

__all__ = ['check_submodule', 'enable_build_checks']

_AFTER_NECK: dict[str, Callable[[str, nn.Module, Neck], None]] = {
    'rpn_head': check_dense_head,
    'bbox_head': check_dense_head,
    'roi_head': check_roi_head,
    'encoder': check_encoder,
}
_AFTER_BACKBONE: dict[str, Callable[[str, nn.Module, HRNet], None]] = {
    'head': check_pose_head,
    'decode_head': check_decode_head,
    'auxiliary_head': check_decode_head,
}

# list of cascaded heads on a backbone of this package -> its name in the model, and the backbone
_CASCADES: weakref.WeakKeyDictionary[nn.Module, tuple[str, weakref.ref[HRNet]]] = weakref.WeakKeyDictionary()


def check_submodule(whole: nn.Module, name: str, part: nn.Module | None) -> None:
    """Check a new submodule against the existing ones. Called by torch when a submodule is registered.

    Args:
        whole: Parent module.
        name: Name of the submodule.
        part: New submodule.

    Raises:
        ValueError: If levels, strides or channels differ. The message names the config entry to change.
    """
    if isinstance(whole, nn.ModuleList) and whole in _CASCADES:
        _check_in_list(whole, name, part)
    if name == 'backbone' and isinstance(part, HRNet):
        part.image_format = read_image_format(whole._modules.get('data_preprocessor'))
    if part is None or (name != 'neck' and name not in _AFTER_NECK and name not in _AFTER_BACKBONE):
        return
    backbone, neck = whole._modules.get('backbone'), whole._modules.get('neck')
    if name == 'neck':
        if isinstance(backbone, HRNet):
            check_neck(backbone, _neck_sequence(part)[0])
        check_neck_sequence(_neck_sequence(part))
    elif name in _AFTER_BACKBONE:
        if isinstance(backbone, HRNet) and neck is None:
            _check_after_backbone(name, part, backbone)
    else:
        ours = [module for module in _neck_sequence(neck) if isinstance(module, (HRFPN, HRNetV2))]
        if ours:
            _AFTER_NECK[name](name, part, ours[-1])


def _check_after_backbone(name: str, part: nn.Module, backbone: HRNet) -> None:
    if not isinstance(part, nn.ModuleList):
        _AFTER_BACKBONE[name](name, part, backbone)
        return
    # mmsegmentation registers the list of a cascade before it adds the heads
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
    _AFTER_BACKBONE[name](f'{name}[{index}]', head, backbone)


def _neck_sequence(neck: nn.Module | None) -> list[nn.Module]:
    if neck is None:
        return []
    # mmdet applies a list of necks in sequence; other necks after the pyramid keep its levels
    return list(neck) if isinstance(neck, nn.Sequential) and len(neck) else [neck]


def enable_build_checks() -> None:
    """Check all models that are built in this process from now on."""
    register_module_module_registration_hook(check_submodule)
