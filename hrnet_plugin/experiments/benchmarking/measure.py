"""Interleaved measurement of networks in one process, so that temporary load slows all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.fx.node import Argument
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.benchmark import Timer

from hrnet_plugin.evaluation.counting import count_call
from hrnet_plugin.experiments.benchmarking.machine import Machine
from hrnet_plugin.experiments.benchmarking.memory import peak_bytes, saved_bytes


def measure(networks: Mapping[str, nn.Module], images: Tensor, rounds: int, train: bool = False,
            amp: torch.dtype | None = None, machine: Machine | None = None) -> dict[str, dict[str, Any]]:
    """Measure time, memory and operators of networks.

    Args:
        networks: Name -> network that maps images to feature maps. The others are compared with the first one.
        images: Images, shape (N, C, H, W).
        rounds: Number of measurements per network.
        train: Whether to measure training steps (forward and backward) instead of inference.
        amp: Precision of autocast. None disables it.
        machine: Peak rates of the machine, for ``conv_share``.

    Returns:
        Records by name of the network:

        - ``times``, ``seconds`` and ``ratio``: as in :func:`time_interleaved`.
        - ``macs``: Multiply-adds of a forward pass of the eager model.
        - ``operators``: Number of operator calls without views.
        - ``peak``: Peak memory in bytes, beyond the memory allocated before.
        - ``kept``: Bytes saved for the backward pass. Training only.
        - ``relative_error``: Largest difference from the feature maps of the first network, divided by their largest
          value. Inference only, for networks with the same weights as the first one.
        - ``conv_share``: Time of all MACs at the rate of ``machine``, divided by the measured time. Inference only.
    """
    def forward(model: nn.Module) -> list[Tensor]:
        with torch.autocast(images.device.type, amp, enabled=amp is not None):
            return _to_list(model(images))

    def step(model: nn.Module) -> None:
        if not train:
            with torch.no_grad():
                forward(model)
            return
        model.zero_grad()
        sum(out.float().square().mean() for out in forward(model)).backward()  # type: ignore[union-attr]

    reference = None
    records: dict[str, dict[str, Any]] = {}
    for name, model in networks.items():
        model.train(train)
        record = records[name] = dict(macs=_macs(model, images), operators=_operators(partial(step, model)))
        if train:
            record['kept'] = saved_bytes(partial(forward, model), str(images.device))
        else:
            with torch.no_grad():
                maps = forward(model)
            reference = maps if reference is None else reference
            if _same_weights(model, next(iter(networks.values()))):
                record['relative_error'] = max(_error(a, b) for a, b in zip(maps, reference))
        model.zero_grad()
        record['peak'] = peak_bytes(partial(step, model), str(images.device))
    steps = {name: partial(step, model) for name, model in networks.items()}
    for name, times in time_interleaved(steps, rounds).items():
        record = records[name]
        record.update(times)
        if machine is not None and not train:
            record['conv_share'] = record['macs'] / machine.macs / record['seconds']
    return records


def time_interleaved(runs: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, dict[str, Any]]:
    """Time functions in turns, each once per round.

    Args:
        runs: Name -> function.
        rounds: Number of rounds.

    Returns:
        Records by name of the function:

        - ``times``: Time in each round in seconds, the mean of three calls.
        - ``seconds``: Median of ``times``.
        - ``ratio``: Time of the first function divided by that of this one, median over the rounds.
    """
    timers = {name: Timer('run()', globals=dict(run=run), num_threads=torch.get_num_threads())
              for name, run in runs.items()}
    # timeit makes two warm-up calls before each measurement
    rows = [{name: timer.timeit(3).mean for name, timer in timers.items()} for _ in range(rounds)]
    first = next(iter(runs))
    return {name: dict(times=[row[name] for row in rows], seconds=statistics.median(row[name] for row in rows),
                       ratio=statistics.median(row[first] / row[name] for row in rows)) for name in runs}


class _OperatorCounter(TorchDispatchMode):

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: OpOverload, types: Sequence[type], args: tuple[Argument, ...] = (),
                           kwargs: dict[str, Argument] | None = None) -> Any:
        self.count += not getattr(function, 'is_view', False)
        return function(*args, **(kwargs or {}))


def _operators(run: Callable[[], None]) -> int:
    for _ in range(2):  # warm-up: one-time preparation is not counted
        run()
    with _OperatorCounter() as operators:
        run()
    return operators.count


def _macs(model: nn.Module, images: Tensor) -> int:
    eager = deepcopy(model)
    with torch.no_grad():
        count, _ = count_call(eager, eager, images)
    return count.macs


def _same_weights(model: nn.Module, other: nn.Module) -> bool:
    first, second = model.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _to_list(outs: Tensor | Sequence[Tensor]) -> list[Tensor]:
    return [outs] if isinstance(outs, Tensor) else list(outs)


def _error(ours: Tensor, theirs: Tensor) -> float:
    return ((ours.float() - theirs.float()).abs().max() / theirs.float().abs().max().clamp_min(1e-30)).item()
