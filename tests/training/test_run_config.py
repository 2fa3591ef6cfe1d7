"""Changes of the command-line tools to configs."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook

from hrnet_plugin.training.run_config import (
    add_hook,
    log_evaluations_by_iteration,
    resume,
    save_atomically,
    set_load_from,
)


def config_of(folder, **entries):
    return Config(dict(work_dir=str(folder), load_from='start.pth', resume=False, **entries))


def save(path):
    torch.save(dict(x=torch.zeros(3)), path)
    return str(path)


def test_a_run_without_a_checkpoint_starts_from_the_beginning(tmp_path):
    config = config_of(tmp_path)
    notice, = resume(config)
    assert 'has no complete checkpoint to resume from: training starts from the beginning' in notice
    assert (config.resume, config.load_from) == (False, 'start.pth')
    assert config.get('custom_hooks') is None


def test_resuming_from_the_newest_complete_checkpoint(tmp_path):
    path = save(tmp_path / 'epoch_1.pth')
    (tmp_path / 'epoch_2.pth').write_bytes(b'PK half')
    config = config_of(tmp_path)
    incomplete, resuming = resume(config)
    assert 'epoch_2.pth is incomplete' in incomplete
    assert resuming == f'resuming from {path}'
    assert (config.resume, config.load_from) == (True, path)
    assert config.custom_hooks == [dict(type='hrnet_plugin.CompleteLoadHook')]


def test_resuming_from_a_given_checkpoint(tmp_path):
    config, path = config_of(tmp_path), save(tmp_path / 'mine.pth')
    resume(config, path)
    assert config.load_from == path
    resume(config, 's3://bucket/epoch_1.pth')
    assert config.load_from == 's3://bucket/epoch_1.pth'
    resume(config, str(tmp_path))  # a folder of DeepSpeed
    assert config.load_from == str(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'got \S*gone\.pth, which is missing'):
        resume(config, str(tmp_path / 'gone.pth'))


@pytest.mark.parametrize('kind', [{}, dict(type='CheckpointHook'), dict(type='mmengine.CheckpointHook'),
                                  dict(type=CheckpointHook), dict(type='hrnet_plugin.AtomicCheckpointHook')])
def test_checkpoints_are_atomic(kind, tmp_path):
    hook = dict(kind, interval=2)
    config = config_of(tmp_path, default_hooks=dict(checkpoint=hook), custom_hooks=[dict(hook, type='CheckpointHook')])
    save_atomically(config)
    wanted = dict(type='hrnet_plugin.AtomicCheckpointHook', interval=2)
    assert config.default_hooks.checkpoint == config.custom_hooks[0] == wanted


def test_other_checkpoint_hooks_are_kept(tmp_path):
    config = config_of(tmp_path, default_hooks=dict(checkpoint=dict(type='MyCheckpointHook')))
    save_atomically(config)
    assert config.default_hooks.checkpoint.type == 'MyCheckpointHook'
    config = config_of(tmp_path, default_hooks=dict(checkpoint=None))
    save_atomically(config)
    assert config.default_hooks.checkpoint is None
    config = config_of(tmp_path)
    save_atomically(config)
    assert config.default_hooks.checkpoint == dict(type='hrnet_plugin.AtomicCheckpointHook', interval=1)


def test_a_hook_is_added_once(tmp_path):
    config = config_of(tmp_path)
    add_hook(config, 'hrnet_plugin.CompleteLoadHook', part='backbone')
    set_load_from(config, 'x.pth')
    set_load_from(config, config.load_from)
    assert config.load_from == 'hrnet://x.pth'
    assert config.custom_hooks == [dict(type='hrnet_plugin.CompleteLoadHook', part='backbone')]


@pytest.mark.parametrize(('entries', 'logger'), [
    (dict(train_cfg=dict(max_iters=4)), dict(type='LoggerHook', log_metric_by_epoch=False)),
    (dict(train_cfg=dict(max_iters=4), default_hooks=dict(logger=dict(interval=2))),
     dict(interval=2, log_metric_by_epoch=False)),
    (dict(train_cfg=dict(max_iters=4), default_hooks=dict(logger=dict(log_metric_by_epoch=True))),
     dict(log_metric_by_epoch=True)),
    (dict(train_cfg=dict(max_iters=4), default_hooks=dict(logger=None)), None),
    (dict(train_cfg=dict(max_iters=4), default_hooks=dict(logger=dict(type='mine.Hook'))), dict(type='mine.Hook')),
    (dict(train_cfg=dict(max_epochs=4), default_hooks=dict(logger=dict(interval=2))), dict(interval=2))])
def test_evaluations_are_logged_with_their_iteration(entries, logger, tmp_path):
    config = config_of(tmp_path, **entries)
    log_evaluations_by_iteration(config)
    assert config.default_hooks.logger == logger
