"""Checks of arguments. Their errors name the argument, the expected and the actual value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import TypeVar

from mmengine.registry import MODELS, WEIGHT_INITIALIZERS, Registry
from torch import Tensor

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.suggest import did_you_mean
from hrnet_plugin.tracing import is_tracing

_Choice = TypeVar('_Choice')

MAX_CHANNELS = 1 << 20  # per layer; larger values fail inside torch, in errors that name no argument


def check_choice(name: str, value: ConfigValue, choices: Iterable[_Choice]) -> _Choice:
    """Return ``value``, or raise ValueError unless it is one of ``choices``."""
    choices = tuple(choices)
    # 1 == True, and 1 == 1.0
    equal = [choice for choice in choices if type(choice) is type(value) or isinstance(value, str)]
    if value not in equal:
        hint = did_you_mean(value, map(str, choices)) if isinstance(value, str) else ''
        raise ValueError(f'{name} must be one of {", ".join(map(repr, choices))}, got {value!r:.200}'
                         f'{hint and "." + hint}')
    return equal[equal.index(value)]


def check_int(name: str, value: ConfigValue, least: int, most: int | None = None) -> int:
    """Return ``value``. Raise TypeError unless it is an int, ValueError unless it is in ``[least, most]``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'{name} must be an int, got {value!r:.200} ({type(value).__name__})')
    if value < least or (most is not None and value > most):
        expected = f'at least {least}' if most is None else f'between {least} and {most}'
        raise ValueError(f'{name} must be {expected}, got {value}')
    return value


def check_bool(name: str, value: ConfigValue) -> bool:
    """Return ``value``, or raise TypeError unless it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f'{name} must be True or False, got {value!r:.200} ({type(value).__name__})')
    return value


def check_text(name: str, value: ConfigValue) -> str:
    """Return ``value``, or raise TypeError unless it is a string."""
    if not isinstance(value, str):
        raise TypeError(f'{name} must be a string, got {value!r:.200} ({type(value).__name__})')
    return value


def check_mapping(name: str, value: ConfigValue) -> None:
    """Raise TypeError unless ``value`` is a mapping with strings as keys, or None."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise TypeError(f'{name} must be a mapping or None, got {value!r:.200} ({type(value).__name__})')
    _check_keys(name, value)


def check_number(name: str, value: ConfigValue, least: float | None = None, most: float | None = None) -> float:
    """Return ``value``. Raise TypeError unless it is a number, ValueError unless it is finite and in range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f'{name} must be a number, got {value!r:.200} ({type(value).__name__})')
    bounds = '' if least is None else f' of at least {least:g}'
    bounds += '' if most is None else f'{" and" if bounds else " of"} at most {most:g}'
    if not abs(value) < math.inf or (least is not None and value < least) or (most is not None and value > most):
        raise ValueError(f'{name} must be a finite number{bounds}, got {value!r:.200}')
    return value


def check_numbers(name: str, value: ConfigValue, length: int | None = None, what: str = 'numbers') -> tuple[float, ...]:
    """Return a sequence of finite numbers as a tuple. Raise TypeError or ValueError for other values.

    ``what`` is the kind of its entries, for the error message.
    """
    entries = check_sequence(name, value, length, what)
    return tuple(check_number(f'each entry of {name}', entry) for entry in entries)


def check_sequence(name: str, value: ConfigValue, length: int | None, what: str) -> Sequence[ConfigValue]:
    """Return ``value``, or raise unless it is a list or tuple, of ``length`` entries if that is not None.

    ``what`` is the kind of its entries, for the error message. Text and bytes are no sequences.
    """
    if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Sequence):
        raise TypeError(f'{name} must be a sequence of {what}, got {value!r:.200} ({type(value).__name__})')
    if length is not None and len(value) != length:
        raise ValueError(f'{name} must have {length} entries, got {len(value)}: {value!r:.200}')
    return value


def check_ints(name: str, value: ConfigValue, length: int | None = None, least: int = 1, most: int | None = None,
               ) -> tuple[int, ...]:
    """Return a sequence of ints in ``[least, most]`` as a tuple. Raise TypeError or ValueError for other values."""
    entries = check_sequence(name, value, length, 'ints')
    return tuple(check_int(f'each entry of {name}', entry, least, most) for entry in entries)


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
    names = ', '.join(name if name.isidentifier() else repr(name) for name in others)
    if len(others) == 1 and (hint := did_you_mean(names, known)):
        raise TypeError(f'{part} must have arguments of {kind} only, got {names}.{hint}')
    if others:
        raise TypeError(f'{part} must have arguments of {kind} only, got {names}. If they come from an '
                        f"inherited config, replace its {part}: {part}=dict(_delete_=True, type='{kind}', {example})")


def check_entry(name: str, value: ConfigValue, optional: bool) -> ConfigValue:
    """Return the type of a config entry, or None for None. Raise TypeError unless it is a mapping with 'type'."""
    if optional and value is None:
        return None
    if not isinstance(value, Mapping) or 'type' not in value:
        raise TypeError(f"{name} must be a mapping with the key 'type'{' or None' if optional else ''}, got "
                        f'{value!r:.200}')
    _check_keys(name, value)
    return value['type']


def check_layer_cfg(name: str, value: ConfigValue, optional: bool, registry: Registry = MODELS) -> None:
    """Raise unless ``value`` is the config of a type of a registry or of a class, or None if ``optional``.

    Raises:
        TypeError: If it is not a mapping with the key 'type'.
        ValueError: If the type is not registered.
    """
    kind = check_entry(name, value, optional)
    if kind is None and value is None:
        return
    if not isinstance(kind, str) and not callable(kind):
        raise TypeError(f"{name}['type'] must be a name or a class, got {kind!r:.200} ({type(kind).__name__})")
    with registry.switch_scope_and_registry(None) as found:  # as mmcv and mmengine do
        if isinstance(kind, str) and (not kind.strip('.') or found.get(kind) is None):
            raise ValueError(f"{name}['type'] must be a registered {found.name}, got {kind!r:.200}."
                             f'{did_you_mean(kind, found.module_dict)}')


def _check_keys(name: str, value: Mapping[str, ConfigValue]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f'each key of {name} must be a string, got {key!r:.200} ({type(key).__name__})')


def check_init_cfg(value: ConfigValue) -> None:
    """Raise TypeError or ValueError unless ``value`` is None, or the config of one or several initializers."""
    entries = value if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)) else (value, )
    for entry in () if value is None else entries:
        if not isinstance(entry, Mapping):
            raise TypeError(f'init_cfg must be a mapping, a list of mappings or None, got {value!r:.200}')
        check_layer_cfg('init_cfg', entry, optional=False, registry=WEIGHT_INITIALIZERS)
        layers = () if entry.get('layer') is None else entry['layer']
        for layer in (layers, ) if isinstance(layers, str) else check_sequence('init_cfg.layer', layers, None, 'names'):
            check_text('each entry of init_cfg.layer', layer)
        try:  # mmengine builds it later, in errors that name neither module nor init_cfg
            WEIGHT_INITIALIZERS.build({key: option for key, option in entry.items() if key != 'override'})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise type(error)(f'init_cfg must be valid, got {entry!r:.200}: {error}') from error


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
