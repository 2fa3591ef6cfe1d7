"""What the arguments of a backbone come to, and which of them contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

from hrnet_plugin.arch import Arch, StageSpec, arch_stages
from hrnet_plugin.checks import check_bool, check_choice, check_init_cfg
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.models.layers import FusionConfig
from hrnet_plugin.models.layers.fusion import FUSED_MODULES
from hrnet_plugin.models.layers.upsample import UpsampleCfg


def check_fusion(fusion: str, units: FusionConfig, stages: Sequence[StageSpec], multiscale_output: bool) -> None:
    """Raise ValueError unless which modules are fused, and how, is known and makes a difference."""
    check_choice('fusion', fusion, FUSED_MODULES)
    given = dict(fusion=(fusion, 'all'), fusion_operator=(units.operator, 'sum'),
                 downsample=(units.downsampling, 'strided'))
    if all(stage.num_branches == 1 for stage in stages):
        for name, (got, default) in given.items():
            if got != default:
                raise ValueError(f'{name} must be {default!r} with a single stream, which has nothing to fuse, '
                                 f'got {got!r}')
    if fusion == 'final' and not multiscale_output and units.downsampling != 'strided':
        raise ValueError("downsample must be 'strided' with fusion='final' and multiscale_output=False, where the only "
                         f'fusion unit gives the finest map and downsamples nothing, got {units.downsampling!r}')


def or_default(name: str, value: ConfigValue, default: bool) -> bool:
    """A checked flag, or its default where it is None."""
    return default if value is None else check_bool(name, value)


def resolve_arch(
    arch: Arch | None, extra: ConfigEntry | None, upsample: UpsampleCfg, multiscale_output: bool | None
) -> tuple[tuple[StageSpec, ...], ConfigValue, ConfigValue]:
    """The stages, and the two options that mmpose keeps inside ``extra``."""
    if arch is not None and extra is not None:
        raise ValueError(f'give arch or extra, and not both: got arch={arch!r} and extra={extra!r}')
    arch = extra if arch is None else arch
    if arch is None:
        raise ValueError('give arch or extra: got neither')
    stages = arch_stages(arch)
    if isinstance(arch, str):
        return stages, upsample, multiscale_output
    last = arch['stage4']
    inner = last.get('multiscale_output') if isinstance(last, Mapping) else None
    return (stages, _one_of('upsample', upsample, "extra['upsample']", arch.get('upsample')),
            _one_of('multiscale_output', multiscale_output, "extra['stage4']['multiscale_output']", inner))


def _one_of(name: str, value: ConfigValue, inner_name: str, inner: ConfigValue) -> ConfigValue:
    if value is not None and inner is not None and value != inner:
        raise ValueError(f'{name} and {inner_name} must agree where both are given, got {value!r} and {inner!r}')
    return inner if value is None else value


def resolve_init_cfg(init_cfg: InitCfg, pretrained: str | None,
                     default: Sequence[ConfigEntry]) -> dict[str, ConfigValue] | list[dict[str, ConfigValue]]:
    """How the weights are initialised, as a copy that may be edited."""
    if pretrained is not None:
        if init_cfg is not None:
            raise ValueError(f'give init_cfg or pretrained, and not both: got {init_cfg!r} and {pretrained!r}')
        if not isinstance(pretrained, str):
            raise TypeError(f'pretrained must be a path or URL, got {pretrained!r} ({type(pretrained).__name__})')
        return dict(type='Pretrained', checkpoint=pretrained)
    check_init_cfg(init_cfg)
    chosen = default if init_cfg is None else init_cfg
    # BaseModule edits what it is given
    return deepcopy(dict(chosen) if isinstance(chosen, Mapping) else [dict(cfg) for cfg in chosen])
