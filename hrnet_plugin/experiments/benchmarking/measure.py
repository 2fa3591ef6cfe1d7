"""Networks side by side in one process, in turns: a machine that is busy for a while slows all of them."""

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
from hrnet_plugin.experiments.benchmarking.memory import kept_bytes, peak_bytes


def measure(networks: Mapping[str, nn.Module], images: Tensor, rounds: int, train: bool = False,
            amp: torch.dtype | None = None, machine: Machine | None = None) -> dict[str, dict[str, Any]]:
    """Time, memory and operators of each network.

    Args:
        networks: By name; they map images to maps. The first one is what the others are compared with.
        images: ``(N, C, H, W)``.
        rounds: How often each is timed.
        train: Whether training steps, forward and backward, in the place of predictions.
        amp: Precision of autocast; None for none.
        machine: For the shares of what it can do.

    Returns:
        For each network what :func:`in_turns` gives; ``macs`` of a forward pass, run eagerly; ``operators`` that
        are called, without views; ``peak``, the most bytes held at a time beyond those held before. In training
        ``kept``, bytes for the backward pass. Of predictions ``relative_error``, the largest difference from the first
        one's maps over their largest value, where it has the same weights; and with a machine ``conv_share``, the time
        that the multiply-adds take at its rate over the time taken.
    """
    def forward(model: nn.Module) -> list[Tensor]:
        with torch.autocast(images.device.type, amp, enabled=amp is not None):
            return _maps(model(images))

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
            record['kept'] = kept_bytes(partial(forward, model), str(images.device))
        else:
            with torch.no_grad():
                maps = forward(model)
            reference = maps if reference is None else reference
            if _same_weights(model, next(iter(networks.values()))):
                record['relative_error'] = max(_error(a, b) for a, b in zip(maps, reference))
        model.zero_grad()
        record['peak'] = peak_bytes(partial(step, model), str(images.device))
    steps = {name: partial(step, model) for name, model in networks.items()}
    for name, times in in_turns(steps, rounds).items():
        record = records[name]
        record.update(times)
        if machine is not None and not train:
            record['conv_share'] = record['macs'] / machine.macs / record['seconds']
    return records


def in_turns(runs: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, dict[str, Any]]:
    """Times of functions, of which each is timed once a round.

    Returns:
        For each ``times`` of the rounds in seconds, means of three calls; ``seconds``, their median; and ``ratio``, the
        median over the rounds of the first function's time over its own.
    """
    timers = {name: Timer('run()', globals=dict(run=run), num_threads=torch.get_num_threads())
              for name, run in runs.items()}
    # torch's timer makes two calls that do not count before each measurement
    rows = [{name: timer.timeit(3).mean for name, timer in timers.items()} for _ in range(rounds)]
    first = next(iter(runs))
    return {name: dict(times=[row[name] for row in rows], seconds=statistics.median(row[name] for row in rows),
                       ratio=statistics.median(row[first] / row[name] for row in rows)) for name in runs}


class _Operators(TorchDispatchMode):

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: OpOverload, types: Sequence[type], args: tuple[Argument, ...] = (),
                           kwargs: dict[str, Argument] | None = None) -> Any:
        self.count += not getattr(function, 'is_view', False)
        return function(*args, **(kwargs or {}))


def _operators(run: Callable[[], None]) -> int:
    for _ in range(2):  # what is prepared once is not counted
        run()
    with _Operators() as operators:
        run()
    return operators.count


def _macs(model: nn.Module, images: Tensor) -> int:
    eager = deepcopy(model)
    with torch.no_grad():
        count, _ = count_call(eager, eager, images)
    return count.macs


def _same_weights(model: nn.Module, other: nn.Module) -> bool:
    mine, others = model.state_dict(), other.state_dict()
    return mine.keys() == others.keys() and all(torch.equal(mine[name], others[name]) for name in mine)


def _maps(outs: Tensor | Sequence[Tensor]) -> list[Tensor]:
    return [outs] if isinstance(outs, Tensor) else list(outs)


def _error(ours: Tensor, theirs: Tensor) -> float:
    return ((ours.float() - theirs.float()).abs().max() / theirs.float().abs().max().clamp_min(1e-30)).item()
