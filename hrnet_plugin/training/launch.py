"""Construction of runners for all launchers, with or without GPUs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module

from mmengine.config import Config
from mmengine.runner import Runner

from hrnet_plugin.training.process_group import process_group
from hrnet_plugin.training.runner import HRNetRunner


def processes(config: Config) -> AbstractContextManager[None]:
    """Return a context with the process group of a config's launcher.

    Raises:
        ConnectionError: When entered, if the processes do not reach each other.
        ValueError: When entered, if the variables of the launcher are missing.
    """
    launcher = config.get('launcher', 'none')
    if launcher == 'none':
        return nullcontext()
    return process_group(launcher, (config.get('env_cfg') or {}).get('dist_cfg') or {})


def make_runner(config: Config) -> Runner:
    """Build the runner of a config. A distributed run requires the context of :func:`processes`."""
    import_module('hrnet_plugin.plugin')  # new-style configs contain classes and do not use the registry
    return HRNetRunner.from_cfg(config)
