"""Networks for benchmarks: backbone and neck of a config, upstream's arguments, and random weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from hrnet_plugin.arch import arch_stages
from hrnet_plugin.config_types import ConfigEntry


def network(model: ConfigEntry, scope: str) -> nn.Module:
    """Build backbone and neck of a model config, with random weights.

    Args:
        model: Entry ``model`` of a config.
        scope: Entry ``default_scope`` of the config.

    Raises:
        ValueError: The model has no backbone.
    """
    if not model.get('backbone'):
        raise ValueError(f'model must have a backbone, got {model.get("type")!r} without one')
    necks = model.get('neck') or []
    parts = [model['backbone'], *(necks if isinstance(necks, (list, tuple)) else [necks])]
    with DefaultScope.overwrite_default_scope(scope):
        built = [MODELS.build(ConfigDict(deepcopy(dict(part)))) for part in parts]
    return random_weights(nn.Sequential(*built))


def upstream_extra(arch: str) -> dict[str, Any]:
    """Return the argument ``extra`` of upstream's HRNet for an architecture, such as 'w32'."""
    return {f'stage{s}': dict(num_modules=spec.num_modules, num_branches=spec.num_branches, block=spec.block,
                              num_blocks=spec.num_blocks, num_channels=spec.num_channels)
            for s, spec in enumerate(arch_stages(arch), 1)}


def random_weights(model: nn.Module) -> nn.Module:
    """Set random weights and batch norm statistics, and return the model.

    Their ranges keep all branches active and all values finite.
    """
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith('running_var') or (tensor.dim() == 1 and name.endswith('weight')):
                tensor.uniform_(0.5, 1.5)
            elif tensor.dim() == 1:
                tensor.normal_(0, 0.1)
            elif tensor.dim() == 4:
                tensor.normal_(0, tensor[0].numel()**-0.5)
    return model
