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
from hrnet_plugin.training.compatibility.backbone_heads import check_cascade, check_decode_head, check_pose_head
from hrnet_plugin.training.compatibility.detectors import check_dense_head, check_mask_head, check_semantic_head
from hrnet_plugin.training.compatibility.levels import Levels, backbone_levels, find_levels
from hrnet_plugin.training.compatibility.necks import check_necks
from hrnet_plugin.training.compatibility.roi_heads import check_roi_head
from hrnet_plugin.training.compatibility.transformers import check_decoder, check_encoder, check_pixel_decoder

__all__ = ['check_submodule', 'enable_build_checks']

# name in the model -> check against the feature maps of the neck, or of the backbone without neck
_HEADS: dict[str, Callable[[str, nn.Module, Levels], None]] = {
    'rpn_head': check_dense_head,
    'bbox_head': check_dense_head,
    'mask_head': check_mask_head,
    'roi_head': check_roi_head,
    'semantic_head': check_semantic_head,
    'panoptic_head': check_pixel_decoder,
    'track_head': check_pixel_decoder,
    'encoder': check_encoder,
    'decoder': check_decoder,
    'head': check_pose_head,
    'decode_head': check_decode_head,
    'auxiliary_head': check_decode_head,
}

# list of cascaded heads -> its name in the model, and the model
_CASCADES: weakref.WeakKeyDictionary[nn.Module, tuple[str, weakref.ref[nn.Module]]] = weakref.WeakKeyDictionary()


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
    if part is None or (name != 'neck' and name not in _HEADS):
        return
    if name == 'neck':
        check_necks(_neck_sequence(part), backbone_levels(whole._modules.get('backbone')))
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
    levels = find_levels(whole._modules.get('backbone'), _neck_sequence(whole._modules.get('neck')))
    if levels is not None:
        _HEADS[kind](name, head, levels)


def _check_in_list(heads: nn.ModuleList, index: str, head: nn.Module | None) -> None:
    name, reference = _CASCADES[heads]
    whole = reference()
    if head is None or whole is None or not isinstance(whole._modules.get('backbone'), HRNet):
        return
    if name == 'decode_head' and len(heads):
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
