"""mmengine's runner, with the learning rate scaled by all images of an optimizer step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner


class AccumulationAwareRunner(Runner):
    """mmengine's runner, whose ``auto_scale_lr`` counts the batches that are accumulated for an optimizer step.

    mmengine compares ``base_batch_size`` with one batch of each process, whatever ``accumulative_counts`` is.
    """

    def scale_lr(self, optim_wrapper: OptimWrapper, auto_scale_lr: Mapping[str, Any] | None = None) -> None:
        """Scale the learning rates by images per optimizer step over ``base_batch_size``.

        Args:
            optim_wrapper: Whose learning rates are scaled.
            auto_scale_lr: The config's entry, with ``enable`` and ``base_batch_size``.

        Raises:
            ValueError: If several optimizers accumulate different numbers of batches.
        """
        count = accumulated_batches(optim_wrapper)
        if count > 1 and auto_scale_lr is not None and auto_scale_lr.get('enable'):
            base = auto_scale_lr['base_batch_size']
            print_log(f'{count} batches are accumulated for each optimizer step: the base batch size of {base} images '
                      f'counts as {base / count:g} in each', logger='current')
            auto_scale_lr = dict(auto_scale_lr, base_batch_size=base / count)
        super().scale_lr(optim_wrapper, auto_scale_lr)


def accumulated_batches(optim_wrapper: OptimWrapper) -> int:
    """Return the number of batches for each optimizer step.

    Raises:
        ValueError: If several optimizers accumulate different numbers.
    """
    wrappers = list(optim_wrapper.values()) if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    counts = sorted({wrapper._accumulative_counts for wrapper in wrappers})
    if len(counts) > 1:
        raise ValueError(f'accumulative_counts must be the same for all optimizers, got {counts}')
    return int(counts[0])
