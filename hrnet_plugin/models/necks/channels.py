"""Input channels of necks and heads."""

from __future__ import annotations

from collections.abc import Sequence

from hrnet_plugin.arch import Arch, arch_channels
from hrnet_plugin.checks import MAX_CHANNELS, check_ints


def neck_channels(in_channels: Sequence[int] | None, arch: Arch | None) -> tuple[int, ...]:
    """Return the channels of each input feature map, finest first.

    Args:
        in_channels: Channels of each feature map, finest first, or None.
        arch: ``arch`` of the backbone, which determines the channels, or None.

    Raises:
        TypeError, ValueError: If neither is given, both are given and differ, or one is invalid.
    """
    if in_channels is None and arch is None:
        raise ValueError('in_channels or arch must be given, got neither')
    derived = None if arch is None else arch_channels(arch)
    channels = derived if in_channels is None else check_ints('in_channels', in_channels, most=MAX_CHANNELS)
    if not channels:
        raise ValueError('in_channels must have at least one entry, got none')
    if derived is not None and channels != derived:
        raise ValueError(f'in_channels must be {derived} for arch {arch!r}, got {in_channels!r}. If they come from an '
                         'inherited config, replace its neck: neck=dict(_delete_=True, ...)')
    return channels
