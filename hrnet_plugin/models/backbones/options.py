"""Resolution of HRNet arguments to their final values, and checks for contradictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

from hrnet_plugin.arch import Arch, StageSpec, arch_stages
from hrnet_plugin.checks import check_bool, check_choice, check_init_cfg, check_ints
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.models.layers import FusionConfig
from hrnet_plugin.models.layers.fusion import FUSED_MODULES
from hrnet_plugin.models.layers.upsample import UpsampleCfg


def check_fusion(fusion: str, units: FusionConfig, stages: Sequence[StageSpec],
                 has_coarser_output: bool) -> None:
    """Raise ValueError if a fusion option is unknown or has no effect on the given stages and outputs."""
    check_choice('fusion', fusion, FUSED_MODULES)
    given = dict(fusion=(fusion, 'all'), fusion_operator=(units.operator, 'sum'),
                 downsample=(units.downsampling, 'strided'))
    if all(stage.num_branches == 1 for stage in stages):
        for name, (got, default) in given.items():
            if got != default:
                raise ValueError(f'{name} must be {default!r} with a single stream, where no fusion takes place, '
                                 f'got {got!r}')
    if fusion == 'final' and not has_coarser_output and units.downsampling != 'strided':
        raise ValueError("downsample must be 'strided' with fusion='final' and only the finest feature map, where the "
                         f'only fusion unit does no downsampling, got {units.downsampling!r}')


def flag_or_default(name: str, value: ConfigValue, default: bool) -> bool:
    """Return a bool argument after a type check, or its default if it is None."""
    return default if value is None else check_bool(name, value)


def resolve_out_indices(out_indices: ConfigValue, multiscale_output: ConfigValue, default: bool,
                        num_branches: int) -> tuple[int, ...]:
    """Return the indices of the output feature maps.

    Args:
        out_indices: Argument of the backbone, or None for those that ``multiscale_output`` selects.
        multiscale_output: Argument of the backbone, or None for ``default``.
        default: ``multiscale_output`` of the host.
        num_branches: Number of branches of stage 4.

    Raises:
        TypeError, ValueError: If an argument is invalid, or if they select different feature maps.
    """
    multiscale = flag_or_default('multiscale_output', multiscale_output, default)
    selected = tuple(range(num_branches)) if multiscale else (0, )
    if out_indices is None:
        return selected
    indices = check_ints('out_indices', out_indices, least=0, most=num_branches - 1)
    if not indices:
        raise ValueError('out_indices must have at least one entry, got none')
    ascending = tuple(sorted(set(indices)))
    if indices != ascending:
        raise ValueError('out_indices must be in ascending order without duplicates, got '
                         f'{indices}. Set out_indices={ascending}')
    if multiscale_output is not None and indices != selected:
        raise ValueError(f'out_indices must be {selected} with multiscale_output={multiscale_output}, got {indices}. '
                         'Set one of them, not both.')
    return indices


def resolve_arch(
    arch: Arch | None, extra: ConfigEntry | None, upsample: UpsampleCfg, multiscale_output: bool | None,
    out_indices: ConfigValue = None
) -> tuple[tuple[StageSpec, ...], ConfigValue, ConfigValue]:
    """Return the stages, ``upsample`` and ``multiscale_output``. mmpose configs set the latter two in ``extra``."""
    if arch is not None and extra is not None:
        raise ValueError(f'arch and extra must not be given together, got arch={arch!r} and extra={extra!r}')
    arch, name = (extra, 'extra') if arch is None else (arch, 'arch')
    if arch is None:
        raise ValueError('arch or extra must be given, got neither')
    stages = arch_stages(arch, name)
    if isinstance(arch, str):
        return stages, upsample, multiscale_output
    last = arch['stage4']
    # explicit out_indices replace those of extra
    inner = last.get('multiscale_output') if isinstance(last, Mapping) and out_indices is None else None
    return (stages, _one_of('upsample', upsample, "extra['upsample']", arch.get('upsample')),
            _one_of('multiscale_output', multiscale_output, "extra['stage4']['multiscale_output']", inner))


def _one_of(name: str, value: ConfigValue, inner_name: str, inner: ConfigValue) -> ConfigValue:
    if value is not None and inner is not None and value != inner:
        raise ValueError(f'{name} and {inner_name} must agree where both are given, got {value!r} and {inner!r}')
    return inner if value is None else value


def resolve_init_cfg(init_cfg: InitCfg, pretrained: str | None,
                     default: Sequence[ConfigEntry]) -> dict[str, ConfigValue] | list[dict[str, ConfigValue]]:
    """Return a copy of the effective ``init_cfg``."""
    if pretrained is not None:
        if init_cfg is not None:
            raise ValueError('init_cfg and pretrained must not be given together, got '
                             f'{init_cfg!r} and {pretrained!r}')
        if not isinstance(pretrained, str):
            raise TypeError(f'pretrained must be a path or URL, got {pretrained!r} ({type(pretrained).__name__})')
        return dict(type='Pretrained', checkpoint=pretrained)
    check_init_cfg(init_cfg)
    chosen = default if init_cfg is None else init_cfg
    # BaseModule modifies its init_cfg
    return deepcopy(dict(chosen) if isinstance(chosen, Mapping) else [dict(cfg) for cfg in chosen])
