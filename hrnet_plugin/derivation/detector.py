"""Changes of a detector of mmdet with another backbone: HRNet, and a neck that fits its heads."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.config import Config

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.derivation.derived import Changes
from hrnet_plugin.derivation.necks import NeckChange, change_neck
from hrnet_plugin.derivation.weights import IMAGES, imagenet_weights
from hrnet_plugin.hosts import type_name

DEFAULT_ARCH = 'w32'
_Entries = dict[str, ConfigValue]


def replace_network(config: Config, arch: str) -> Changes:
    """Return the changes that replace the backbone of a detector by HRNet.

    Args:
        config: Config of mmdet.
        arch: Name of the network.

    Raises:
        ValueError: If HRNet does not fit. The message names the reason.
    """
    model = config.model
    # tracking and semi-supervised methods wrap a detector
    wraps = 'backbone' not in model and isinstance(model.get('detector'), Mapping)
    detector, prefix = (model.detector, 'model.detector.') if wraps else (model, 'model.')
    if not isinstance(detector.get('backbone'), Mapping):
        raise ValueError(f'model must have a backbone, got {model.type} without')
    old = type_name(detector.backbone.type)
    neck = change_neck(detector, arch)
    entries: _Entries = {'backbone': _backbone(arch, neck), **neck.entries}
    notes = [f'{prefix}backbone: {old} -> hrnet_plugin.HRNet, arch {arch}, {neck.maps}',
             *(f'{prefix}{note}' for note in neck.notes)]
    if detector.get('init_cfg') is not None:
        entries['init_cfg'] = None
        notes.append(f'{prefix}init_cfg: none, since the checkpoint has {old}')
    images = _images(detector, notes, prefix)
    whole: _Entries = {'detector': {**entries, **images}} if wraps else {**entries, **images}
    if wraps:
        whole |= _images(model, notes, 'model.')
    return Changes({'model': whole, **_training(config, old, notes)}, tuple(notes), f'{neck.network}-{_width(arch)}')


def _width(arch: str) -> str:
    return arch.replace('_', '-')


def _backbone(arch: str, neck: NeckChange) -> _Entries:
    selection: _Entries = {} if neck.out_indices is None else {'out_indices': neck.out_indices}
    return dict(_delete_=True, type='hrnet_plugin.HRNet', arch=arch, **selection, init_cfg=imagenet_weights(arch))


def _images(model: ConfigEntry, notes: list[str], prefix: str) -> _Entries:
    """Return the change of the data preprocessor, which normalizes images as for the initial weights."""
    keys, entry = ['data_preprocessor'], model.get('data_preprocessor')
    while isinstance(entry, Mapping) and isinstance(entry.get('data_preprocessor'), Mapping):
        keys, entry = [*keys, 'data_preprocessor'], entry['data_preprocessor']
    if not isinstance(entry, Mapping):
        return {}
    change: _Entries = {key: value for key, value in IMAGES.items() if entry.get(key) != value}
    if not change:
        return {}
    if entry.get('rgb_to_bgr'):
        change['rgb_to_bgr'] = False
    notes.append(f'{prefix}{".".join(keys)}: {", ".join(change)} for the images of the initial weights')
    for key in reversed(keys):
        change = {key: change}
    return change


def _training(config: Config, old: str, notes: list[str]) -> _Entries:
    """Return the changes outside the model: what depends on the old backbone."""
    entries: _Entries = {}
    if config.get('load_from'):
        entries['load_from'] = None
        notes.append(f'load_from: none, since the checkpoint has {old}')
    constructor = (config.get('optim_wrapper') or {}).get('constructor')
    if constructor == 'LearningRateDecayOptimizerConstructor':
        entries['optim_wrapper'] = dict(constructor='DefaultOptimWrapperConstructor', paramwise_cfg=None)
        notes.append(f'optim_wrapper: one learning rate, since those by layer are for {old}')
    return entries
