"""Neck that connects HRNet with the heads of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmengine.config import ConfigDict

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.derivation.feature_maps import feature_maps, same_strides
from hrnet_plugin.hosts import type_name

# necks whose levels have strides in powers of two, which HRFPN replaces
_PYRAMIDS = ('FPN', 'PAFPN', 'FPN_CARAFE', 'FPN_DropBlock', 'FPG', 'NASFPN', 'NASFCOS_FPN', 'RFP', 'ChannelMapper')
# necks that merge all feature maps into one of stride 4, which HRNetV2 replaces
_MERGING = ('CTResNetNeck', )
# heads that read feature maps of the backbone, of any channels
_READERS = ('panoptic_head', 'track_head')
_REFUSED = {
    'SSDNeck': 'the anchors of SSD have strides that are no powers of two, and its neck has the channels of the '
               'backbone',
}


@dataclass(frozen=True)
class NeckChange:
    """Change of everything between HRNet and the heads.

    Attributes:
        entries: Config entries of the detector, without the backbone.
        notes: One line per change.
        network: Name of the backbone with its representation: 'hrnet', 'hrnetv2' or 'hrnetv2p'.
        maps: Feature maps that the backbone returns, for messages.
        out_indices: Argument of the backbone, or None for all feature maps.
    """

    entries: ConfigEntry
    notes: tuple[str, ...]
    network: str
    maps: str = 'all feature maps'
    out_indices: tuple[int, ...] | None = None


def change_neck(detector: ConfigDict, arch: str) -> NeckChange:
    """Return the neck for a detector with HRNet.

    Args:
        detector: Config of the detector.
        arch: Name of the network.

    Raises:
        ValueError: If HRNet does not fit.
    """
    necks = detector.get('neck')
    first = necks[0] if isinstance(necks, Sequence) else necks
    kind = type_name(first.type) if first else None
    if kind in _REFUSED:
        raise ValueError(f'neck must not be {kind}: {_REFUSED[kind]}')
    channels, strides = feature_maps(detector.backbone)
    if kind in _MERGING:
        return _merging(detector, kind, arch)
    if kind in _PYRAMIDS:
        level = strides[first.get('start_level', 0)]
        number = first.get('num_outs') or len(first.in_channels)
        if level in (4, 8):
            return _pyramid(first, necks, arch, level, number)
    return _same_strides(detector, first, arch, channels, strides)


def _merging(detector: ConfigDict, kind: str, arch: str) -> NeckChange:
    width = detector.neck.num_deconv_filters[-1]
    neck: ConfigEntry = dict(_delete_=True, type='hrnet_plugin.HRNetV2', arch=arch, out_channels=width)
    note = f'neck: {kind} -> hrnet_plugin.HRNetV2, 1 feature map of stride 4, {width} channels'
    return NeckChange({'neck': neck}, (note, ), 'hrnetv2')


def _pyramid(first: ConfigDict, necks: ConfigDict | Sequence[ConfigDict], arch: str, level: int, number: int
             ) -> NeckChange:
    """Return HRFPN in place of a pyramid whose finest level has stride 4 or 8."""
    neck: dict[str, ConfigValue] = dict(type='hrnet_plugin.HRFPN', arch=arch, out_channels=first.out_channels)
    if number != 5:
        neck['num_outs'] = number
    if level != 4:
        neck['stride'] = level // 4
    if first.get('norm_cfg'):
        neck['norm_cfg'] = _plain(first.norm_cfg)
    note = (f'neck: {type_name(first.type)} -> hrnet_plugin.HRFPN, levels of strides '
            f'{level} to {level * 2**(number - 1)}, {first.out_channels} channels')
    if isinstance(necks, Sequence):
        others = [_plain(other) for other in necks[1:]]
        return NeckChange({'neck': [neck, *others]}, (note, ), 'hrnetv2p')
    return NeckChange({'neck': {'_delete_': True, **neck}}, (note, ), 'hrnetv2p')


def _same_strides(detector: ConfigDict, first: ConfigDict | None, arch: str, channels: Sequence[int],
                  strides: Sequence[int]) -> NeckChange:
    """Return the change of input channels, for a neck or head that reads feature maps of HRNet's strides."""
    readers = ['neck'] if first and not isinstance(detector.neck, Sequence) else [
        key for key in _READERS if isinstance(detector.get(key), Mapping)]
    if not readers:
        raise ValueError(f'model must have a neck, got {detector.type} whose heads depend on '
                         f'{type_name(detector.backbone.type)}')
    branches, widths = same_strides(arch, strides)
    entries = {key: {'in_channels': _inputs(key, detector[key], channels, widths)} for key in readers}
    notes = tuple(f'{key}.in_channels: those of HRNet, finest of stride {strides[0]}' for key in readers)
    maps = f'feature maps of strides {", ".join(map(str, strides))}'
    return NeckChange(entries, notes, 'hrnet', maps, None if len(branches) == 4 else branches)


def _inputs(key: str, reader: ConfigDict, old: Sequence[int], new: Sequence[int]) -> int | list[int]:
    """Return ``in_channels`` for new feature maps, in the order of the old ones."""
    given = reader.get('in_channels')
    if isinstance(given, int) and len(new) == 1:
        return new[0]
    if list(given or ()) == list(old):
        return list(new)
    if list(given or ()) == list(old)[::-1]:  # coarsest first, as in YOLOv3
        return list(new)[::-1]
    raise ValueError(f'{key}.in_channels must be the channels of the backbone, {list(old)}, got {given}')


def _plain(value: ConfigDict) -> dict[str, ConfigValue]:
    """Return a config entry without mmengine's marks of its origin."""
    return {key: _plain(entry) if isinstance(entry, ConfigDict) else entry
            for key, entry in value.items() if key != '_scope_'}
