"""What a config says of its model: method, backbone, schedule, as published rows write them; size and operations."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.checkpoints.body import describe
from hrnet_plugin.hosts import MMDET, host_of_config, type_name

_RESNETS = {'ResNet': 'ResNet', 'ResNeXt': 'ResNeXt', 'ResNetV1c': 'dilated ResNet'}  # the last is mmsegmentation's
_SIZES = {'Cityscapes': (1024, 2048)}  # other sets' are those of the crops in training
PLAIN_UNIT = 'MACs / 1e9; weights / 1e6'


def describe_model(config: Config) -> dict[str, str]:
    """The facts 'method', 'backbone', 'schedule' and, for poses, 'size'.

    Raises:
        ValueError: If the config is of no host.
    """
    host = host_of_config(config)
    facts = dict(method=host.method(config.model), backbone=_backbone(config),
                 schedule=host.schedule(config.get('train_cfg') or {}))
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
    from hrnet_plugin.evaluation.counting import count_model, paper_count  # heavy: torch's counter of operations
    from hrnet_plugin.evaluation.counting.paper import is_papers_detector, paper_shape
    from hrnet_plugin.evaluation.counting.size import tested_rois, usual_size
    try:
        shape = _SIZES.get(data) or usual_size(config, paper_shape(config.model))
        facts = {'counted at': f'{shape[0]}x{shape[1]}'}
        if host_of_config(config) is not MMDET or is_papers_detector(config.model):
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
