"""The same batch norm statistics in all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmengine.dist import all_reduce_params, get_world_size
from mmengine.hooks import Hook
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.runner import Runner
    from torch import Tensor


@HOOKS.register_module()
class SyncNormStatisticsHook(Hook):
    """Average of the running statistics of norms over all processes after each iteration.

    Each process learns statistics from its own batches. Without this hook, each evaluates its share of the images with
    its own statistics, and the checkpoint has those of the first process. mmengine's SyncBuffersHook averages at the
    ends of epochs and before evaluations, after a checkpoint of an iteration-based run was saved.

    A running mean is linear in the means of the batches, so averaging after each iteration gives the same as averaging
    once at the end, and whatever saves or evaluates in between is right.
    """

    priority = 'VERY_HIGH'  # before hooks that copy, evaluate or save the model

    def __init__(self) -> None:
        self._norms: list[_NormBase] = []

    def before_train(self, runner: Runner) -> None:
        """Find the norms with statistics of their own."""
        self._norms = [module for module in runner.model.modules() if isinstance(module, _NormBase)
                       and module.running_mean is not None and not isinstance(module, nn.SyncBatchNorm)]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        """Average the statistics of those in training mode."""
        buffers = [buffer for norm in self._norms if norm.training for buffer in (norm.running_mean, norm.running_var)]
        if buffers and get_world_size() > 1:
            all_reduce_params(buffers, op='mean')
