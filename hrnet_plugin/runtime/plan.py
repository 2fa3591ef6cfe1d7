"""What a module in fast form runs: made when it first predicts, and anew when a weight has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import attrgetter
from typing import Any, ClassVar

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.models.layers.folding import has_global_hooks, is_traced
from hrnet_plugin.models.layers.memory_format import channels_last
from hrnet_plugin.runtime.fused_conv import FusedConv, NoFastForm, fused_conv
from hrnet_plugin.runtime.graphs import GraphBuckets, cuda_graph
from hrnet_plugin.runtime.streams import Prepare

Run = Callable[..., Sequence[Tensor]]


class Plan:
    """What a module runs in its fast form, with what it was made from.

    Args:
        module: In eval mode.
        make: Makes a function of maps from the module and a maker of convolutions.
        conv: Which convolutions it is made of.
        dtype: Of the maps.
        max_graphs: How many CUDA graphs there may be.

    Raises:
        NoFastForm: If the module has no fast form; the message says why.
    """

    def __init__(self, module: nn.Module, make: Callable[[Any, Prepare], Run], conv: type[FusedConv],
                 dtype: torch.dtype, max_graphs: int) -> None:
        parts = list(module.modules())[1:]
        self._owned: list[dict[str, Any]] = [
            owned for part in (module, *parts) for owned in (part._modules, part._parameters, part._buffers)]
        self._hooks = [hooks for part in parts for hooks in (
            part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)]
        self._norms = [part for part in parts if isinstance(part, _BatchNorm)]
        if any(self._hooks):
            raise NoFastForm('its layers have hooks, which would not run')
        # held, so that no other gets the identity of one that is replaced
        self._held = list(chain.from_iterable(map(dict.values, self._owned)))
        self._tensors = [x for x in self._held if isinstance(x, Tensor)]
        self._counted = [x for x in self._tensors if not x.is_inference()]
        self._state = self._fingerprint()
        self.dtype, self.conv = dtype, conv
        self.run: Run = make(module, lambda kernel: conv(kernel, dtype))
        if any(tensor.is_cuda for tensor in self._tensors):
            self.run = GraphBuckets(self.run, max_graphs, cuda_graph)

    def is_current(self) -> bool:
        """Whether all layers and weights are what they were, no norm trains and nobody watches a layer."""
        return (not any(self._hooks) and not any(map(attrgetter('training'), self._norms))
                and self._state == self._fingerprint())

    def _fingerprint(self) -> list[int]:
        """Numbers that change when a layer or a weight is replaced or written to, other than through ``.data``.

        And that of threads, by which weights are ordered. This runs at every call, in loops that are not Python's.
        """
        return [torch.get_num_threads(), *map(id, chain.from_iterable(map(dict.values, self._owned))),
                *map(Tensor.data_ptr, self._tensors), *map(attrgetter('_version'), self._counted)]


class FastForm(nn.Module):
    """What the fast forms of all modules have in common."""
    plain: ClassVar[type[nn.Module]]
    max_graphs: int
    _plan: Plan | None
    _told: set[str]

    @staticmethod
    def make(module: Any, prepare: Prepare) -> Run:
        """A function of maps with channels last, that gives contiguous maps."""
        raise NotImplementedError

    def ready(self, x: Tensor) -> Plan | None:
        """The plan for maps like ``x``; None where the module runs as it is, after a word in the log why."""
        if is_traced():
            return None
        obstacle = self._obstacle(x)
        if obstacle is None:
            dtype = _autocast_dtype(x.device) or x.dtype
            conv = fused_conv(x.device, dtype)
            plan = self._plan
            if plan is not None and plan.dtype == dtype and plan.conv is conv and plan.is_current():
                return plan
            self._plan = None
            try:
                with torch.inference_mode(False), torch.no_grad():
                    self._plan = Plan(self, self.make, conv, dtype, self.max_graphs)
                return self._plan
            except NoFastForm as error:
                obstacle = str(error)
        self._tell(obstacle)
        return None

    def _obstacle(self, x: Tensor) -> str | None:
        if self.training:
            return 'it is in training mode'
        if torch.is_grad_enabled():
            return 'gradients are enabled'
        weight = next(self.parameters(), None)
        if weight is None:
            return 'its weights are not its own'
        if x.numel() == 0:
            return 'there is no image'
        if x.device.type not in ('cpu', 'cuda') or x.device != weight.device or not x.is_floating_point():
            return f'its weights are on {weight.device}, and its input is {x.dtype} on {x.device}'
        if x.dtype != weight.dtype and _autocast_dtype(x.device) is None:
            return f'its weights are {weight.dtype}, and its input is {x.dtype}'
        if has_global_hooks():
            return 'there are hooks of all modules, which would not run'
        return None

    def _tell(self, obstacle: str) -> None:
        if obstacle not in self._told:
            self._told.add(obstacle)
            print_log(f'fast form: {self.plain.__name__} runs as it is, because {obstacle}', logger='current',
                      level=logging.WARNING)

    def run(self, plan: Plan, *feats: Tensor) -> tuple[Tensor, ...]:
        """Of maps in any order and precision."""
        with _no_autocast(feats[0].device):
            return tuple(plan.run(*(channels_last(x.to(plan.dtype)) for x in feats)))

    def train(self, mode: bool = True) -> Any:
        """Set the mode, as the module itself does, and forget the plan. Returns self."""
        self._plan = None
        super().train(mode)
        return self

    def _apply(self, fn: Any, *args: Any, **kwargs: Any) -> Any:  # what moves and casts modules
        self._plan = None
        return super()._apply(fn, *args, **kwargs)

    def _replicate_for_data_parallel(self) -> Any:
        replica = super()._replicate_for_data_parallel()
        replica._plan = None
        return replica

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: everything but the plan, which is made anew."""
        return {**self.__dict__, '_plan': None}


def _autocast_dtype(device: torch.device) -> torch.dtype | None:
    """In which precision autocast has convolutions run on a device; None where it is off."""
    if hasattr(torch, 'get_autocast_dtype'):  # newer than the oldest torch that the package takes
        return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else None
    if device.type == 'cpu':
        return torch.get_autocast_cpu_dtype() if torch.is_autocast_cpu_enabled() else None
    return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else None


@contextmanager
def _no_autocast(device: torch.device) -> Iterator[None]:
    if _autocast_dtype(device) is None:
        yield
    else:
        with torch.autocast(device.type, enabled=False):
            yield
