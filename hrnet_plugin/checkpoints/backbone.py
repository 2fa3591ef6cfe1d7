"""Backbone in a state dict: its prefix, tensors and architecture."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from hrnet_plugin.arch import ALL_ARCHS, StageSpec

# state dict, or a subset of one
StateDict = OrderedDict[str, Tensor]
# first components of the keys of an HRNet; no head of any family has one of them
_TOP_LEVEL_NAMES = ('conv1', 'bn1', 'gn1', 'in1', 'conv2', 'bn2', 'gn2', 'in2', 'layer1', 'transition1',
                    'transition2', 'transition3', 'stage2', 'stage3', 'stage4')
# key that every HRNet has, and no other module
_HRNET_KEY = 'stage4.0.branches.0.0.conv1.weight'


@dataclass(frozen=True)
class NetworkInfo:
    """Architecture of an HRNet, inferred from its tensors.

    Attributes:
        stages: Stages, as in :data:`~hrnet_plugin.arch.ALL_ARCHS`.
        out_indices: Branches with an output feature map: those to which the last module has fusion paths.
        in_channels: Channels of the input image.
    """

    stages: tuple[StageSpec, ...]
    out_indices: tuple[int, ...]
    in_channels: int

    @property
    def arch(self) -> str | None:
        """Name of the architecture, or None for a custom one."""
        return next((name for name, stages in ALL_ARCHS.items() if stages == self.stages), None)

    @property
    def selection(self) -> str:
        """Branches with an output, e.g. ' (branches 1, 3)'. Empty for all branches and for the finest one alone."""
        if len(self.out_indices) == self.stages[-1].num_branches or self.out_indices == (0, ):
            return ''
        return f' ({"branch" if len(self.out_indices) == 1 else "branches"} {", ".join(map(str, self.out_indices))})'

    @property
    def text(self) -> str:
        """Text for messages: e.g. 'HRNet-W32', or a description of a custom architecture."""
        if self.arch is not None:
            return 'HRNet-' + self.arch.replace('w18_small', 'W18-small').replace('_', '-').replace('w', 'W')
        widths, modules = self.stages[-1].num_channels, [stage.num_modules for stage in self.stages]
        blocks = [stage.num_blocks[0] for stage in self.stages]
        return f'an HRNet with widths {widths}, modules {modules} and blocks {blocks} per stage'


def find_backbones(names: Iterable[str]) -> list[str]:
    """Return the prefix of each HRNet in a state dict, such as '' or 'backbone.'."""
    return [name.removesuffix(_HRNET_KEY) for name in names if name.endswith(_HRNET_KEY)
            and (name == _HRNET_KEY or name.removesuffix(_HRNET_KEY).endswith('.'))]


def is_backbone_key(name: str) -> bool:
    """Return True if a key without prefix belongs to an HRNet."""
    return name.split('.')[0] in _TOP_LEVEL_NAMES


def split_prefix(tensors: Mapping[str, Tensor], prefix: str,
                 accept: Callable[[str], bool] = lambda name: True) -> tuple[StateDict, StateDict]:
    """Separate the tensors under a prefix from the others.

    Args:
        tensors: State dict.
        prefix: Prefix of keys, '' or ending in '.'.
        accept: Predicate that keys must satisfy after the prefix is removed.

    Returns:
        The accepted tensors with the prefix removed from their keys, and the other tensors.
    """
    inside, others = StateDict(), StateDict()
    for name, tensor in tensors.items():
        if name.startswith(prefix) and accept(name.removeprefix(prefix)):
            inside[name.removeprefix(prefix)] = tensor
        else:
            others[name] = tensor
    return inside, others


def split_backbone(tensors: Mapping[str, Tensor], prefix: str) -> tuple[StateDict, StateDict]:
    """Separate the tensors of the backbone from the others, as :func:`split_prefix` does.

    The prefix alone is not sufficient if it is '' or also the prefix of a neck.
    """
    return split_prefix(tensors, prefix, is_backbone_key)


def add_prefix(tensors: Mapping[str, Tensor], prefix: str) -> StateDict:
    """Return the tensors with a prefix added to their keys."""
    return StateDict((prefix + name, tensor) for name, tensor in tensors.items())


def describe(tensors: Mapping[str, Tensor], prefix: str = '') -> NetworkInfo:
    """Infer the architecture of an HRNet from its tensors.

    Args:
        tensors: State dict.
        prefix: Prefix of the network's keys.

    Raises:
        ValueError: If a tensor that every HRNet has is missing. The message names it.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in split_prefix(tensors, prefix)[0].items()}
    stages = [_stage(shapes, 'layer1'), *(_stage(shapes, f'stage{s}') for s in (2, 3, 4))]
    rows = {row for name in shapes if (row := _last_fusion_row(name, stages[-1])) is not None}
    # a single branch has no fusion paths
    outputs = tuple(sorted(rows)) if stages[-1].num_branches > 1 else (0, )
    return NetworkInfo(tuple(stages), outputs, _shape(shapes, 'conv1.weight')[1])


def find_unused_rows(own: Mapping[str, Tensor], names: Iterable[str]) -> set[str]:
    """Return the keys of fusion paths to outputs that the HRNets of a model lack.

    Args:
        own: State dict of the model.
        names: Keys of a checkpoint.
    """
    found, names = set(), list(names)
    for prefix in find_backbones(own):
        network = describe(own, prefix)
        for name in names:
            row = _last_fusion_row(name.removeprefix(prefix), network.stages[-1]) if name.startswith(prefix) else None
            if row is not None and row not in network.out_indices:
                found.add(name)
    return found


def _last_fusion_row(name: str, stage: StageSpec) -> int | None:
    """Return the branch to which a key of the last fusion of stage 4 belongs, or None for other keys."""
    found = re.match(rf'stage4\.{stage.num_modules - 1}\.fuse_layers\.(\d+)\.', name)
    return int(found[1]) if found and int(found[1]) < stage.num_branches else None


def _stage(shapes: Mapping[str, tuple[int, ...]], name: str) -> StageSpec:
    modules, starts = 1, [f'{name}.']
    if name != 'layer1':
        modules = _count(shapes, f'{name}.')
        # branches of all modules and fusions count, so that a missing branch is detected
        pattern = re.compile(name + r'\.\d+\.(?:branches|fuse_layers\.\d+)\.(\d+)\.')
        last = max((int(found[1]) for found in map(pattern.match, shapes) if found), default=0)
        starts = [f'{name}.0.branches.{b}.' for b in range(last + 1)]
    block = 'BOTTLENECK' if f'{starts[0]}0.conv3.weight' in shapes else 'BASIC'
    return StageSpec(modules, block, tuple(_count(shapes, start) for start in starts),
                     tuple(_shape(shapes, f'{start}0.conv1.weight')[0] for start in starts))


def _count(shapes: Mapping[str, tuple[int, ...]], start: str) -> int:
    """Count the different numbers that follow ``start``."""
    pattern = re.compile(re.escape(start) + r'(\d+)\.')
    return len({found[1] for found in map(pattern.match, shapes) if found})


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != 4:
        raise ValueError(f'lacks {name}, which every HRNet has')
    return shapes[name]
