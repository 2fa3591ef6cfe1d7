"""HRNet's layers with prepared convolutions, from modules; maps have channels last, and sums are taken in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mmengine.model import Sequential
from torch import Tensor, nn

from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.layers import (
    BasicBlock,
    Bottleneck,
    HRModule,
    MultiResolutionFusion,
    ParallelBranches,
    Transition,
)
from hrnet_plugin.models.layers.conv import ConvNorm
from hrnet_plugin.models.layers.fusion_rows import SumRow
from hrnet_plugin.models.layers.transition import sources
from hrnet_plugin.runtime.fused_conv import FusedConv, Kernel, NoFastForm

Prepare = Callable[[Kernel], FusedConv]


class Chain:
    """Convolutions with norms in a row, a ReLU after those that have one."""

    def __init__(self, path: nn.Module, prepare: Prepare) -> None:
        self._firsts = [(prepare(Kernel.of(part[0], part[1])), len(part) > 2) for part in _conv_norms(path)]
        self._last, self._relu = self._firsts.pop()

    def __call__(self, x: Tensor) -> Tensor:
        """A fresh map."""
        return self._last(self._to_last(x), self._relu)

    def add_to(self, total: Tensor, x: Tensor, relu: bool = False) -> Tensor:
        """Add what a call gives to ``total``, in place."""
        return self._last.add_to(total, self._to_last(x), relu)

    def _to_last(self, x: Tensor) -> Tensor:
        for conv, relu in self._firsts:
            x = conv(x, relu)
        return x


class Block:
    """A residual block. It writes its result over its input, which is the sum's other term."""

    def __init__(self, block: Any, prepare: Prepare) -> None:
        _check(block, BasicBlock, Bottleneck)
        _check(block.relu, nn.ReLU)
        *self._firsts, self._last = (prepare(Kernel.of(getattr(block, f'conv{k}'), getattr(block, name)))
                                     for k, name in enumerate(block.norm_names, 1))
        self._downsample = None if isinstance(block.downsample, nn.Identity) else Chain(block.downsample, prepare)

    def __call__(self, x: Tensor) -> Tensor:
        out = x
        for conv in self._firsts:
            out = conv(out, relu=True)
        return self._last.add_to(x if self._downsample is None else self._downsample(x), out, relu=True)


class Row:
    """All paths into one resolution.

    The rows of a fusion run from fine to coarse. The last one has no coarser maps, and writes over its own, which no
    row after it reads.
    """

    def __init__(self, row: Any, prepare: Prepare) -> None:
        if not isinstance(row, SumRow) or type(row).forward is not SumRow.forward:
            raise NoFastForm(f'a row of its fusion is a {type(row).__name__}')
        self._row, self._resolution = row, row.resolution
        # any path but the own one is a Chain
        self._paths: list[Any] = [None if isinstance(path, nn.Identity) else Chain(path, prepare) for path in row]

    def __call__(self, feats: Sequence[Tensor]) -> Tensor:
        total = feats[self._resolution]
        if self._resolution < len(self._paths) - 1:
            total = self._row.sum_coarser(feats, self._paths).add_(total)
        if self._resolution == 0:
            return total.relu_()
        for j, (path, x) in enumerate(zip(self._paths, feats[:self._resolution]), 1):
            total = path.add_to(total, x, relu=j == self._resolution)
        return total


class Module:
    """Parallel branches, then multi-resolution fusion, where there is one."""

    def __init__(self, module: Any, prepare: Prepare) -> None:
        _check(module, HRModule)
        _check(module.branches, ParallelBranches)
        _check(module.fuse_layers, MultiResolutionFusion, nn.Identity)
        self._branches = [_blocks(branch, prepare) for branch in module.branches]
        self._rows = None if isinstance(module.fuse_layers, nn.Identity) else [
            Row(row, prepare) for row in module.fuse_layers]

    def __call__(self, feats: Sequence[Tensor]) -> list[Tensor]:
        feats = [_through(branch, x) for branch, x in zip(self._branches, feats)]
        return feats if self._rows is None else [row(feats) for row in self._rows]


class Opening:
    """A transition: all resolutions there are, and new ones."""

    def __init__(self, transition: Any, prepare: Prepare) -> None:
        _check(transition, Transition)
        self._paths = [None if isinstance(path, nn.Identity) else Chain(path, prepare) for path in transition]

    def __call__(self, feats: Sequence[Tensor]) -> list[Tensor]:
        return [x if path is None else path(x) for path, x in zip(self._paths, sources(feats, len(self._paths)))]


class Streams:
    """The whole backbone: from images ``(N, C, H, W)`` to its maps, finest first.

    Args:
        net: In eval mode; is not changed.
        prepare: Makes a convolution of a kernel.

    Raises:
        NoFastForm: If a layer has no fast form.
    """

    def __init__(self, net: HRNet, prepare: Prepare) -> None:
        self._stem = [prepare(Kernel.of(getattr(net, f'conv{k}'), getattr(net, norm)))
                      for k, norm in enumerate(net.stem_norms, 1)]
        self._first = _blocks(net.layer1, prepare)
        self._later: list[Opening | Module] = []
        for s in (2, 3, 4):
            self._later.append(Opening(getattr(net, f'transition{s - 1}'), prepare))
            self._later += [Module(module, prepare) for module in getattr(net, f'stage{s}')]

    def __call__(self, x: Tensor) -> list[Tensor]:
        for conv in self._stem:
            x = conv(x, relu=True)
        return _through(self._later, [_through(self._first, x)])


def _blocks(branch: Any, prepare: Prepare) -> list[Block]:
    _check(branch, Sequential)
    return [Block(block, prepare) for block in branch]


def _conv_norms(path: Any) -> Iterator[Any]:
    """Those that a path consists of, in order."""
    if type(path) is not ConvNorm:
        _check(path, nn.Sequential)
        for part in path:
            yield from _conv_norms(part)
        return
    for relu in list(path)[2:]:
        _check(relu, nn.ReLU)
    yield path


def _check(module: nn.Module, *kinds: type[nn.Module]) -> None:
    """Raise NoFastForm unless a module is of one of these classes, and not of one that is made of them."""
    if type(module) not in kinds:
        raise NoFastForm(f'there is a {type(module).__name__} in the place of a {kinds[0].__name__}')


def _through(steps: Iterable[Callable[[Any], Any]], x: Any) -> Any:
    for step in steps:
        x = step(x)
    return x
