"""Compiled forward of a module. It is compiled at the first inference, and again after a weight has changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock

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
_COMPILING = RLock()  # exports are not thread-safe
_NATIVE_PROCESSES: set[int] = set()  # processes in which an engine has threads of its own, which a fork does not copy


def _renew_lock() -> None:
    global _COMPILING
    _COMPILING = RLock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_renew_lock)  # another thread of the parent may hold the lock


class CompiledForward:
    """Forward of one module by an engine, unless the module must run eagerly.

    Args:
        module: Module to compile. It is traced immediately, because tracing is unsafe while other threads run modules.
        engines: Engines to try, in order.
        options: Options of all engines.
    """

    def __init__(self, module: OptimizableModule, engines: Sequence[str], options: EngineOptions) -> None:
        self.engines, self.options = engines, options
        self._engine, self._process = '', os.getpid()
        self._graph: tuple[fx.Graph, list[nn.Module]] | None = None
        self._compiled: tuple[_Key, ModuleState, Forward] | None = None
        self._logged: set[str] = set()
        with suppress(UnsupportedGraph):  # logged at the first call, which traces again
            self._traced(module)

    def __call__(self, module: Optimizable[Inputs], inputs: Inputs) -> tuple[Tensor, ...] | None:
        """Return the outputs, or None if the module must run eagerly. Each reason is logged once."""
        feats: Sequence[Tensor] = [inputs] if isinstance(inputs, Tensor) else inputs
        reason = _reason_for_eager(module, feats)
        if reason is None:
            device = feats[0].device
            dtype = _autocast_dtype(device) or feats[0].dtype
            try:
                function = self._current(module, feats, dtype)
            except UnsupportedGraph as error:
                reason = str(error)
            else:
                with _no_autocast(device):
                    return self._run(function, module, inputs, feats)
        self._log_once(f'{type(module).__name__} runs eagerly, not by an inference engine, because {reason}')
        return None

    def _log_once(self, message: str) -> None:
        if message not in self._logged:
            self._logged.add(message)
            print_log(message, logger='current', level=logging.WARNING)

    def _run(self, function: Forward, module: Optimizable[Inputs], inputs: Inputs, feats: Sequence[Tensor]
             ) -> tuple[Tensor, ...] | None:
        """Call the compiled function. After an error of an engine other than torch, use the next engine."""
        engine = self._engine
        if engine in ('', 'torch'):
            return function(*feats)
        try:
            return function(*feats)
        except Exception as error:  # of any kind, from the engine
            reason = f'{type(error).__name__}: {error}'
            self._log_once(f'{type(module).__name__} no longer runs by {engine}, because of {reason}')
        self.engines = tuple(name for name in self.engines if name != engine)
        self.invalidate()
        return self(module, inputs)

    def invalidate(self) -> None:
        """Discard the compiled function. The next call compiles again."""
        if os.getpid() != self._process:
            _INHERITED.append(self._compiled)
        self._compiled = None

    def __del__(self) -> None:
        self.invalidate()

    def _current(self, module: OptimizableModule, feats: Sequence[Tensor], dtype: torch.dtype) -> Forward:
        key = (feats[0].device, dtype, bool(torch.backends.mkldnn.enabled), os.getpid())
        function = self._find(key)
        if function is not None:
            return function
        with _COMPILING:
            function = self._find(key)  # another thread may have compiled it
            if function is None:
                self.invalidate()
                state, graph = ModuleState(module), self._traced(module)
                with torch.inference_mode(False), torch.no_grad():
                    function = self._compile(module, graph, feats, dtype)
                self._compiled = key, state, function
        return function

    def _find(self, key: _Key) -> Forward | None:
        compiled = self._compiled
        return compiled[2] if compiled is not None and compiled[0] == key and compiled[1].is_current() else None

    def _compile(self, module: OptimizableModule, graph: fx.Graph, feats: Sequence[Tensor], dtype: torch.dtype
                 ) -> Forward:
        """Compile with the first engine that can run the module."""
        is_forked = bool(_NATIVE_PROCESSES) and os.getpid() not in _NATIVE_PROCESSES
        reasons: dict[str, str] = {}
        for engine in ('torch', ) if is_forked else self.engines:
            try:
                function = compile_module(engine, module, graph, feats, dtype, self.options)
            except Exception as error:  # from engines, custom layers or tensor types. The eager model can run them.
                reasons[engine] = str(error) if isinstance(error, UnsupportedGraph) else (
                    f'it cannot be compiled: {type(error).__name__}: {error}')
                continue
            for other, reason in reasons.items():
                self._log_once(f'{type(module).__name__} runs by {engine}, not by {other}, because {reason}')
            if engine != 'torch':
                _NATIVE_PROCESSES.add(os.getpid())
            self._engine = engine
            return function
        raise UnsupportedGraph(reasons.popitem()[1])

    def _traced(self, module: OptimizableModule) -> fx.Graph:
        """Return the graph of a module. It is traced again only if a submodule was replaced."""
        structure = list(module.modules())[1:]
        if any(map(has_own_hooks, structure)):
            raise UnsupportedGraph('its layers have hooks, which would not run')
        if self._graph is None or list(map(id, structure)) != list(map(id, self._graph[1])):
            self._graph = trace(module), structure
        return self._graph[0]


def _reason_for_eager(module: nn.Module, feats: Sequence[Tensor]) -> str | None:
    """Return why the module must run eagerly on inputs, or None if an engine can run it."""
    x = feats[0]
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
    if any(type(other) is not Tensor or (other.device, other.dtype) != (x.device, x.dtype) for other in feats[1:]):
        return 'its inputs differ in device, dtype or type'
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
