"""Runner that resumes safely, runs several processes without GPUs, and scales learning rates by all batches."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypedDict

from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn
from torch.nn import SyncBatchNorm
from torch.utils.data import DataLoader

from hrnet_plugin.checkpoints import RUN_SCHEME
from hrnet_plugin.training.accumulation import accumulation_counts
from hrnet_plugin.training.workers import ignore_signals

_DEFAULT_WRAPPER = dict(type='MMDistributedDataParallel', broadcast_buffers=False)  # that of mmengine


class AutoScaleLR(TypedDict, total=False):
    """Entry ``auto_scale_lr`` of a config.

    Attributes:
        enable: Whether to scale learning rates.
        base_batch_size: Number of images per optimizer step that the configured learning rates are for.
    """
    enable: bool
    base_batch_size: float


class HRNetRunner(Runner):
    """mmengine's runner with these differences.

    - Resuming from a local checkpoint executes no code in the file. Errors name the file.
    - ``auto_scale_lr`` includes gradient accumulation. mmengine compares ``base_batch_size`` with one batch per
      process, and ignores ``accumulative_counts``.
    - Several processes run without GPUs: they have no device IDs, and SyncBN, which requires GPUs, is replaced by BN.
    - Workers of dataloaders ignore SIGTERM and SIGUSR1, so that a run can save a checkpoint before it ends.
    - Hooks may have a method ``before_datasets(runner, splits)``. It is called before the datasets read annotations.
    """

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Wrap a model for distributed training.

        Args:
            model_wrapper_cfg: Config of the wrapper. Default: ``MMDistributedDataParallel``.
            model: Model or wrapped model.
        """
        if self.distributed and get_device() == 'cpu' and not is_model_wrapper(model):
            model_wrapper_cfg = dict(_DEFAULT_WRAPPER, find_unused_parameters=self.cfg.get(
                'find_unused_parameters', False)) if model_wrapper_cfg is None else model_wrapper_cfg
            model_wrapper_cfg = dict(model_wrapper_cfg, device_ids=None)
            if any(isinstance(module, SyncBatchNorm) for module in model.modules()):
                print_log('SyncBN requires GPUs and is replaced by BN', logger='current', level=logging.WARNING)
                model = revert_sync_batchnorm(model)
        return super().wrap_model(model_wrapper_cfg, model)

    @staticmethod
    def build_dataloader(dataloader: DataLoader[Any] | dict[str, Any], *args: Any, **kwargs: Any) -> DataLoader[Any]:
        """Build a dataloader whose worker processes outlive the signals that a scheduler sends to all processes.

        Args:
            dataloader: Dataloader or its config.
            args, kwargs: Arguments of ``mmengine.runner.Runner.build_dataloader``.
        """
        loader = Runner.build_dataloader(dataloader, *args, **kwargs)
        ignore_signals(loader)
        return loader

    def train(self) -> nn.Module:
        """Train, and return the model."""
        self.call_hook('before_datasets', splits=('train', 'val'))
        return super().train()

    def val(self) -> dict[str, float]:
        """Validate, and return the metrics."""
        self.call_hook('before_datasets', splits=('val', ))
        return super().val()

    def test(self) -> dict[str, float]:
        """Test, and return the metrics."""
        self.call_hook('before_datasets', splits=('test', ))
        return super().test()

    def resume(self, filename: str, *args: bool | str, **kwargs: bool | str) -> None:
        """Resume from a checkpoint.

        Args:
            filename: Path or address.
            args, kwargs: Arguments of ``mmengine.runner.Runner.resume``.

        Raises:
            OSError, ValueError: If a local file is not a complete checkpoint of a run, or is a folder.
        """
        super().resume(f'{RUN_SCHEME}{filename}' if Path(filename).exists() else filename, *args, **kwargs)

    def scale_lr(self, optim_wrapper: OptimWrapper, auto_scale_lr: AutoScaleLR | None = None) -> None:
        """Scale the learning rates by images per optimizer step over ``base_batch_size``.

        Args:
            optim_wrapper: Optimizer wrapper with the learning rates to scale.
            auto_scale_lr: Entry of the config with ``enable`` and ``base_batch_size``.

        Raises:
            ValueError: If several optimizers accumulate different numbers of batches.
        """
        count = accumulated_batches(optim_wrapper) if auto_scale_lr and auto_scale_lr.get('enable') else 1
        if auto_scale_lr is not None and count > 1:
            base = auto_scale_lr['base_batch_size']
            print_log(f'{count} batches are accumulated per optimizer step: the base batch size of {base} images '
                      f'is {base / count:g} per batch', logger='current')
            auto_scale_lr = {**auto_scale_lr, 'base_batch_size': base / count}
        super().scale_lr(optim_wrapper, auto_scale_lr)


def accumulated_batches(optim_wrapper: OptimWrapper) -> int:
    """Return the number of batches per optimizer step.

    Raises:
        ValueError: If several optimizers accumulate different numbers.
    """
    counts = sorted(set(accumulation_counts(optim_wrapper)))
    if len(counts) > 1:
        raise ValueError(f'accumulative_counts must be the same for all optimizers, got {counts}')
    return counts[0]
