"""mmengine's runner, which resumes safely and counts accumulated batches."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from hrnet_plugin.checkpoints import RUN_SCHEME


class AutoScaleLR(TypedDict, total=False):
    """Entry ``auto_scale_lr`` of a config.

    Attributes:
        enable: Whether learning rates are scaled.
        base_batch_size: Images per optimizer step for which they are given.
    """
    enable: bool
    base_batch_size: float


class HRNetRunner(Runner):
    """mmengine's runner with two differences.

    - A local checkpoint that a run is resumed from is read without running anything in it, with errors that name it.
    - ``auto_scale_lr`` counts the batches that are accumulated for an optimizer step. mmengine compares
      ``base_batch_size`` with one batch of each process, whatever ``accumulative_counts`` is.
    """

    def resume(self, filename: str, *args: bool | str, **kwargs: bool | str) -> None:
        """Resume from a checkpoint.

        Args:
            filename: Path or address.
            args, kwargs: As of ``mmengine.runner.Runner.resume``.

        Raises:
            ValueError: If a local file is not a complete checkpoint of a run.
        """
        super().resume(f'{RUN_SCHEME}{filename}' if Path(filename).is_file() else filename, *args, **kwargs)

    def scale_lr(self, optim_wrapper: OptimWrapper, auto_scale_lr: AutoScaleLR | None = None) -> None:
        """Scale the learning rates by images per optimizer step over ``base_batch_size``.

        Args:
            optim_wrapper: Whose learning rates are scaled.
            auto_scale_lr: The config's entry, with ``enable`` and ``base_batch_size``.

        Raises:
            ValueError: If several optimizers accumulate different numbers of batches.
        """
        count = accumulated_batches(optim_wrapper) if auto_scale_lr and auto_scale_lr.get('enable') else 1
        if auto_scale_lr is not None and count > 1:
            base = auto_scale_lr['base_batch_size']
            print_log(f'{count} batches are accumulated for each optimizer step: the base batch size of {base} images '
                      f'counts as {base / count:g} in each', logger='current')
            auto_scale_lr = {**auto_scale_lr, 'base_batch_size': base / count}
        super().scale_lr(optim_wrapper, auto_scale_lr)


def accumulated_batches(optim_wrapper: OptimWrapper) -> int:
    """Return the number of batches for each optimizer step.

    Raises:
        ValueError: If several optimizers accumulate different numbers.
    """
    wrappers = list(optim_wrapper.values()) if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    counts = sorted({getattr(wrapper, '_accumulative_counts', 1) for wrapper in wrappers})
    if len(counts) > 1:
        raise ValueError(f'accumulative_counts must be the same for all optimizers, got {counts}')
    return int(counts[0])
