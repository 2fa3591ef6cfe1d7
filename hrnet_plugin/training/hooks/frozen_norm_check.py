"""Hook that warns about frozen batch norms with initial statistics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class FrozenNormCheckHook(Hook):
    """Hook that warns before training if frozen batch norms have the statistics of a new network.

    With ``norm_eval=True``, the default of mmdet's backbones, batch norms keep the statistics of the initial weights.
    Without a checkpoint, these are mean 0 and variance 1. Then nothing is normalized, and activations grow from layer
    to layer until the loss is NaN. The check runs after ``init_cfg``, ``load_from`` and ``resume`` have been loaded.
    """

    def before_train(self, runner: Runner) -> None:
        """Check all modules of the model with ``norm_eval=True``."""
        for name, module in runner.model.named_modules():
            if getattr(module, 'norm_eval', False) is True and is_main_process():
                _check(name.removeprefix('module.'), module)


def _check(name: str, module: nn.Module) -> None:
    norms = [norm for norm in module.modules() if isinstance(norm, _BatchNorm) and norm.running_mean is not None]
    initial = sum(_is_initial(norm) for norm in norms)
    if initial:
        print_log(
            f'{name} ({type(module).__name__}) has norm_eval=True, and {initial} of its {len(norms)} batch norms have '
            'the statistics of a new network, mean 0 and variance 1. They will not change: activations grow from layer '
            'to layer, and the loss may become NaN. Load a checkpoint with '
            f"model.{name}.init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...), or train the batch norms "
            f'with model.{name}.norm_eval=False', logger='current', level=logging.WARNING)


def _is_initial(norm: _BatchNorm) -> bool:
    # checkpoints of Caffe and Detectron2 have mean 0 and variance 1, and the statistics in weight and bias
    biased = norm.bias is not None and bool(norm.bias.any())
    mean, variance = norm.running_mean, norm.running_var
    return (not biased and mean is not None and not mean.any() and variance is not None
            and bool((variance == 1).all()))
