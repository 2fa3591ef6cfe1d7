"""Build of the model of a derived config, on the meta device if possible."""

from __future__ import annotations

from copy import deepcopy
from importlib import import_module

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_bases import cached_bases
from hrnet_plugin.derivation.derived import Derived
from hrnet_plugin.derivation.host_configs import HostConfig
from hrnet_plugin.hosts import Host


def read_derived(derived: Derived) -> Config:
    """Return a derived config with its bases, as mmengine reads it from a file."""
    with cached_bases():
        return Config.fromstring(derived.text, '.py')


def build_model(host: Host, model: ConfigDict) -> torch.nn.Module:
    """Build a model on the meta device, or on the CPU if its constructor reads tensor values.

    Args:
        host: Host of the config.
        model: Entry ``model`` of a config. Checkpoints of teachers are not loaded.
    """
    import_module(f'{host.name}.models')
    model = ConfigDict({**model, **{key: None for key in model if key == 'teacher_ckpt'}})
    with DefaultScope.overwrite_default_scope(host.name):
        try:
            with torch.device('meta'):
                return MODELS.build(deepcopy(model))
        except (NotImplementedError, RuntimeError):
            return MODELS.build(model)


def check_build(source: HostConfig, derived: Derived) -> None:
    """Raise ValueError if the model of a derived config does not build.

    Args:
        source: Base of the config. The message says if it does not build, either.
        derived: Derived config.
    """
    model = read_derived(derived).model
    try:
        build_model(source.host, model)
    except Exception as error:  # any module of the host may fail in its own way
        reason = _failure(source)
        if reason is not None:
            raise ValueError(f'{source.base} must build in this environment, got {reason}') from error
        raise ValueError(f'HRNet does not fit into {source.base}: {_one_line(error)}') from error


def _failure(source: HostConfig) -> str | None:
    """Return the error with which the config of the host fails to build, or None."""
    with cached_bases():
        model = Config.fromfile(str(source.path)).model
    try:
        build_model(source.host, model)
    except Exception as error:
        return f'{type(error).__name__}: {_one_line(error)}'
    return None


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__
