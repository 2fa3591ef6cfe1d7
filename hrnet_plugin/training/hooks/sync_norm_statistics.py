"""Hook that synchronizes running statistics of batch norms between processes."""

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
    """Hook that averages the running statistics of batch norms over all processes after each iteration.

    Each process updates the statistics from its own batches. Without this hook, each process evaluates its share of the
    images with its own statistics, and the checkpoint contains those of rank 0. mmengine's SyncBuffersHook averages at
    the end of epochs and before evaluations. In iteration-based runs, that is after the checkpoint was saved.

    Running means are linear in the batch means. Therefore averaging after each iteration equals averaging once at the
    end, and checkpoints and evaluations in between are correct.
    """

    priority = 'VERY_HIGH'  # before hooks that copy, evaluate or save the model

    def __init__(self) -> None:
        self._norms: list[_NormBase] = []

    def before_train(self, runner: Runner) -> None:
        """Find the norms with running statistics, except SyncBN."""
        self._norms = [module for module in runner.model.modules() if isinstance(module, _NormBase)
                       and module.running_mean is not None and not isinstance(module, nn.SyncBatchNorm)]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        """Average the running statistics of norms in training mode."""
        buffers = [buffer for norm in self._norms if norm.training for buffer in (norm.running_mean, norm.running_var)]
        if buffers and get_world_size() > 1:
            all_reduce_params(buffers, op='mean')
