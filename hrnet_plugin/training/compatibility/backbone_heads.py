"""Checks of heads without a neck, as in pose estimation and segmentation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch import nn

from hrnet_plugin.hosts import MMPOSE, MMSEG
from hrnet_plugin.models.backbones.hrnet import HRNet


def check_pose_head(name: str, head: nn.Module, backbone: HRNet) -> None:
    """Raise ValueError unless ``in_channels`` of an mmpose head equals that of the backbone's last feature map."""
    if not MMPOSE.owns(head):
        return
    got, channels = getattr(head, 'in_channels', None), backbone.out_channels
    if not isinstance(got, int) or got == channels[-1]:
        return
    advice = f'Set {name}.in_channels={channels[-1]}'
    if len(channels) > 1 and got == channels[0]:
        advice = "Set backbone.multiscale_output=False (the default with backbone.host='mmpose')"
    elif len(channels) > 1 and got == sum(channels):
        advice = "Add neck=dict(type='hrnet_plugin.HRNetV2', arch=...), which concatenates all feature maps"
    raise ValueError(f'{name}.in_channels must be {channels[-1]}, as in the last feature map of the backbone (all: '
                     f'{list(channels)}), got {got}. {advice}')


def check_decode_head(name: str, head: nn.Module, backbone: HRNet) -> None:
    """Raise ValueError unless ``in_index`` and ``in_channels`` of an mmsegmentation head match the backbone.

    Warn if ``align_corners`` of head and backbone differ, because they are equal in all published networks.
    """
    indices, channels = getattr(head, 'in_index', None), backbone.out_channels
    if indices is None or not MMSEG.owns(head):
        return
    indices = tuple(indices) if isinstance(indices, Sequence) else (indices, )
    if any(index >= len(channels) for index in indices):
        raise ValueError(f'{name}.in_index must be below {len(channels)}, the number of feature maps of the backbone '
                         f'(out_indices={backbone.out_indices}), got {list(indices)}')
    expected = [channels[index] for index in indices]
    got = getattr(head, 'in_channels', None)
    if got not in (sum(expected), expected, tuple(expected)):
        raise ValueError(f'{name}.in_channels must be {expected}, as in the backbone, got {got} in total. Set the same '
                         f'arch in {name} and backbone')
    ours, theirs = backbone.upsampling, getattr(head, 'align_corners', None)
    if ours.mode == 'bilinear' and theirs is not None and theirs != ours.align_corners:
        warnings.warn(f'{name}.align_corners is {theirs}, but align_corners of backbone.upsample is '
                      f'{ours.align_corners}. In all published networks, both are equal',
                      stacklevel=2)


def check_cascade(name: str, head: nn.Module, first: nn.Module) -> None:
    """Raise ValueError unless a head of a cascade has as many classes as the first one, whose output it refines."""
    expected, got = getattr(first, 'num_classes', None), getattr(head, 'num_classes', None)
    if MMSEG.owns(head) and expected != got:
        raise ValueError(f'{name}.num_classes must be {expected}, as in the first head, got {got}')
