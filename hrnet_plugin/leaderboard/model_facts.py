"""What a config says of its model: method, backbone, schedule, as published rows write them; size and operations."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.checkpoints.body import describe
from hrnet_plugin.config_files import type_name

TASKS = {'mmdet': 'detection', 'mmpose': 'pose', 'mmseg': 'segmentation'}
_DETECTORS = {'FasterRCNN': 'Faster R-CNN', 'CascadeRCNN': 'Cascade R-CNN', 'MaskRCNN': 'Mask R-CNN',
              'HybridTaskCascade': 'Hybrid Task Cascade'}
_HEADS = {'FCNHead': 'HRNetV2 head', 'OCRHead': 'OCR', 'PSPHead': 'PSPNet', 'ASPPHead': 'DeepLabv3',
          'DepthwiseSeparableASPPHead': 'DeepLabv3+'}
_RESNETS = {'ResNet': 'ResNet', 'ResNeXt': 'ResNeXt', 'ResNetV1c': 'dilated ResNet'}  # the last is mmsegmentation's
_EPOCHS = {12: '1x', 24: '2x'}  # of detectors
_SIZES = {'Cityscapes': (1024, 2048)}  # other sets' are those of the crops in training
PLAIN_UNIT = 'MACs / 1e9; weights / 1e6'


def task_of(config: Config) -> str:
    """'detection', 'pose' or 'segmentation'.

    Raises:
        ValueError: If the config is of none of the three hosts.
    """
    scope = config.get('default_scope')
    if scope not in TASKS:
        raise ValueError(f'config must have the default_scope of {", ".join(TASKS)}, got {scope!r}')
    return TASKS[scope]


def describe_model(config: Config) -> dict[str, str]:
    """The facts 'method', 'backbone', 'schedule' and, for poses, 'size'.

    Raises:
        ValueError: If the config is of none of the three hosts.
    """
    task = task_of(config)
    facts = dict(method=_method(task, config.model), backbone=_backbone(config), schedule=_schedule(task, config))
    if 'input_size' in config.get('codec', {}):
        width, height = config.codec.input_size
        facts['size'] = f'{height}x{width}'
    return facts


def count(config: Config, data: str) -> dict[str, Any]:
    """The facts 'params', 'gflops', 'unit' and 'counted at'; none, and a warning, of a model that cannot be counted.

    In the paper's units if the model is one of the paper's, and in plain ones if not.

    Args:
        config: Of any of the three hosts.
        data: Name of the data set, at whose size published rows were counted.
    """
    from hrnet_plugin.counting import count_model, paper_count  # heavy: torch's counter of operations
    from hrnet_plugin.counting.paper import is_papers_detector, paper_shape
    from hrnet_plugin.counting.size import tested_rois, usual_size
    try:
        shape = _SIZES.get(data) or usual_size(config, paper_shape(config.model))
        facts = {'counted at': f'{shape[0]}x{shape[1]}'}
        if task_of(config) != 'detection' or is_papers_detector(config.model):
            try:
                params, gflops, unit = paper_count(config, shape)
                return dict(params=params, gflops=gflops, unit=unit.text, **facts)
            except ValueError:
                pass  # not the published network; it has plain counts
        total = count_model(config.model, config.default_scope, shape, *tested_rois(config)).parts['total']
    except Exception as error:  # whatever a strange model does: a test is worth more than its count
        print_log(f'the leaderboard will have no parameters and operations: {error!r}', logger='current',
                  level=logging.WARNING)
        return {}
    return dict(params=total.parameters / 1e6, gflops=total.macs / 1e9, unit=PLAIN_UNIT, **facts)


def _method(task: str, model: Mapping[str, Any]) -> str:
    kind = type_name(model['type'])
    if task == 'pose':
        return 'top-down heat maps' if kind == 'TopdownPoseEstimator' else kind
    if task == 'segmentation':
        head = model.get('decode_head')
        head = head[-1] if isinstance(head, (list, tuple)) else head
        return _HEADS.get(type_name((head or {}).get('type', kind)), kind)
    if (model.get('bbox_head') or {}).get('type') == 'hrnet_plugin.CenterTripletHead':
        return 'CenterNet'
    if kind == 'CenterNet':
        return 'CenterNet, objects as points'
    if kind == 'CascadeRCNN' and (model.get('roi_head') or {}).get('mask_head') is not None:
        return 'Cascade Mask R-CNN'
    return _DETECTORS.get(kind, kind)


def _backbone(config: Config) -> str:
    model = config.model
    backbone, neck = model.get('backbone'), model.get('neck')
    if backbone is None:
        return ''
    kind, necks = type_name(backbone['type']), neck if isinstance(neck, (list, tuple)) else [neck] if neck else []
    pyramids = [type_name(part['type']) for part in necks]
    if kind == 'HRNet':
        with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
            body = describe(MODELS.build(dict(deepcopy(dict(backbone)), init_cfg=None)).state_dict())
        form = 'HRNetV1' if body.outputs == 1 else 'HRNetV2p' if 'HRFPN' in pyramids else 'HRNetV2'
        return f'{form}-{body.text.removeprefix("HRNet-") if body.arch else "own"}'
    name = kind
    if kind in _RESNETS:
        name = f'{_RESNETS[kind]}-{backbone.get("depth")}'
        if kind == 'ResNeXt':
            name += f'-{backbone.get("groups", 1)}x{backbone.get("base_width", 4)}d'
    return f'{name}-FPN' if 'FPN' in pyramids else name


def _schedule(task: str, config: Config) -> str:
    train = config.get('train_cfg') or {}
    if train.get('max_epochs'):
        epochs = train['max_epochs']
        return _EPOCHS.get(epochs, f'{epochs}e') if task == 'detection' else f'{epochs}e'
    iters = train.get('max_iters')
    if not iters:
        return ''
    return f'{iters // 1000}k' if iters % 1000 == 0 else f'{iters} iterations'
