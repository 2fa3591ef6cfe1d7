"""The backbone (the body) of a state dict: its prefix, its tensors and its architecture."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from hrnet_plugin.arch import NAMED, StageSpec

# a state dict, or a part of one
StateDict = OrderedDict[str, Tensor]
# first words of an HRNet's keys; no head of any family starts with one
ROOTS = ('conv1', 'bn1', 'gn1', 'in1', 'conv2', 'bn2', 'gn2', 'in2', 'layer1', 'transition1', 'transition2',
         'transition3', 'stage2', 'stage3', 'stage4')
# a key of every HRNet, and of no other module
_LANDMARK = 'stage4.0.branches.0.0.conv1.weight'


@dataclass(frozen=True)
class NetworkInfo:
    """Architecture of an HRNet, read from its tensors.

    Attributes:
        stages: Stages, as in :data:`~hrnet_plugin.arch.NAMED`.
        outputs: Number of output feature maps: one per branch, or one if the last module has no fusion for the others.
        in_channels: Channels of the input image.
    """

    stages: tuple[StageSpec, ...]
    outputs: int
    in_channels: int

    @property
    def arch(self) -> str | None:
        """Name of the architecture, or None if it has none."""
        return next((name for name, stages in NAMED.items() if stages == self.stages), None)

    @property
    def text(self) -> str:
        """Text for messages: 'HRNet-W32', or a description."""
        if self.arch is not None:
            return 'HRNet-' + self.arch.replace('w18_small', 'W18-small').replace('_', '-').replace('w', 'W')
        widths, modules = self.stages[-1].num_channels, [stage.num_modules for stage in self.stages]
        blocks = [stage.num_blocks[0] for stage in self.stages]
        return f'an HRNet of widths {widths}, modules {modules} and blocks {blocks} a stage'


def find_bodies(names: Iterable[str]) -> list[str]:
    """Return the prefix of each HRNet in a state dict, such as '' or 'backbone.'."""
    return [name.removesuffix(_LANDMARK) for name in names if name.endswith(_LANDMARK)
            and (name == _LANDMARK or name.removesuffix(_LANDMARK).endswith('.'))]


def is_body(name: str) -> bool:
    """Return True if a key without its prefix is one of an HRNet."""
    return name.split('.')[0] in ROOTS


def split_prefix(tensors: Mapping[str, Tensor], prefix: str,
                 accept: Callable[[str], bool] = lambda name: True) -> tuple[StateDict, StateDict]:
    """Separate the tensors under a prefix from the others.

    Args:
        tensors: State dict.
        prefix: Prefix of keys, '' or ending in '.'.
        accept: Predicate that keys without the prefix must satisfy.

    Returns:
        The tensors under the prefix, with keys without it, and the other tensors.
    """
    inside, others = StateDict(), StateDict()
    for name, tensor in tensors.items():
        if name.startswith(prefix) and accept(name.removeprefix(prefix)):
            inside[name.removeprefix(prefix)] = tensor
        else:
            others[name] = tensor
    return inside, others


def split_body(tensors: Mapping[str, Tensor], prefix: str) -> tuple[StateDict, StateDict]:
    """Separate the tensors of the backbone from the others, as :func:`split_prefix` does.

    The prefix is not enough where it is '', or where necks have keys under it.
    """
    return split_prefix(tensors, prefix, is_body)


def add_prefix(tensors: Mapping[str, Tensor], prefix: str) -> StateDict:
    """Return the tensors with a prefix before their keys."""
    return StateDict((prefix + name, tensor) for name, tensor in tensors.items())


def describe(tensors: Mapping[str, Tensor], prefix: str = '') -> NetworkInfo:
    """Read the architecture of an HRNet from its tensors.

    Args:
        tensors: State dict.
        prefix: Prefix of the network's keys.

    Raises:
        ValueError: If a tensor of every HRNet is missing. The message names it.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in split_prefix(tensors, prefix)[0].items()}
    stages = [_stage(shapes, 'layer1'), *(_stage(shapes, f'stage{s}') for s in (2, 3, 4))]
    last = f'stage4.{stages[-1].num_modules - 1}.fuse_layers.'
    rows = {name.removeprefix(last).split('.')[0] for name in shapes if name.startswith(last)}
    outputs = stages[-1].num_branches if len(rows) > 1 else 1
    return NetworkInfo(tuple(stages), outputs, _shape(shapes, 'conv1.weight')[1])


def _stage(shapes: Mapping[str, tuple[int, ...]], name: str) -> StageSpec:
    modules, starts = 1, [f'{name}.']
    if name != 'layer1':
        modules = _count(shapes, f'{name}.')
        # from all modules and their fusions, so that a missing branch is detected
        pattern = re.compile(name + r'\.\d+\.(?:branches|fuse_layers\.\d+)\.(\d+)\.')
        last = max((int(found[1]) for found in map(pattern.match, shapes) if found), default=0)
        starts = [f'{name}.0.branches.{b}.' for b in range(last + 1)]
    block = 'BOTTLENECK' if f'{starts[0]}0.conv3.weight' in shapes else 'BASIC'
    return StageSpec(modules, block, tuple(_count(shapes, start) for start in starts),
                     tuple(_shape(shapes, f'{start}0.conv1.weight')[0] for start in starts))


def _count(shapes: Mapping[str, tuple[int, ...]], start: str) -> int:
    """Return how many different numbers follow ``start``."""
    pattern = re.compile(re.escape(start) + r'(\d+)\.')
    return len({found[1] for found in map(pattern.match, shapes) if found})


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != 4:
        raise ValueError(f'lacks {name}, which every HRNet has')
    return shapes[name]
