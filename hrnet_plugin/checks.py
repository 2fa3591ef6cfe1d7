"""Checks of arguments. Their errors name the argument, the expected and the actual value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import TypeVar

from torch import Tensor

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.suggest import did_you_mean
from hrnet_plugin.tracing import is_tracing

_Choice = TypeVar('_Choice')

MAX_CHANNELS = 1 << 20  # per layer; larger values fail inside torch, in errors that name no argument


def check_choice(name: str, value: ConfigValue, choices: Iterable[_Choice]) -> _Choice:
    """Return ``value``, or raise ValueError unless it is one of ``choices``."""
    choices = tuple(choices)
    if value not in choices:
        hint = did_you_mean(value, map(str, choices)) if isinstance(value, str) else ''
        raise ValueError(f'{name} must be one of {", ".join(map(repr, choices))}, got {value!r}{hint and "." + hint}')
    return choices[choices.index(value)]


def check_int(name: str, value: ConfigValue, least: int, most: int | None = None) -> int:
    """Return ``value``. Raise TypeError unless it is an int, ValueError unless it is in ``[least, most]``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'{name} must be an int, got {value!r} ({type(value).__name__})')
    if value < least or (most is not None and value > most):
        expected = f'at least {least}' if most is None else f'between {least} and {most}'
        raise ValueError(f'{name} must be {expected}, got {value}')
    return value


def check_bool(name: str, value: ConfigValue) -> bool:
    """Return ``value``, or raise TypeError unless it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f'{name} must be True or False, got {value!r} ({type(value).__name__})')
    return value


def check_ints(name: str, value: ConfigValue, length: int | None = None, least: int = 1, most: int | None = None,
               ) -> tuple[int, ...]:
    """Return a sequence of ints in ``[least, most]`` as a tuple. Raise TypeError or ValueError for other values."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(f'{name} must be a sequence of ints, got {value!r} ({type(value).__name__})')
    if length is not None and len(value) != length:
        raise ValueError(f'{name} must have {length} entries, got {len(value)}: {value!r}')
    return tuple(check_int(f'each entry of {name}', entry, least, most) for entry in value)


def check_no_others(part: str, kind: str, others: ConfigEntry, example: str, owner: type | None = None) -> None:
    """Raise TypeError if a module got arguments that its type does not have.

    mmengine merges a config entry into the inherited one. The inherited arguments remain even if the type changes.

    Args:
        part: Key of the module in ``model``, e.g. 'backbone'.
        kind: Type of the module, e.g. 'hrnet_plugin.HRNet'.
        others: Unexpected arguments.
        example: Argument that the type requires, for the error message.
        owner: Class whose argument names are suggested for misspelled ones.
    """
    known = signature(owner).parameters if others and owner else ()
    if len(others) == 1 and (hint := did_you_mean(next(iter(others)), known)):
        raise TypeError(f'{part} must have arguments of {kind} only, got {", ".join(others)}.{hint}')
    if others:
        raise TypeError(f'{part} must have arguments of {kind} only, got {", ".join(others)}. If they come from an '
                        f"inherited config, replace its {part}: {part}=dict(_delete_=True, type='{kind}', {example})")


def check_layer_cfg(name: str, value: ConfigValue, optional: bool) -> None:
    """Raise TypeError unless ``value`` is a mapping with the key 'type', or None if ``optional``."""
    if optional and value is None:
        return
    if not isinstance(value, Mapping) or 'type' not in value:
        raise TypeError(f"{name} must be a mapping with the key 'type'{' or None' if optional else ''}, got {value!r}")


def check_init_cfg(value: ConfigValue) -> None:
    """Raise TypeError unless ``value`` is a valid init_cfg: None, a mapping, or a sequence of mappings."""
    entries = value if isinstance(value, Sequence) and not isinstance(value, str) else (value, )
    if value is not None and not all(isinstance(entry, Mapping) for entry in entries):
        raise TypeError(f'init_cfg must be a mapping, a list of mappings or None, got {value!r}')


def check_feature_maps(name: str, maps: Sequence[Tensor], channels: Sequence[int]) -> None:
    """Raise unless ``maps`` has one feature map (N, C, H, W) per entry C of ``channels``. No effect under tracers."""
    if is_tracing():
        return
    if isinstance(maps, Tensor) or not isinstance(maps, Sequence):
        raise TypeError(f'{name} must be a sequence of {len(channels)} feature maps, finest first, got '
                        f'{type(maps).__name__}')
    if len(maps) != len(channels):
        raise ValueError(f'{name} must have {len(channels)} feature maps (channels {tuple(channels)}), got {len(maps)}')
    for index, (feature, expected) in enumerate(zip(maps, channels)):
        check_feature_map(f'{name}[{index}]', feature, expected)


def check_feature_map(name: str, feature: Tensor, channels: int) -> None:
    """Raise unless ``feature`` is a tensor of shape (N, channels, H, W). No effect under tracers."""
    if is_tracing():
        return
    if not isinstance(feature, Tensor):
        raise TypeError(f'{name} must be a tensor, got {type(feature).__name__}')
    if feature.dim() != 4 or feature.size(1) != channels:
        raise ValueError(f'{name} must have shape (N, {channels}, H, W), got {tuple(feature.shape)}')
