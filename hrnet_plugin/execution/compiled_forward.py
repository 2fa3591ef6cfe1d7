"""Compiled forward of a module. It is compiled at the first inference, and again after a weight has changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import torch
from mmengine.logging import print_log
from torch import Tensor, fx, nn

from hrnet_plugin.execution.engines import EngineOptions, Forward, compile_module
from hrnet_plugin.execution.graph import trace
from hrnet_plugin.execution.module_state import ModuleState
from hrnet_plugin.execution.rewriter import UnsupportedGraph
from hrnet_plugin.models.layers.module_checks import has_global_hooks, has_own_hooks
from hrnet_plugin.models.layers.optimizable import Inputs, Optimizable, OptimizableModule

_Key = tuple[torch.device, torch.dtype, bool, int]

# Compiled functions of the parent process. Engines would wait for threads of the parent if they were freed.
_INHERITED: list[object] = []


class CompiledForward:
    """Forward of one module by an engine, unless the module must run eagerly.

    Args:
        module: Module to compile. It is traced immediately, because tracing is unsafe while other threads run modules.
        engines: Engines to try, in order.
        options: Options of all engines.
    """

    def __init__(self, module: OptimizableModule, engines: Sequence[str], options: EngineOptions) -> None:
        self.engines, self.options = engines, options
        self._process = os.getpid()
        self._graph: tuple[fx.Graph, list[nn.Module]] | None = None
        self._compiled: tuple[_Key, ModuleState, Forward] | None = None
        self._logged: set[str] = set()
        with suppress(UnsupportedGraph):  # logged at the first call, which traces again
            self._traced(module)

    def __call__(self, module: Optimizable[Inputs], inputs: Inputs) -> tuple[Tensor, ...] | None:
        """Return the outputs, or None if the module must run eagerly. Each reason is logged once."""
        feats: Sequence[Tensor] = [inputs] if isinstance(inputs, Tensor) else inputs
        reason = _reason_for_eager(module, feats[0])
        if reason is None:
            device = feats[0].device
            dtype = _autocast_dtype(device) or feats[0].dtype
            try:
                function = self._current(module, feats, dtype)
            except UnsupportedGraph as error:
                reason = str(error)
            else:
                with _no_autocast(device):
                    return function(*feats)
        self._log_once(f'{type(module).__name__} runs eagerly, not by an inference engine, because {reason}')
        return None

    def _log_once(self, message: str) -> None:
        if message not in self._logged:
            self._logged.add(message)
            print_log(message, logger='current', level=logging.WARNING)

    def invalidate(self) -> None:
        """Discard the compiled function. The next call compiles again."""
        self._compiled = None

    def _current(self, module: OptimizableModule, feats: Sequence[Tensor], dtype: torch.dtype) -> Forward:
        key = (feats[0].device, dtype, bool(torch.backends.mkldnn.enabled), os.getpid())
        compiled = self._compiled
        if compiled is not None and compiled[0] == key and compiled[1].is_current():
            return compiled[2]
        if compiled is not None and os.getpid() != self._process:
            _INHERITED.append(compiled)
        self._compiled = None
        state, graph = ModuleState(module), self._traced(module)
        with torch.inference_mode(False), torch.no_grad():
            function = self._compile(module, graph, feats, dtype)
        self._compiled = key, state, function
        return function

    def _compile(self, module: OptimizableModule, graph: fx.Graph, feats: Sequence[Tensor], dtype: torch.dtype
                 ) -> Forward:
        """Compile with the first engine that can run the module."""
        # threads of other engines do not survive a fork
        engines = self.engines if os.getpid() == self._process else ('torch', )
        for engine, fallback in zip(engines, [*engines[1:], '']):
            try:
                return compile_module(engine, module, graph, feats, dtype, self.options)
            except Exception as error:  # from engines, custom layers or tensor types. The eager model can run them.
                reason = str(error) if isinstance(error, UnsupportedGraph) else (
                    f'it cannot be compiled: {type(error).__name__}: {error}')
            if fallback:
                self._log_once(f'{type(module).__name__} runs by {fallback}, not by {engine}, because {reason}')
        raise UnsupportedGraph(reason)

    def _traced(self, module: OptimizableModule) -> fx.Graph:
        """Return the graph of a module. It is traced again only if a submodule was replaced."""
        structure = list(module.modules())[1:]
        if any(map(has_own_hooks, structure)):
            raise UnsupportedGraph('its layers have hooks, which would not run')
        if self._graph is None or list(map(id, structure)) != list(map(id, self._graph[1])):
            self._graph = trace(module), structure
        return self._graph[0]


def _reason_for_eager(module: nn.Module, x: Tensor) -> str | None:
    """Return why the module must run eagerly on ``x``, or None if an engine can run it."""
    if module.training:
        return 'it is in training mode'
    if torch.is_grad_enabled():
        return 'gradients are enabled'
    weight = next(module.parameters(), None)
    if weight is None:
        return 'it has no parameters'
    if type(x) is not Tensor:
        return f'its input is a {type(x).__name__}'
    if x.numel() == 0:
        return 'its input is empty'
    if x.device.type not in ('cpu', 'cuda') or x.device != weight.device or not x.is_floating_point():
        return f'its weights are on {weight.device}, and its input is {x.dtype} on {x.device}'
    if x.dtype != weight.dtype and _autocast_dtype(x.device) is None:
        return f'its weights are {weight.dtype}, and its input is {x.dtype}'
    if has_global_hooks():
        return 'global module hooks are registered, which would not run'
    return None


def _autocast_dtype(device: torch.device) -> torch.dtype | None:
    """Return the autocast dtype of a device type, or None if autocast is off."""
    if hasattr(torch, 'get_autocast_dtype'):  # missing in the oldest supported torch
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
