"""The network inside a state dict: where it is, and which one, as its names and shapes have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from hrnet_plugin.models.arch import NAMED, StageSpec

# a network's first words; no head of any family has these names
ROOTS = ('conv1', 'bn1', 'gn1', 'in1', 'conv2', 'bn2', 'gn2', 'in2', 'layer1', 'transition1', 'transition2',
         'transition3', 'stage2', 'stage3', 'stage4')
# in every HRNet, and in nothing else
_LANDMARK = 'stage4.0.branches.0.0.conv1.weight'


@dataclass(frozen=True)
class Body:
    """An HRNet's description, read from tensors.

    Attributes:
        stages: As in :data:`~hrnet_plugin.models.arch.NAMED`.
        outputs: Number of maps that come out: all, or one, without the fusion of the others.
        in_channels: Channels of the image.
    """

    stages: tuple[StageSpec, ...]
    outputs: int
    in_channels: int

    @property
    def arch(self) -> str | None:
        """Name of the network, or None if it has none."""
        return next((name for name, stages in NAMED.items() if stages == self.stages), None)

    @property
    def text(self) -> str:
        """For people: 'HRNet-W32', or a description."""
        if self.arch is not None:
            return 'HRNet-' + self.arch.replace('w18_small', 'W18-small').replace('_', '-').replace('w', 'W')
        widths, modules = self.stages[-1].num_channels, [stage.num_modules for stage in self.stages]
        blocks = [stage.num_blocks[0] for stage in self.stages]
        return f'an HRNet of widths {widths}, modules {modules} and blocks {blocks} a stage'


def find_bodies(names: Iterable[str]) -> list[str]:
    """What stands before the names of each network in a state dict: '' or 'backbone.' and the like."""
    return [name.removesuffix(_LANDMARK) for name in names if name.endswith(_LANDMARK)
            and (name == _LANDMARK or name.removesuffix(_LANDMARK).endswith('.'))]


def is_body(name: str) -> bool:
    """Whether a name, without what stands before it, is a network's."""
    return name.split('.')[0] in ROOTS


def describe(tensors: Mapping[str, Tensor], prefix: str = '') -> Body:
    """Read a network's description from its tensors.

    Raises:
        ValueError: If one that every network has is missing; the message names it.
    """
    shapes = {name.removeprefix(prefix): tuple(tensor.shape) for name, tensor in tensors.items()
              if name.startswith(prefix)}
    stages = [_stage(shapes, 'layer1'), *(_stage(shapes, f'stage{s}') for s in (2, 3, 4))]
    last = f'stage4.{stages[-1].num_modules - 1}.fuse_layers.'
    rows = {name.removeprefix(last).split('.')[0] for name in shapes if name.startswith(last)}
    outputs = stages[-1].num_branches if len(rows) > 1 else 1
    return Body(tuple(stages), outputs, _shape(shapes, 'conv1.weight')[1])


def _stage(shapes: Mapping[str, tuple[int, ...]], name: str) -> StageSpec:
    modules, starts = 1, [f'{name}.']
    if name != 'layer1':
        modules = _count(shapes, f'{name}.')
        # of any module, and what comes from it in a fusion: so that a branch which is missing is found out
        pattern = re.compile(name + r'\.\d+\.(?:branches|fuse_layers\.\d+)\.(\d+)\.')
        last = max((int(found[1]) for found in map(pattern.match, shapes) if found), default=0)
        starts = [f'{name}.0.branches.{b}.' for b in range(last + 1)]
    block = 'BOTTLENECK' if f'{starts[0]}0.conv3.weight' in shapes else 'BASIC'
    return StageSpec(modules, block, tuple(_count(shapes, start) for start in starts),
                     tuple(_shape(shapes, f'{start}0.conv1.weight')[0] for start in starts))


def _count(shapes: Mapping[str, tuple[int, ...]], start: str) -> int:
    """How many numbers follow ``start``."""
    pattern = re.compile(re.escape(start) + r'(\d+)\.')
    return len({found[1] for found in map(pattern.match, shapes) if found})


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != 4:
        raise ValueError(f'lacks {name}, which every HRNet has')
    return shapes[name]
