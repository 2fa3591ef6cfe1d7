"""Random configs of all registered types: valid arguments with mutated, missing, misspelled and unknown entries."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from typing import Any

import torch
from mmengine.registry import DefaultScope, Registry
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from hrnet_plugin import registry
from hrnet_plugin.hosts import HOSTS

Path = tuple[str | int, ...]

REGISTRIES: tuple[Registry, ...] = (registry.MODELS, registry.HOOKS, registry.LOOPS, registry.OPTIM_WRAPPERS,
                                    registry.TRANSFORMS, registry.WEIGHT_INITIALIZERS)


def _stage(branches: int, block: str = 'BASIC') -> dict[str, Any]:
    return dict(num_modules=1, num_branches=branches, block=block, num_blocks=(1, ) * branches,
                num_channels=tuple(2 * 2**k for k in range(branches)))


TINY = dict(stage1=_stage(1, 'BOTTLENECK'), stage2=_stage(2), stage3=_stage(3), stage4=_stage(4))
_WIDTHS = [2, 4, 8, 16]
_NORM, _CONV, _ACT = dict(type='BN', requires_grad=True), dict(type='Conv2d'), dict(type='ReLU')
_INIT = [dict(type='Normal', layer='Conv2d', std=0.01)]
_BACKBONE = dict(extra=TINY, in_channels=3, conv_cfg=_CONV, norm_cfg=_NORM, norm_eval=True, with_cp=False,
                 memory='full', zero_init_residual=False, frozen_stages=-1, out_indices=(0, 1, 2, 3),
                 upsample=dict(mode='bilinear', align_corners=False), fusion='all', fusion_operator='sum',
                 downsample='strided', host='mmdet', init_cfg=_INIT)
_HEAD = dict(in_channels=_WIDTHS, num_classes=3, in_index=(0, 1, 2, 3), input_transform='resize_concat',
             dropout_ratio=0.1, norm_cfg=_NORM, align_corners=False, ignore_index=255,
             loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0), init_cfg=_INIT[0])
_MODEL = dict(type='hrnet_plugin.HRNetClassifier', arch=TINY, num_classes=3)

#: Type -> valid arguments, several for a type with several uses.
VALID: dict[str, list[dict[str, Any]]] = {
    'HRNet': [_BACKBONE, dict(_BACKBONE, host='mmpose', upsample='nearest'), dict(_BACKBONE, host='mmseg'),
              dict(arch=TINY, multiscale_output=True, pretrained='backbone.pth')],
    'HRFPN': [dict(in_channels=_WIDTHS, out_channels=4, num_outs=5, pooling_type='AVG', conv_cfg=_CONV, norm_cfg=_NORM,
                   with_cp=False, stride=1, share_conv=False, arch=TINY, init_cfg=_INIT[0])],
    'HRNetV2': [dict(in_channels=_WIDTHS, out_channels=4, conv_cfg=_CONV, norm_cfg=_NORM, act_cfg=_ACT,
                     align_corners=False, arch=TINY, init_cfg=_INIT[0])],
    'HRNetClassifier': [{key: value for key, value in _MODEL.items() if key != 'type'}],
    'ClassificationHead': [dict(in_channels=_WIDTHS, num_classes=3, conv_cfg=_CONV, norm_cfg=_NORM, init_cfg=_INIT)],
    'FCNHead': [dict(_HEAD, channels=4, conv_cfg=_CONV, act_cfg=_ACT, kernel_size=1, num_convs=1, concat_input=False,
                     sampler=dict(type='mmseg.OHEMPixelSampler', thresh=0.7, min_kept=10))],
    'OCRHead': [dict(_HEAD, channels=4, ocr_channels=4, scale=1)],
    'CenterTripletHead': [dict(
        num_classes=3, in_channels=4, feat_channels=4, pool_channels=4, min_overlap=0.3, norm_cfg=_NORM,
        loss_heatmap=dict(type='mmdet.GaussianFocalLoss', alpha=2.0, gamma=4.0, loss_weight=1.0),
        loss_embedding=dict(type='mmdet.AssociativeEmbeddingLoss', pull_weight=0.1, push_weight=0.1),
        loss_offset=dict(type='mmdet.SmoothL1Loss', beta=1.0, loss_weight=1.0), train_cfg=None,
        test_cfg=dict(corner_topk=70, center_topk=70, local_maximum_kernel=3, distance_threshold=0.5, max_pairs=1000,
                      central_region=dict(large=5), nms=dict(type='soft_nms', iou_threshold=0.5, method='gaussian'),
                      max_per_img=100), init_cfg=_INIT)],
    'CenterTripletTTAModel': [dict(module=_MODEL)],
    'LeftRightTTAModel': [dict(swap_seg_labels=[[0, 1], [2, 3]], module=_MODEL)],
    'PixelCrossEntropy': [dict(class_weight=[1., 2., 0.5], thresh=0.9, min_kept=100, loss_weight=1., loss_name='loss')],
    'RandomCropAroundBox': [dict(size=(8, 6), noise=(2, 1))],
    'OrientedPad': [dict(size=(8, 6), pad_val=(1, 2., 3))],
    'BFloat16OptimWrapper': [dict(optimizer=torch.optim.SGD([torch.zeros(1)], lr=0.1), accumulative_counts=2,
                                  clip_grad=dict(max_norm=1., norm_type=2))],
    'Pretrained': [dict(checkpoint='backbone.pth', allow_partial=False, prefix='backbone.', sha256='0123abcd',
                        first_conv='adapt', channel_order='BGR')],
    'ResumableEpochLoop': [dict(runner=None, dataloader=DataLoader([1]), max_epochs=2, val_begin=1,
                                val_interval=1, dynamic_intervals=[(1, 1)])],
    'RecordHook': [dict(store='board.sqlite', note='a')],
    'DataCheckHook': [dict(scan=True, images=4, label_maps=2)],
    'InferenceEngineHook': [dict(engine='torch', max_graphs=8, use_cache=True)],
    'CompleteLoadHook': [dict(part='backbone')],
    'AtomicCheckpointHook': [dict(interval=1, by_epoch=True, save_optimizer=True, max_keep_ckpts=2, save_last=True,
                                  save_best='auto', rule='greater', published_keys=['meta'], save_begin=0)],
    'RandomStateHook': [{}], 'PreemptionHook': [{}], 'SyncNormStatisticsHook': [{}], 'ProcessLogHook': [{}],
    'FrozenNormCheckHook': [{}],
}
_NESTED: list[Any] = []
for _ in range(200):
    _NESTED = [_NESTED]
VALUES: tuple[Any, ...] = (
    None, True, False, b'x', b'', bytearray(b'ab'), -1, 0, 1, 2**31, 10**30, 1.5, -0.5, math.nan, math.inf, -math.inf,
    '', 'x', '3', 'w18 ', '\x1b[31m', 'a' * 5000, [], (), [[]], [[1, 2], [3]], [None], [b'x'], [True], _NESTED, {},
    {'type': None}, {'type': 5}, {'type': 'Nope'}, {'type': 'hrnet_plugin.Nope'}, {'type': ''}, {'type': b'BN'},
    {'type': 'BN', 'nope': 1}, {'type': 'ReLU'}, {1: 2}, {'type': ['BN']}, set(), 1j, torch.nn.Identity, range(4),
    (math.nan, ) * 4, ['1', '2'], 'nearest', 1e308)


def registered() -> Iterator[tuple[Registry, str]]:
    """Yield registry and name of each registered type, with the extensions of installed hosts."""
    import_module('hrnet_plugin.plugin')
    for host in HOSTS.values():
        for module in host.extensions.values():
            import_module(module)
    for found in REGISTRIES:
        found.import_from_location()
        for name, cls in found.module_dict.items():
            # FastFormHook is another name of InferenceEngineHook. Tests register types of their own
            if name != 'FastFormHook' and cls.__module__.startswith('hrnet_plugin.'):
                yield found, name


def mutate(seed: int, types: list[tuple[Registry, str]]) -> tuple[Registry, dict[str, Any], set[str]]:
    """Return registry, config and names of the mutated options, including those above them."""
    source = random.Random(seed)
    place, name = source.choice(types)
    valid = source.choice(VALID[name])
    shared = {key: value for key, value in valid.items() if isinstance(value, (Optimizer, DataLoader))}
    config = dict(deepcopy({key: value for key, value in valid.items() if key not in shared}),
                  type=f'hrnet_plugin.{name}')
    names: set[str] = set()
    for _ in range(source.choice((1, 1, 1, 2))):
        paths = [path for path in _paths(config) if path != ('type', ) or source.random() < 0.1]
        if paths:
            names.update(_apply(source, config, source.choice(paths)))
    return place, {**shared, **config}, names


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, entry in items:
        yield (*path, key)
        yield from _paths(entry, (*path, key))


def _apply(source: random.Random, config: dict[str, Any], path: Path) -> set[str]:
    """Mutate the entry at a path. Return the names of options on it."""
    parent, names = _parent(config, path), {str(key) for key in path if isinstance(key, str)}
    key = path[-1]
    kind = source.random()
    if not isinstance(parent, dict) or kind < 0.7:
        _replace(config, path, deepcopy(source.choice(VALUES)) if source.random() < 0.97 else object())
    elif kind < 0.8:
        del parent[key]
    elif kind < 0.9:
        misspelled = f'{key}{source.choice("sx_")}'
        parent[misspelled] = parent.pop(key)
        names.add(misspelled)
    else:
        unknown = source.choice(('nope', 'in_channel', 'Norm_cfg', '', 'self', 'type_', 'norm cfg'))
        parent[unknown] = deepcopy(source.choice(VALUES))
        names.add(unknown)
    return names


def _parent(config: Any, path: Path) -> Any:
    for key in path[:-1]:
        config = config[key]
    return config


def _replace(config: Any, path: Path, value: Any) -> None:
    parent = _parent(config, path)
    if isinstance(parent, tuple):
        entries = list(parent)
        entries[path[-1]] = value  # type: ignore[index, call-overload]
        _replace(config, path[:-1], tuple(entries))
    else:
        parent[path[-1]] = value


def build(place: Registry, config: dict[str, Any]) -> Any:
    """Build a config on the meta device, so that no value allocates memory."""
    name = str(config.get('type')).rpartition('.')[2]
    scope = next((host.name for host in HOSTS.values() if name in host.extensions), 'mmengine')
    with DefaultScope.overwrite_default_scope(scope), torch.device('meta'):
        return place.build(config)


def describe(error: Exception, type_name: Any, names: set[str]) -> str:
    """Classify an error: 'both', 'option', 'type' or 'neither', after what its message names."""
    text = str(error)
    quotes = "''"  # around the name ''
    short = str(type_name).rsplit('.')[-1]
    has_type = bool(short) and (short in text or repr(short)[1:-1] in text)
    has_option = any(re.search(rf'(?<!\w){re.escape(name or quotes)}(?!\w)', text) for name in names)
    return {(True, True): 'both', (False, True): 'option', (True, False): 'type'}.get((has_type, has_option), 'neither')
