"""Training in bfloat16 with heads whose operators do not support it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_map
from torch.utils.hooks import RemovableHandle

from hrnet_plugin.checks import check_int, check_mapping, check_number
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.registry import OPTIM_WRAPPERS

_Leaf = TypeVar('_Leaf')


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Optimizer wrapper that runs backbone and neck in bfloat16, and everything else in float32.

    mmcv compiles RoIAlign, sigmoid focal loss and deformable attention for float16 and float32 only, so mmengine's
    AmpOptimWrapper with ``dtype='bfloat16'`` fails in most detectors. Backbone and neck take most of the time. bfloat16
    has the range of float32, so loss scaling is not needed. The wrapper works on CPUs and GPUs.

    The arguments are those of mmengine's OptimWrapper. ``compile=True`` is not supported: functions that are compiled
    outside of the context of this wrapper run in float32.
    """

    def __init__(self, optimizer: Optimizer, accumulative_counts: int = 1, clip_grad: ConfigEntry | None = None
                 ) -> None:
        check_int('accumulative_counts', accumulative_counts, 1)
        check_mapping('clip_grad', clip_grad)
        for name in {'max_norm', 'clip_value'} & set(clip_grad or ()):
            if (clip_grad or {})[name] != math.inf:  # the norm is logged, and nothing is clipped
                check_number(f'clip_grad.{name}', (clip_grad or {})[name], least=0)
        super().__init__(optimizer, accumulative_counts, clip_grad)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass of a training step with backbone and neck in bfloat16."""
        with super().optim_context(model), features_in_bfloat16(model):
            yield


@contextmanager
def features_in_bfloat16(model: nn.Module) -> Iterator[None]:
    """Run backbone and neck under autocast to bfloat16, and convert their outputs to float32.

    Raises:
        ValueError: If the model has no backbone.
    """
    # several if a detector contains others, e.g. teacher and student
    owners = [module for module in model.modules() if isinstance(getattr(module, 'backbone', None), nn.Module)]
    if not owners:
        raise ValueError(f'BFloat16OptimWrapper requires a model with a backbone, got {type(model).__name__} without')
    with ExitStack() as hooks:
        for owner in owners:
            parts = [part for part in (owner.backbone, getattr(owner, 'neck', None)) if isinstance(part, nn.Module)]
            for part in parts:
                for handle in _autocast_hooks(part, next(owner.parameters()).device.type):
                    hooks.callback(handle.remove)
            hooks.callback(parts[-1].register_forward_hook(lambda module, args, out: tree_map(_as_float, out)).remove)
        yield


def _autocast_hooks(part: nn.Module, device: str) -> tuple[RemovableHandle, RemovableHandle]:
    """Register hooks that enter autocast before a module's forward and exit it afterwards, also after errors."""
    contexts: list[ExitStack] = []

    def enter(module: nn.Module, args: tuple[Tensor | Sequence[Tensor], ...]) -> None:
        context = ExitStack()
        context.enter_context(torch.autocast(device, torch.bfloat16))
        contexts.append(context)

    def leave(module: nn.Module, args: tuple[Tensor | Sequence[Tensor], ...], out: Tensor | Sequence[Tensor]) -> None:
        contexts.pop().close()

    return part.register_forward_pre_hook(enter), part.register_forward_hook(leave, always_call=True)


def _as_float(entry: _Leaf) -> _Leaf | Tensor:
    return entry.float() if isinstance(entry, Tensor) else entry
