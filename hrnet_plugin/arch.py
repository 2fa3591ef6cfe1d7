"""Table of the named HRNets, each a tuple of four stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnet_plugin.checks import MAX_CHANNELS, check_choice, check_int, check_ints
from hrnet_plugin.config_types import ConfigEntry, ConfigValue

Arch = str | ConfigEntry

# output channels of a residual block / its width
EXPANSIONS = {'BASIC': 1, 'BOTTLENECK': 4}

# keys of upstream and official configs that do not describe stages
_OTHER_KEYS = ('upsample', 'final_conv_kernel', 'pretrained_layers')
# far above any real network, but low enough that a typo raises an error instead of building for hours
_MOST_REPEATS = 100
_STAGE_KEYS = ('num_modules', 'num_branches', 'block', 'num_blocks', 'num_channels')


@dataclass(frozen=True)
class StageSpec:
    """Stage of ``num_modules`` modules, each with parallel branches of residual blocks and a fusion.

    Args:
        num_modules: Number of consecutive modules.
        block: 'BASIC' (two 3x3 convs) or 'BOTTLENECK' (1x1, 3x3 and 1x1 convs, expansion 4).
        num_blocks: Number of residual blocks per branch, finest first.
        num_channels: Block width per branch, finest first.
    """
    num_modules: int
    block: str
    num_blocks: tuple[int, ...]
    num_channels: tuple[int, ...]

    @property
    def num_branches(self) -> int:
        """Number of branches."""
        return len(self.num_channels)

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Output channels per branch, finest first."""
        return tuple(width * EXPANSIONS[self.block] for width in self.num_channels)

    @property
    def cfg(self) -> dict[str, ConfigValue]:
        """Entry of the stage in ``extra`` of mmdet, mmpose and mmsegmentation."""
        return dict(num_modules=self.num_modules, num_branches=self.num_branches, block=self.block,
                    num_blocks=self.num_blocks, num_channels=self.num_channels)


def _doubling(width: int) -> tuple[tuple[int, ...], ...]:
    """Return branch widths for stages 2 to 4, which add a branch of twice the width each."""
    return tuple(tuple(width * 2**branch for branch in range(branches)) for branches in (2, 3, 4))


def _stages(widths: Sequence[tuple[int, ...]], modules: Sequence[int] = (1, 4, 3), blocks: int = 4,
            stem_blocks: int = 4, stem_width: int = 64) -> tuple[StageSpec, ...]:
    """Return stage 1 (bottlenecks) and stages 2 to 4 (basic blocks) with the given branch widths."""
    high_resolution = StageSpec(1, 'BOTTLENECK', (stem_blocks, ), (stem_width, ))
    return (high_resolution, *(StageSpec(number, 'BASIC', (blocks, ) * len(branches), branches)
                               for number, branches in zip(modules, widths)))


# arXiv 1908.07919, section 3 and table 14; the two small ones come from the official classification code.
ARCHS: dict[str, tuple[StageSpec, ...]] = {
    'w18_small_v1': _stages(_doubling(16), (1, 1, 1), blocks=2, stem_blocks=1, stem_width=32),
    'w18_small_v2': _stages(_doubling(18), (1, 3, 2), blocks=2, stem_blocks=2),
    **{f'w{width}': _stages(_doubling(width)) for width in (18, 30, 32, 40, 44, 48, 64)},
}

# Section 7, 'resolution maintenance': all streams from stage 2 on with 32 blocks each, and the finest stream alone.
# The paper gives no widths. If the widths of four equally deep streams double, the network has over 50 percent more
# parameters than the default for the same FLOPs. So these widths grow by less: parameters and FLOPs match the default
# within 3 percent, for W32 with one output at 256 x 192 (pose) and W48 with all outputs at 1024 x 2048
# (segmentation). A single stream with the default's FLOPs has about a twelfth of its parameters.
ABLATION_ARCHS: dict[str, tuple[StageSpec, ...]] = {
    'w32_equal_depth': _stages(((32, 55, 95, 161), ) * 3),
    'w48_equal_depth': _stages(((52, 87, 147, 247), ) * 3),
    'w32_single_stream': _stages(((60, ), ) * 3),
    'w48_single_stream': _stages(((92, ), ) * 3),
}
ALL_ARCHS = {**ARCHS, **ABLATION_ARCHS}


def arch_stages(arch: Arch, name: str = 'arch') -> tuple[StageSpec, ...]:
    """Return the four stages of an architecture.

    In a mapping, stages 2 to 4 may have one to four branches each, but not fewer than the stage before.

    Args:
        arch: Name of a network, or a mapping as ``extra`` of mmdet, mmpose and mmsegmentation.
        name: Name of the argument in error messages. Default: 'arch'.

    Raises:
        TypeError: If ``arch`` is neither a name nor a mapping, or an entry has the wrong type.
        ValueError: If the name is unknown, or a key of the mapping is missing, unknown or inconsistent with another.
    """
    if isinstance(arch, str):
        check_choice(name, arch, ALL_ARCHS)
        return ALL_ARCHS[arch]
    if not isinstance(arch, Mapping):
        raise TypeError(f'{name} must be a name or a mapping with stage1 to stage4, got {arch!r:.200} '
                        f'({type(arch).__name__})')
    stage_names = tuple(f'stage{s}' for s in range(1, 5))
    missing = [stage for stage in stage_names if stage not in arch]
    if missing:
        raise ValueError(f'{name} must describe stage1, stage2, stage3 and stage4; missing: {", ".join(missing)}')
    for key in arch:
        check_choice(f'each key of {name}', key, (*stage_names, *_OTHER_KEYS))
    stages: list[StageSpec] = []
    for stage in stage_names:
        least, most = (stages[-1].num_branches, 4) if stages else (1, 1)
        stages.append(_parse_stage(f'{name}[{stage!r}]', arch[stage], least, most, stage == stage_names[-1]))
    return tuple(stages)


def arch_channels(arch: Arch) -> tuple[int, ...]:
    """Return the channels of the output feature maps, finest first, e.g. for ``in_channels`` of a neck."""
    return arch_stages(arch)[-1].out_channels


def _parse_stage(name: str, stage: ConfigValue, least: int, most: int, is_last: bool) -> StageSpec:
    """Parse a stage, which must have ``least`` to ``most`` branches."""
    if not isinstance(stage, Mapping):
        raise TypeError(f'{name} must be a mapping, got {stage!r} ({type(stage).__name__})')
    # only the last stage may return the finest branch alone
    known = (*_STAGE_KEYS, 'fuse_method', *(('multiscale_output', ) if is_last else ()))
    for key in stage:
        check_choice(f'each key of {name}', key, known)
    for key in _STAGE_KEYS:
        if key not in stage:
            raise ValueError(f'{name} must have the key {key!r}, got {sorted(stage)}')
    branches = check_int(f"{name}['num_branches']", stage['num_branches'], least, most)
    modules = check_int(f"{name}['num_modules']", stage['num_modules'], 1, _MOST_REPEATS)
    block = check_choice(f"{name}['block']", stage['block'], EXPANSIONS)
    check_choice(f"{name}['fuse_method']", stage.get('fuse_method', 'SUM'), ('SUM', 'sum'))
    return StageSpec(modules, block,
                     check_ints(f"{name}['num_blocks']", stage['num_blocks'], branches, most=_MOST_REPEATS),
                     check_ints(f"{name}['num_channels']", stage['num_channels'], branches, most=MAX_CHANNELS))
