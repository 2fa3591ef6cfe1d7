"""Checks of heads of mmpose and mmsegmentation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch import nn

from hrnet_plugin.training.compatibility.comparisons import each, find_outputs, has_argument, merging_neck
from hrnet_plugin.training.compatibility.levels import Levels
from hrnet_plugin.training.compatibility.origin import known_part
from hrnet_plugin.training.compatibility.transformers import check_pixel_decoder


def check_pose_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless ``in_channels`` of an mmpose head equals that of the last feature map."""
    got, channels = getattr(head, 'in_channels', None), levels.channels
    if not isinstance(got, int) or got == channels[-1]:
        return
    selection = find_outputs([got], levels)
    advice = f'Set {"" if selection is None else f"backbone.{selection}, or "}{name}.in_channels={channels[-1]}'
    if levels.source == 'backbone' and got == sum(channels):
        advice = f'Add {merging_neck(levels, got)}, which concatenates all feature maps'
    raise ValueError(f'{name}.in_channels must be {channels[-1]}, as in the last feature map of the {levels.source} '
                     f'(all: {list(channels)}), got {got}. {advice}')


def check_decode_head(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless the inputs of an mmsegmentation head match the feature maps.

    Warn if ``align_corners`` of head and backbone differ, because they are equal in all published networks.
    """
    check_pixel_decoder(name, head, levels)
    generator = known_part(head, 'kernel_generate_head')
    if generator is not None:  # K-Net
        _check_kernel_updates(name, head, generator)
        check_decode_head(f'{name}.kernel_generate_head', generator, levels)
    indices = getattr(head, 'in_index', None)
    if indices is None:
        return
    indices = tuple(indices) if isinstance(indices, Sequence) else (indices, )
    _check_inputs(name, head, indices, levels)
    _check_low_level_input(name, head, levels)
    _check_feature_strides(name, head, indices, levels)
    if levels.source == 'backbone':
        _compare_align_corners(name, head, levels)


def _check_inputs(name: str, head: nn.Module, indices: Sequence[int], levels: Levels) -> None:
    number, got = len(levels), getattr(head, 'in_channels', None)
    selection = find_outputs(got, levels) if isinstance(got, (list, tuple)) else None
    selected = '' if levels.backbone is None else f' (out_indices={levels.backbone.out_indices})'
    if not all(-number <= index < number for index in indices):
        raise ValueError(f'{name}.in_index must be below {number}, the number of feature maps of the {levels.source}'
                         f'{selected}, got {list(indices)}{f". Set backbone.{selection}" if selection else ""}')
    expected = [levels.channels[index] for index in indices]
    if got not in (sum(expected), expected, tuple(expected)):
        same = levels.source == 'backbone' and has_argument(head, 'arch')
        entry = f'{name}.in_channels={expected if len(expected) > 1 else expected[0]}'
        raise ValueError(f'{name}.in_channels must be {expected}, as in the {levels.source}, got {got} in total. '
                         f'Set {f"the same arch in {name} and backbone" if same else entry}')


def _check_low_level_input(name: str, head: nn.Module, levels: Levels) -> None:
    """Check DeepLabV3+, which also reads the first feature map."""
    conv = getattr(getattr(head, 'c1_bottleneck', None), 'conv', None)
    got, expected = getattr(conv, 'in_channels', None), levels.channels[0]
    if isinstance(got, int) and got != expected:
        raise ValueError(f'{name}.c1_in_channels must be {expected}, as in the first feature map of the '
                         f'{levels.source}, got {got}. Set {name}.c1_in_channels={expected}')


def _check_feature_strides(name: str, head: nn.Module, indices: Sequence[int], levels: Levels) -> None:
    """Check Semantic FPN, which upsamples each feature map by the ratio of its stride to the first one."""
    got = getattr(head, 'feature_strides', None)
    if not isinstance(got, (list, tuple)) or levels.strides is None:
        return
    expected = [levels.strides[index] for index in indices]
    if list(got) != expected:
        raise ValueError(f'{name}.feature_strides must be {expected}, the strides of the {levels.source}\'s feature '
                         f'maps, got {list(got)}. Set {name}.feature_strides={expected}')


def _check_kernel_updates(name: str, head: nn.Module, generator: nn.Module) -> None:
    """Check K-Net, whose kernels are updated by the features of the first head."""
    expected, updates = getattr(generator, 'channels', None), known_part(head, 'kernel_update_head')
    for i, update in each(updates):
        got = getattr(update, 'in_channels', None)
        if isinstance(expected, int) and got != expected:
            raise ValueError(f'{name}.kernel_update_head[{i}].in_channels must be {expected}, as '
                             f'{name}.kernel_generate_head.channels, got {got}')


def _compare_align_corners(name: str, head: nn.Module, levels: Levels) -> None:
    ours, theirs = None if levels.backbone is None else levels.backbone.upsampling, getattr(head, 'align_corners', None)
    if ours is not None and ours.mode == 'bilinear' and theirs is not None and theirs != ours.align_corners:
        warnings.warn(f'{name}.align_corners is {theirs}, but align_corners of backbone.upsample is '
                      f'{ours.align_corners}. In all published networks, both are equal', stacklevel=2)


def check_cascade(name: str, head: nn.Module, first: nn.Module) -> None:
    """Raise ValueError unless a head of a cascade has as many classes as the first one, whose output it refines."""
    expected, got = getattr(first, 'num_classes', None), getattr(head, 'num_classes', None)
    if expected != got:
        raise ValueError(f'{name}.num_classes must be {expected}, as in the first head, got {got}')
