"""Do heads fit that read the backbone's maps themselves, as in pose estimation and segmentation?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch import nn

from hrnet_plugin.hosts import MMPOSE, MMSEG
from hrnet_plugin.models.backbones.hrnet import HRNet


def check_last_map_head(name: str, head: nn.Module, backbone: HRNet) -> None:
    """Raise ValueError unless a head of mmpose reads the channels of the backbone's last map, which it is given."""
    if not MMPOSE.owns(head):
        return
    wanted, given = getattr(head, 'in_channels', None), backbone.out_channels
    if not isinstance(wanted, int) or wanted == given[-1]:
        return
    advice = f'set {name}.in_channels={given[-1]}'
    if len(given) > 1 and wanted == given[0]:
        advice = "set backbone.multiscale_output=False (which is the default with backbone.host='mmpose')"
    elif len(given) > 1 and wanted == sum(given):
        advice = "add neck=dict(type='hrnet_plugin.HRNetV2', arch=...), which makes one map of all"
    raise ValueError(f'{name} reads the last map of the backbone, which has {given[-1]} channels (all: {list(given)}), '
                     f'and {name}.in_channels is {wanted}: {advice}')


def check_decode_head(name: str, head: nn.Module, backbone: HRNet) -> None:
    """Raise ValueError unless a head of mmsegmentation reads maps and channels that the backbone gives.

    Warns where backbone and head differ in whether bilinear interpolation aligns corners: no published network does.
    """
    indices, given = getattr(head, 'in_index', None), backbone.out_channels
    if indices is None or not MMSEG.owns(head):
        return
    indices = tuple(indices) if isinstance(indices, Sequence) else (indices, )
    if any(index >= len(given) for index in indices):
        raise ValueError(f'{name}.in_index must name some of the {len(given)} maps that the backbone gives '
                         f'(multiscale_output={backbone.multiscale_output}), got {list(indices)}')
    read = [given[index] for index in indices]
    wanted = getattr(head, 'in_channels', None)
    if wanted not in (sum(read), read, tuple(read)):
        raise ValueError(f'{name}.in_channels must be {read}, which the backbone gives, got {wanted} in all: give '
                         f'{name} and backbone the same arch')
    ours, theirs = backbone.upsampling, getattr(head, 'align_corners', None)
    if ours.mode == 'bilinear' and theirs is not None and theirs != ours.align_corners:
        warnings.warn(f'{name}.align_corners is {theirs}, and the backbone interpolates with align_corners='
                      f'{ours.align_corners} (backbone.upsample): published networks have the same in both',
                      stacklevel=2)


def check_cascade(name: str, head: nn.Module, first: nn.Module) -> None:
    """Raise ValueError unless a head of a cascade has as many classes as the first one, on whose output it builds."""
    wanted, got = getattr(first, 'num_classes', None), getattr(head, 'num_classes', None)
    if MMSEG.owns(head) and wanted != got:
        raise ValueError(f'{name}.num_classes must be {wanted}, as in the head before it, got {got}')
