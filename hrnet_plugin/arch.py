"""The table of HRNets: a row per named network, each a tuple of four stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnet_plugin.checks import MOST_CHANNELS, check_choice, check_int, check_ints
from hrnet_plugin.config_types import ConfigEntry, ConfigValue

Arch = str | ConfigEntry

# channels out of a residual block, in multiples of its width
EXPANSIONS = {'BASIC': 1, 'BOTTLENECK': 4}

# Keys of upstream and official configs that describe something else than the stages.
_OTHER_KEYS = ('upsample', 'final_conv_kernel', 'pretrained_layers')
# far beyond any network, and few enough that a mistyped number is an error and no endless loop
_MOST_REPEATS = 100
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
    def num_branches(self) -> int:
        """Number of resolutions."""
        return len(self.num_channels)

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each branch's output, finest first."""
        return tuple(width * EXPANSIONS[self.block] for width in self.num_channels)

    @property
    def cfg(self) -> dict[str, ConfigValue]:
        """The stage in the ``extra`` schema of mmdet, mmpose and mmsegmentation."""
        return dict(num_modules=self.num_modules, num_branches=self.num_branches, block=self.block,
                    num_blocks=self.num_blocks, num_channels=self.num_channels)


def _doubling(width: int) -> tuple[tuple[int, ...], ...]:
    """Widths of the branches of the later stages: each opens a stream of twice the width."""
    return tuple(tuple(width * 2**branch for branch in range(streams)) for streams in (2, 3, 4))


def _stages(widths: Sequence[tuple[int, ...]], modules: Sequence[int] = (1, 4, 3), blocks: int = 4,
            stem_blocks: int = 4, stem_width: int = 64) -> tuple[StageSpec, ...]:
    """The first stage, and three of basic blocks with branches of these widths."""
    high_resolution = StageSpec(1, 'BOTTLENECK', (stem_blocks, ), (stem_width, ))
    return (high_resolution, *(StageSpec(number, 'BASIC', (blocks, ) * len(branches), branches)
                               for number, branches in zip(modules, widths)))


# arXiv 1908.07919, section 3 and table 14; the two small ones come from the official classification code.
ARCHS: dict[str, tuple[StageSpec, ...]] = {
    'w18_small_v1': _stages(_doubling(16), (1, 1, 1), blocks=2, stem_blocks=1, stem_width=32),
    'w18_small_v2': _stages(_doubling(18), (1, 3, 2), blocks=2, stem_blocks=2),
    **{f'w{width}': _stages(_doubling(width)) for width in (18, 30, 32, 40, 44, 48, 64)},
}

# Section 7, 'resolution maintenance': all streams from the second stage on, 32 blocks in each, and only the finest one.
# The paper gives no widths. Four equally deep streams whose widths double have more than half as many weights again as
# the default for the same operations; so these grow by less, such that both are the default's within 3 per cent: W32
# with one output at 256 x 192 (pose), W48 with all at 1024 x 2048 (segmentation). A single stream of the default's
# operations has about a twelfth of its weights.
ABLATION_ARCHS: dict[str, tuple[StageSpec, ...]] = {
    'w32_equal_depth': _stages(((32, 55, 95, 161), ) * 3),
    'w48_equal_depth': _stages(((52, 87, 147, 247), ) * 3),
    'w32_single_stream': _stages(((60, ), ) * 3),
    'w48_single_stream': _stages(((92, ), ) * 3),
}
NAMED = {**ARCHS, **ABLATION_ARCHS}


def arch_stages(arch: Arch) -> tuple[StageSpec, ...]:
    """The four stages of a named network, or of a mapping in the ``extra`` schema of mmdet, mmpose and mmsegmentation.

    In a mapping, the second to fourth stage may have any number of branches up to four that does not fall: the first of
    them opens all streams at once if it has four, and with one branch in each there is a single stream.

    Raises:
        TypeError: If ``arch`` is neither a name nor a mapping, or an entry has the wrong type.
        ValueError: If the name is unknown, or the mapping lacks a key, has an unknown one, or contradicts itself.
    """
    if isinstance(arch, str):
        check_choice('arch', arch, NAMED)
        return NAMED[arch]
    if not isinstance(arch, Mapping):
        raise TypeError(f'arch must be a name or a mapping with stage1 to stage4, got {arch!r} ({type(arch).__name__})')
    stage_names = tuple(f'stage{s}' for s in range(1, 5))
    missing = [name for name in stage_names if name not in arch]
    if missing:
        raise ValueError(f'arch must describe stage1, stage2, stage3 and stage4; missing: {", ".join(missing)}')
    for key in arch:
        check_choice('each key of arch', key, (*stage_names, *_OTHER_KEYS))
    stages: list[StageSpec] = []
    for name in stage_names:
        fewest, most = (stages[-1].num_branches, 4) if stages else (1, 1)
        stages.append(_parse_stage(f'arch[{name!r}]', arch[name], fewest, most, name == stage_names[-1]))
    return tuple(stages)


def arch_channels(arch: Arch) -> tuple[int, ...]:
    """Channels of the output maps, finest first: what a neck calls ``in_channels``."""
    return arch_stages(arch)[-1].out_channels


def _parse_stage(name: str, stage: ConfigValue, fewest: int, most: int, is_last: bool) -> StageSpec:
    """A stage of ``fewest`` to ``most`` branches: a stream that is there stays."""
    if not isinstance(stage, Mapping):
        raise TypeError(f'{name} must be a mapping, got {stage!r} ({type(stage).__name__})')
    # only the last stage may leave maps out
    known = (*_STAGE_KEYS, 'fuse_method', *(('multiscale_output', ) if is_last else ()))
    for key in stage:
        check_choice(f'each key of {name}', key, known)
    for key in _STAGE_KEYS:
        if key not in stage:
            raise ValueError(f'{name} must have the key {key!r}, got {sorted(stage)}')
    branches = check_int(f"{name}['num_branches']", stage['num_branches'], fewest, most)
    modules = check_int(f"{name}['num_modules']", stage['num_modules'], 1, _MOST_REPEATS)
    block = check_choice(f"{name}['block']", stage['block'], EXPANSIONS)
    check_choice(f"{name}['fuse_method']", stage.get('fuse_method', 'SUM'), ('SUM', 'sum'))
    return StageSpec(modules, block,
                     check_ints(f"{name}['num_blocks']", stage['num_blocks'], branches, most=_MOST_REPEATS),
                     check_ints(f"{name}['num_channels']", stage['num_channels'], branches, most=MOST_CHANNELS))
