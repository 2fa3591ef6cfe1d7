"""Training in bfloat16 with heads whose operators do not know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils._pytree import tree_map
from torch.utils.hooks import RemovableHandle

from hrnet_plugin.registry import OPTIM_WRAPPERS

_Leaf = TypeVar('_Leaf')


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Backbone and neck in bfloat16, heads and losses in float32; weights, gradients and optimizer in float32.

    mmcv's RoIAlign, sigmoid focal loss and deformable attention are compiled for float16 and float32 only, so
    mmengine's AmpOptimWrapper with ``dtype='bfloat16'`` fails in most detectors. Nearly all of the work is in backbone
    and neck. bfloat16 has float32's range: losses need no scaling. Runs on CPUs as well as on GPUs.

    Takes the arguments of mmengine's OptimWrapper. Not for ``compile=True``: what torch has compiled outside of this
    wrapper's context runs in float32 inside of it, too.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of a training step's forward pass."""
        with super().optim_context(model), features_in_bfloat16(model):
            yield


@contextmanager
def features_in_bfloat16(model: nn.Module) -> Iterator[None]:
    """Run a model's backbone and neck under autocast to bfloat16; what leaves them is float32 again.

    Raises:
        ValueError: If the model has no backbone.
    """
    # more than one where a detector holds others, as teacher and student
    owners = [module for module in model.modules() if isinstance(getattr(module, 'backbone', None), nn.Module)]
    if not owners:
        raise ValueError(f'BFloat16OptimWrapper needs a model with a backbone, got {type(model).__name__} without')
    with ExitStack() as hooks:
        for owner in owners:
            parts = [part for part in (owner.backbone, getattr(owner, 'neck', None)) if isinstance(part, nn.Module)]
            for part in parts:
                for handle in _autocast_hooks(part, next(owner.parameters()).device.type):
                    hooks.callback(handle.remove)
            hooks.callback(parts[-1].register_forward_hook(lambda module, args, out: tree_map(_as_float, out)).remove)
        yield


def _autocast_hooks(part: nn.Module, device: str) -> tuple[RemovableHandle, RemovableHandle]:
    """Enter autocast before a module's forward and leave it behind, also when it fails."""
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
