"""The compiled forward of a module: made at the first inference, made anew when a weight has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from operator import attrgetter
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, fx, nn

from hrnet_plugin.execution.folding import has_global_hooks
from hrnet_plugin.execution.graph import trace
from hrnet_plugin.execution.rewriter import UnsupportedGraph
from hrnet_plugin.execution.torch_engine import compile_for_torch
from hrnet_plugin.models.layers.optimizable import Optimizable

_SAMPLED = 8  # tensors, of which a few values are compared at each call


class CompiledForward:
    """Inference of one module by an engine, and the reasons to decline it.

    Args:
        module: Module, which is traced at once: tracing is not safe while other threads run modules.
        max_graphs: On GPUs, number of input shapes for which a CUDA graph is kept.
    """

    def __init__(self, module: Optimizable, max_graphs: int) -> None:
        self.max_graphs = max_graphs
        self._graph: fx.Graph | None = None
        self._structure: list[nn.Module] = []
        with suppress(UnsupportedGraph):  # is told at the first call, if it is still so
            self._traced(module)
        self._function: Callable[..., tuple[Tensor, ...]] | None = None
        self._key: Any = None
        self._state: _State | None = None
        self._told: set[str] = set()

    def __call__(self, module: Optimizable, inputs: Any) -> tuple[Tensor, ...] | None:
        """Return the outputs; None where the module has to run eagerly, after one warning in the log why."""
        feats: Sequence[Tensor] = [inputs] if isinstance(inputs, Tensor) else inputs
        obstacle = _obstacle(module, feats[0])
        if obstacle is None:
            device = feats[0].device
            dtype = _autocast_dtype(device) or feats[0].dtype
            try:
                function = self._current(module, device, dtype)
                with _no_autocast(device):
                    return function(*feats)
            except UnsupportedGraph as error:
                obstacle = str(error)
        if obstacle not in self._told:
            self._told.add(obstacle)
            print_log(f'{type(module).__name__} runs eagerly, not by an inference engine, because {obstacle}',
                      logger='current', level=logging.WARNING)
        return None

    def forget(self) -> None:
        """Compile anew at the next call."""
        self._function = self._state = None

    def _current(self, module: Optimizable, device: torch.device, dtype: torch.dtype
                 ) -> Callable[..., tuple[Tensor, ...]]:
        key = device, dtype, torch.backends.mkldnn.enabled
        function, state = self._function, self._state
        if function is not None and state is not None and key == self._key and state.is_current():
            return function
        self.forget()
        state = _State(module)
        with torch.inference_mode(False), torch.no_grad():
            function = compile_for_torch(module, self._traced(module), device, dtype, self.max_graphs)
        self._function, self._key, self._state = function, key, state
        return function

    def _traced(self, module: Optimizable) -> fx.Graph:
        """Return the graph of a module, traced anew only if a submodule was replaced."""
        if _State(module).has_hooks():
            raise UnsupportedGraph('its layers have hooks, which would not run')
        structure = list(module.modules())[1:]
        if self._graph is None or list(map(id, structure)) != list(map(id, self._structure)):
            self._graph, self._structure = trace(module), structure
        return self._graph


class _State:
    """What a compiled forward was made from. It runs at every call, in loops that are not Python's."""

    def __init__(self, module: nn.Module) -> None:
        parts = list(module.modules())
        self._owned: list[dict[str, Any]] = [
            owned for part in parts for owned in (part._modules, part._parameters, part._buffers)]
        self._hooks = [hooks for part in parts[1:] for hooks in (
            part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)]
        self._layers = parts[1:]
        # held, so that no other object gets the identity of one that is replaced
        self._held = list(chain.from_iterable(map(dict.values, self._owned)))
        self._tensors = [x for x in self._held if isinstance(x, Tensor)]
        self._counted = [x for x in self._tensors if not x.is_inference()]
        on_cpu = [x for x in self._tensors if x.device.type == 'cpu' and x.dim()]
        self._sampled = on_cpu[::max(1, len(on_cpu) // _SAMPLED)]
        self._fingerprint = self._new_fingerprint()

    def has_hooks(self) -> bool:
        """Return True if calling a submodule would run hooks."""
        return any(self._hooks)

    def is_current(self) -> bool:
        """Return True if submodules, weights and modes are what they were and there are no hooks."""
        return not any(self._hooks) and self._fingerprint == self._new_fingerprint()

    def _new_fingerprint(self) -> list[Any]:
        """Return values that change with a submodule, a weight or a mode.

        The thread count determines weight layouts. Sampled values show that all weights were exchanged through
        ``.data``, as EMA hooks do, which has no other trace.
        """
        return [torch.get_num_threads(), *map(id, chain.from_iterable(map(dict.values, self._owned))),
                *map(Tensor.data_ptr, self._tensors), *map(attrgetter('_version'), self._counted),
                *map(attrgetter('training'), self._layers), [x.detach().view(-1)[:4].tolist() for x in self._sampled]]


def _obstacle(module: nn.Module, x: Tensor) -> str | None:
    """Return why inference of ``x`` must be eager; None for no reason."""
    if module.training:
        return 'it is in training mode'
    if torch.is_grad_enabled():
        return 'gradients are enabled'
    weight = next(module.parameters(), None)
    if weight is None:
        return 'its weights are not its own'
    if type(x) is not Tensor:
        return f'its input is a {type(x).__name__}'
    if x.numel() == 0:
        return 'there is no image'
    if x.device.type not in ('cpu', 'cuda') or x.device != weight.device or not x.is_floating_point():
        return f'its weights are on {weight.device}, and its input is {x.dtype} on {x.device}'
    if x.dtype != weight.dtype and _autocast_dtype(x.device) is None:
        return f'its weights are {weight.dtype}, and its input is {x.dtype}'
    if has_global_hooks():
        return 'there are hooks of all modules, which would not run'
    return None


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
