"""The table of HRNets: a row per named network, each a tuple of four stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from hrnet_plugin.checks import check_choice, check_int, check_ints
from hrnet_plugin.models.layers.blocks import BLOCKS

Arch = Union[str, Mapping[str, Any]]

# Keys of upstream and official configs that describe something else than the stages.
_OTHER_KEYS = ('upsample', 'final_conv_kernel', 'pretrained_layers')
_STAGE_KEYS = ('num_modules', 'num_branches', 'block', 'num_blocks', 'num_channels')


@dataclass(frozen=True)
class StageSpec:
    """One stage: ``num_modules`` times [parallel branches of residual blocks, then fusion].

    Args:
        num_modules: Number of modules in a row.
        block: 'BASIC' (two 3x3 convs) or 'BOTTLENECK' (1x1, 3x3, 1x1 with four times the channels out).
        num_blocks: Residual blocks of each branch, finest first.
        num_channels: Width of each branch's blocks, finest first.
    """
    num_modules: int
    block: str
    num_blocks: tuple[int, ...]
    num_channels: tuple[int, ...]

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each branch's output, finest first."""
        return tuple(width * BLOCKS[self.block].expansion for width in self.num_channels)


def _stages(width: int, modules: tuple[int, int, int], blocks: int, stem_blocks: int,
            stem_width: int = 64) -> tuple[StageSpec, ...]:
    widths = tuple(width * 2**branch for branch in range(4))
    high_resolution = StageSpec(1, 'BOTTLENECK', (stem_blocks, ), (stem_width, ))
    return (high_resolution, *(StageSpec(modules[s - 2], 'BASIC', (blocks, ) * s, widths[:s]) for s in (2, 3, 4)))


# arXiv 1908.07919, section 3 and table 14; the two small ones come from the official classification code.
ARCHS: dict[str, tuple[StageSpec, ...]] = {
    'w18_small_v1': _stages(16, (1, 1, 1), blocks=2, stem_blocks=1, stem_width=32),
    'w18_small_v2': _stages(18, (1, 3, 2), blocks=2, stem_blocks=2),
    **{f'w{width}': _stages(width, (1, 4, 3), blocks=4, stem_blocks=4) for width in (18, 30, 32, 40, 44, 48, 64)},
}


def arch_stages(arch: Arch) -> tuple[StageSpec, ...]:
    """The four stages of a named network, or of a mapping in the ``extra`` schema of mmdet, mmpose and mmsegmentation.

    Raises:
        TypeError: If ``arch`` is neither a name nor a mapping, or an entry has the wrong type.
        ValueError: If the name is unknown, or the mapping lacks a key, has an unknown one, or contradicts itself.
    """
    if isinstance(arch, str):
        check_choice('arch', arch, ARCHS)
        return ARCHS[arch]
    if not isinstance(arch, Mapping):
        raise TypeError(f'arch must be a name or a mapping with stage1 to stage4, got {arch!r} ({type(arch).__name__})')
    stage_names = tuple(f'stage{s}' for s in range(1, 5))
    missing = [name for name in stage_names if name not in arch]
    if missing:
        raise ValueError(f'arch must describe stage1, stage2, stage3 and stage4; missing: {", ".join(missing)}')
    for key in arch:
        check_choice('each key of arch', key, (*stage_names, *_OTHER_KEYS))
    return tuple(_parse_stage(f'arch[{name!r}]', arch[name], s) for s, name in enumerate(stage_names, 1))


def arch_channels(arch: Arch) -> tuple[int, ...]:
    """Channels of the four output maps, finest first: what a neck calls ``in_channels``."""
    return arch_stages(arch)[-1].out_channels


def _parse_stage(name: str, stage: Any, branches: int) -> StageSpec:
    if not isinstance(stage, Mapping):
        raise TypeError(f'{name} must be a mapping, got {stage!r} ({type(stage).__name__})')
    # only the last stage may leave maps out
    known = (*_STAGE_KEYS, 'fuse_method', *(('multiscale_output', ) if branches == 4 else ()))
    for key in stage:
        check_choice(f'each key of {name}', key, known)
    for key in _STAGE_KEYS:
        if key not in stage:
            raise ValueError(f'{name} must have the key {key!r}, got {sorted(stage)}')
    if stage['num_branches'] != branches:
        raise ValueError(f"{name}['num_branches'] must be {branches} (stage s has s branches), "
                         f"got {stage['num_branches']!r}")
    check_int(f"{name}['num_modules']", stage['num_modules'], 1)
    check_choice(f"{name}['block']", stage['block'], BLOCKS)
    check_choice(f"{name}['fuse_method']", stage.get('fuse_method', 'SUM'), ('SUM', 'sum'))
    return StageSpec(stage['num_modules'], stage['block'],
                     check_ints(f"{name}['num_blocks']", stage['num_blocks'], branches),
                     check_ints(f"{name}['num_channels']", stage['num_channels'], branches))
