"""Description, parameters and operations of a config's model, as in published tables."""

from __future__ import annotations

import logging
from copy import deepcopy

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.checkpoints.backbone import describe
from hrnet_plugin.evaluation.leaderboard.facts import Cost, ModelFacts
from hrnet_plugin.hosts import MMDET, host_of_config, type_name

_RESNETS = {'ResNet': 'ResNet', 'ResNeXt': 'ResNeXt', 'ResNetV1c': 'dilated ResNet'}  # ResNetV1c: mmsegmentation
_SIZES = {'Cityscapes': (1024, 2048)}  # other datasets are counted at the crop size of training
PLAIN_UNIT = 'MACs / 1e9; weights / 1e6'


def describe_model(config: Config, note: str = '') -> ModelFacts:
    """Describe the model of a config as published tables do.

    Args:
        config: Config of any host.
        note: Note that distinguishes the model from others with the same names.

    Raises:
        ValueError: If the config belongs to no host.
    """
    host = host_of_config(config)
    size = ''
    if 'input_size' in config.get('codec', {}):
        width, height = config.codec.input_size
        size = f'{height}x{width}'
    return ModelFacts(method=host.method(config.model), backbone=_backbone(config),
                      schedule=host.schedule(config.get('train_cfg') or {}), size=size, note=note)


def count_cost(config: Config, data: str) -> Cost:
    """Count parameters and operations, or log a warning and return an empty cost.

    The units are the paper's for its models, and ``PLAIN_UNIT`` for others.

    Args:
        config: Config of any host.
        data: Name of the dataset. It determines the image size, as in published counts.
    """
    from hrnet_plugin.evaluation.counting import count_model, paper_count  # slow import
    from hrnet_plugin.evaluation.counting.paper import is_papers_detector, paper_shape
    from hrnet_plugin.evaluation.counting.size import default_input_size, tested_rois
    try:
        shape = _SIZES.get(data) or default_input_size(config, paper_shape(config.model))
        size = f'{shape[0]}x{shape[1]}'
        if host_of_config(config) is not MMDET or is_papers_detector(config.model):
            try:
                params, gflops, unit = paper_count(config, shape)
                return Cost(params=params, gflops=gflops, unit=unit.text, counted_at=size)
            except ValueError:
                pass  # not the published network
        total = count_model(config.model, config.default_scope, shape, *tested_rois(config)).parts['total']
    except Exception as error:  # an uncountable model must not abort a test
        print_log(f'Parameters and operations could not be counted and are left out: {error!r}', logger='current',
                  level=logging.WARNING)
        return Cost()
    return Cost(params=total.parameters / 1e6, gflops=total.macs / 1e9, unit=PLAIN_UNIT, counted_at=size)


def _backbone(config: Config) -> str:
    model = config.model
    backbone, neck = model.get('backbone'), model.get('neck')
    if backbone is None:
        return ''
    kind, necks = type_name(backbone['type']), neck if isinstance(neck, (list, tuple)) else [neck] if neck else []
    pyramids = [type_name(part['type']) for part in necks]
    if kind == 'HRNet':
        with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
            network = describe(MODELS.build(dict(deepcopy(dict(backbone)), init_cfg=None)).state_dict())
        form = 'HRNetV1' if network.out_indices == (0, ) else 'HRNetV2p' if 'HRFPN' in pyramids else 'HRNetV2'
        return f'{form}-{network.text.removeprefix("HRNet-") if network.arch else "own"}{network.selection}'
    name = kind
    if kind in _RESNETS:
        name = f'{_RESNETS[kind]}-{backbone.get("depth")}'
        if kind == 'ResNeXt':
            name += f'-{backbone.get("groups", 1)}x{backbone.get("base_width", 4)}d'
    return f'{name}-FPN' if 'FPN' in pyramids else name
