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

from hrnet_plugin.hosts import MMDET, MMPOSE, MMSEG, Host
from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.training.compatibility.backbone_heads import check_cascade, check_decode_head, check_pose_head
from hrnet_plugin.training.compatibility.detectors import check_dense_head, check_mask_head, check_semantic_head
from hrnet_plugin.training.compatibility.images import image_format_of
from hrnet_plugin.training.compatibility.levels import Levels, backbone_levels
from hrnet_plugin.training.compatibility.necks import check_necks
from hrnet_plugin.training.compatibility.origin import host_of
from hrnet_plugin.training.compatibility.roi_heads import check_roi_head
from hrnet_plugin.training.compatibility.transformers import check_decoder, check_encoder, check_pixel_decoder

__all__ = ['check_submodule', 'enable_build_checks']

# name in the model -> host that defines the head, and check against the feature maps of the neck or backbone
_HEADS: dict[str, tuple[Host, Callable[[str, nn.Module, Levels], None]]] = {
    'rpn_head': (MMDET, check_dense_head),
    'bbox_head': (MMDET, check_dense_head),
    'mask_head': (MMDET, check_mask_head),
    'roi_head': (MMDET, check_roi_head),
    'semantic_head': (MMDET, check_semantic_head),
    'panoptic_head': (MMDET, check_pixel_decoder),
    'track_head': (MMDET, check_pixel_decoder),
    'encoder': (MMDET, check_encoder),
    'decoder': (MMDET, check_decoder),
    'head': (MMPOSE, check_pose_head),
    'decode_head': (MMSEG, check_decode_head),
    'auxiliary_head': (MMSEG, check_decode_head),
}

# list of cascaded heads -> its name in the model, and the model
_CASCADES: weakref.WeakKeyDictionary[nn.Module, tuple[str, weakref.ref[nn.Module]]] = weakref.WeakKeyDictionary()

# model -> its backbone and neck, and their feature maps
_LEVELS: weakref.WeakKeyDictionary[nn.Module, tuple[nn.Module | None, nn.Module | None, Levels | None]] = (
    weakref.WeakKeyDictionary())


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
        part.image_format = image_format_of(part, whole._modules.get('data_preprocessor'))
    if part is None or (name != 'neck' and name not in _HEADS):
        return
    if name == 'neck':
        _find_levels(whole, part)
    elif isinstance(part, nn.ModuleList):
        # mmsegmentation registers the list of a cascade before it adds the heads
        _CASCADES[part] = name, weakref.ref(whole)
        for i, head in enumerate(part):
            _check_in_list(part, str(i), head)
    else:
        _check_head(whole, name, name, part)


def _check_head(whole: nn.Module, kind: str, name: str, head: nn.Module) -> None:
    """Check a head of a model.

    Args:
        whole: The model.
        kind: Key of the head in :data:`_HEADS`.
        name: Key of the head in the config.
        head: The head.
    """
    host, check = _HEADS[kind]
    if host_of(head) != host.name:
        return
    levels = _find_levels(whole, whole._modules.get('neck'))
    if levels is not None:
        check(name, head, levels)


def _find_levels(whole: nn.Module, neck: nn.Module | None) -> Levels | None:
    """Check the necks of a model and return the inputs of its heads, or None if they are unknown.

    The necks run once per model, unless its backbone or neck is replaced.
    """
    backbone = whole._modules.get('backbone')
    known = _LEVELS.get(whole)
    if known is None or known[0] is not backbone or known[1] is not neck:
        known = backbone, neck, check_necks(_neck_sequence(neck), backbone_levels(backbone))
        _LEVELS[whole] = known
    return known[2]


def _check_in_list(heads: nn.ModuleList, index: str, head: nn.Module | None) -> None:
    name, reference = _CASCADES[heads]
    whole = reference()
    if head is None or whole is None or not isinstance(whole._modules.get('backbone'), HRNet):
        return
    if name == 'decode_head' and len(heads) and host_of(head) == host_of(heads[0]) == MMSEG.name:
        check_cascade(f'{name}[{index}]', head, heads[0])
    _check_head(whole, name, f'{name}[{index}]', head)


def _neck_sequence(neck: nn.Module | None) -> list[nn.Module]:
    if neck is None:
        return []
    # mmdet applies a list of necks in sequence
    return list(neck) if isinstance(neck, nn.Sequential) and len(neck) else [neck]


def enable_build_checks() -> None:
    """Check all models that are built in this process from now on."""
    register_module_module_registration_hook(check_submodule)
