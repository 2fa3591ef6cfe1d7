"""Where a neck's input channels come from."""

from __future__ import annotations

from collections.abc import Sequence

from hrnet_plugin.arch import Arch, arch_channels
from hrnet_plugin.checks import MOST_CHANNELS, check_ints


def neck_channels(in_channels: Sequence[int] | None, arch: Arch | None) -> tuple[int, ...]:
    """Channels of each input map, finest first, from ``in_channels`` or from the backbone's ``arch``.

    Raises:
        TypeError, ValueError: If neither is given, both are given and differ, or one is wrong.
    """
    if in_channels is None and arch is None:
        raise ValueError('give in_channels or arch, got neither')
    derived = None if arch is None else arch_channels(arch)
    channels = derived if in_channels is None else check_ints('in_channels', in_channels, most=MOST_CHANNELS)
    if not channels:
        raise ValueError('in_channels must have at least one entry, got none')
    if derived is not None and channels != derived:
        raise ValueError(f'in_channels must be {derived}, which arch {arch!r} has, got {in_channels!r}. If they come '
                         'from an inherited config, replace its neck: neck=dict(_delete_=True, ...)')
    return channels
