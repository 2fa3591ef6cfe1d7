"""Hook that logs processes, images per optimizer step and learning rate."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, OptimWrapperDict

from hrnet_plugin.registry import HOOKS
from hrnet_plugin.training.accumulation import batches_per_step

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class ProcessLogHook(Hook):
    """Hook that logs how a run is distributed.

    For several processes, it logs the backend, and host and device of each process. Before training, it logs the images
    per optimizer step and the initial learning rate. ``hrnet train`` and ``hrnet test`` always add it.
    """

    def before_run(self, runner: Runner) -> None:
        """Log the processes, if there are several."""
        if runner.distributed:
            print_log(_describe_processes(), logger='current')

    def before_train(self, runner: Runner) -> None:
        """Log the images per optimizer step of each optimizer."""
        batch = runner.train_dataloader.batch_size
        if batch is None:  # the batch sampler is not of torch's interface
            return
        wrapper = runner.optim_wrapper
        parts = wrapper.items() if isinstance(wrapper, OptimWrapperDict) else [('', wrapper)]
        for name, part in parts:
            print_log(_describe_step(name, part, batch, runner.world_size), logger='current')


def _describe_processes() -> str:
    device = f'cuda:{torch.cuda.current_device()}' if torch.cuda.is_available() else get_device()
    places: list[str] = [''] * dist.get_world_size()
    dist.all_gather_object(places, f'{dist.get_rank()} on {socket.gethostname()} {device}')
    return f'{len(places)} processes with backend {dist.get_backend()}: {"; ".join(places)}'


def _describe_step(name: str, wrapper: OptimWrapper, batch: int, processes: int) -> str:
    count = batches_per_step(wrapper)
    rates = sorted({group['lr'] for group in wrapper.param_groups})
    shown = f'{rates[0]:g}' if len(rates) == 1 else f'{rates[0]:g} to {rates[-1]:g}'
    return (f'{f"{name}: " if name else ""}{batch * processes * count} images per optimizer step: {batch} per batch, '
            f'{processes} processes, {count} accumulated batches. Learning rate at the first step: {shown}')
