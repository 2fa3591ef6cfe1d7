"""Changes to a config before the runner is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.dist import broadcast_object_list, is_main_process

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.hosts import type_name
from hrnet_plugin.training.work_dir import check_resumable, newest_checkpoint

COMPLETE_LOAD = 'hrnet_plugin.CompleteLoadHook'


def add_hook(config: Config, kind: str, **arguments: ConfigValue) -> None:
    """Add a custom hook, unless the config already has one of this type."""
    hooks = config.get('custom_hooks') or []
    if not any(type_name(hook['type']) == type_name(kind) for hook in hooks):
        config.custom_hooks = [*hooks, dict(type=kind, **arguments)]


def set_load_from(config: Config, checkpoint: str, part: str = '') -> None:
    """Set ``load_from`` to a checkpoint of any family, and check that it matches the model when it is loaded.

    Args:
        config: Config, changed in place.
        checkpoint: Address of the checkpoint.
        part: Name of the submodule to check. See :class:`~hrnet_plugin.training.hooks.CompleteLoadHook`.
    """
    config.load_from = SCHEME + checkpoint.removeprefix(SCHEME)
    add_hook(config, COMPLETE_LOAD, part=part)


def resume(config: Config, checkpoint: str | None = None) -> list[str]:
    """Configure the runner to resume from a checkpoint of the same model.

    Args:
        config: Config, changed in place.
        checkpoint: Path of the checkpoint. Default: the newest complete one in the work directory. If there is none,
            the run starts from the beginning.

    Returns:
        Lines for the log.

    Raises:
        FileNotFoundError, ValueError: If ``checkpoint`` is not the path of a complete checkpoint.
    """
    notices: list[str] = []
    if checkpoint is None:
        checkpoint = _newest_checkpoint(config.work_dir, notices)
        if checkpoint is None:
            config.resume = False
            return [*notices, f'{config.work_dir} has no complete checkpoint to resume from: training starts from the '
                              'beginning']
        notices.append(f'resuming from {checkpoint}')
    elif '://' not in checkpoint and not Path(checkpoint).is_dir():  # mmengine handles other addresses
        check_resumable(checkpoint)
    config.resume, config.load_from = True, checkpoint
    add_hook(config, COMPLETE_LOAD)
    return notices


def _newest_checkpoint(work_dir: str, notices: list[str]) -> str | None:
    """Return the checkpoint that the first process finds. A shared file system may show others an earlier state."""
    found = [newest_checkpoint(work_dir, notices)] if is_main_process() else [None]
    broadcast_object_list(found)
    return found[0]


def save_atomically(config: Config) -> None:
    """Replace mmengine's CheckpointHook by AtomicCheckpointHook."""
    if config.get('default_hooks') is None:
        config.default_hooks = {}
    config.default_hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))  # default of mmengine
    for hook in _hooks(config):
        if type_name(hook.get('type', 'CheckpointHook')) == 'CheckpointHook':
            hook['type'] = 'hrnet_plugin.AtomicCheckpointHook'


def continue_within_epochs(config: Config) -> None:
    """Replace mmengine's loop by epochs by ResumableEpochLoop. Other loops are not changed."""
    loop = config.get('train_cfg') or {}
    by_epoch = loop.get('by_epoch') if 'type' not in loop else type_name(loop['type']) == 'EpochBasedTrainLoop'
    if loop and by_epoch:
        loop.pop('by_epoch', None)
        loop['type'] = 'hrnet_plugin.ResumableEpochLoop'


def log_evaluations_by_iteration(config: Config) -> None:
    """Log the evaluations of a run by iterations with their iteration. mmengine would log epoch 0.

    Args:
        config: Config, changed in place unless it trains by epochs or sets ``log_metric_by_epoch``.
    """
    if not (config.get('train_cfg') or {}).get('max_iters'):
        return
    if config.get('default_hooks') is None:
        config.default_hooks = {}
    config.default_hooks.setdefault('logger', dict(type='LoggerHook'))  # default of mmengine
    logger = config.default_hooks.logger
    if logger is not None and type_name(logger.get('type', 'LoggerHook')) == 'LoggerHook':
        logger.setdefault('log_metric_by_epoch', False)


def _hooks(config: Config) -> Iterator[ConfigDict]:
    checkpoint = config.default_hooks.checkpoint
    if checkpoint is not None:  # None disables the hook
        yield checkpoint
    yield from (hook for hook in config.get('custom_hooks') or [] if 'type' in hook)
