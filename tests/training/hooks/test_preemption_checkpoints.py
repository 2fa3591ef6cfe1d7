"""Resumed runs remove the checkpoints of PreemptionHook, and no others."""

from __future__ import annotations

import signal

import pytest
from mmengine.hooks import Hook
from preempted_run import restore_handlers, train

from hrnet_plugin.training.work_dir import newest_checkpoint

_handlers_restored = pytest.fixture(autouse=True)(restore_handlers)


def checkpoints(work_dir):
    return sorted(path.name for path in work_dir.glob('*.pth'))


class Files(Hook):
    """Hook that lists the checkpoints at the end of epochs, and can raise an error there."""

    def __init__(self, folder, priority, error=False):
        self.folder, self.priority, self.error, self.found = folder, priority, error, []

    def after_train_epoch(self, runner):
        self.found.append(checkpoints(self.folder))
        if self.error:
            raise RuntimeError('killed')


def test_outdated_checkpoints_are_removed_after_the_next_regular_one(tmp_path):
    train(tmp_path, number=signal.SIGTERM, after=4)
    train(tmp_path, number=signal.SIGTERM, after=5, resume=tmp_path / 'iter_5.pth')
    (tmp_path / 'iter_7.pth').write_bytes(b'of a user')
    before, after = Files(tmp_path, 'NORMAL'), Files(tmp_path, 'VERY_LOW')
    train(tmp_path, resume=tmp_path / 'iter_6.pth', hooks=[before, after])
    assert before.found[0] == ['epoch_1.pth', 'iter_5.pth', 'iter_6.pth', 'iter_7.pth']
    assert after.found[0] == ['epoch_1.pth', 'epoch_2.pth', 'iter_5.pth', 'iter_6.pth', 'iter_7.pth']
    assert after.found[1] == checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth', 'iter_7.pth']


def test_a_kill_before_the_removal_leaves_both_checkpoints(tmp_path):
    train(tmp_path, number=signal.SIGTERM, after=5)
    with pytest.raises(RuntimeError, match='killed'):
        train(tmp_path, resume=tmp_path / 'iter_6.pth', hooks=[Files(tmp_path, 'VERY_LOW', error=True)])
    assert checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'iter_6.pth']
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / 'epoch_2.pth')
    train(tmp_path, resume=tmp_path / 'epoch_2.pth')
    assert checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth']


class Replacement(Hook):
    """Hook that replaces a checkpoint by a folder, which cannot be removed as a file."""
    priority = 'VERY_LOW'

    def __init__(self, path):
        self.path = path

    def before_train(self, runner):
        self.path.unlink()
        self.path.mkdir()


def test_training_continues_if_a_checkpoint_cannot_be_removed(tmp_path):
    train(tmp_path, number=signal.SIGTERM, after=5)
    saved = tmp_path / 'iter_6.pth'
    values, code, _ = train(tmp_path, resume=saved, hooks=[Replacement(saved)])
    assert saved.is_dir()
    assert (max(values), code) == (11, 0)


def test_other_work_directories_are_not_changed(tmp_path):
    train(tmp_path / 'one', number=signal.SIGTERM, after=5)
    (tmp_path / 'two').mkdir()
    (tmp_path / 'two' / 'iter_6.pth').write_bytes(b'of another run')
    train(tmp_path / 'two', resume=tmp_path / 'one' / 'iter_6.pth')
    assert checkpoints(tmp_path / 'one') == ['epoch_1.pth', 'iter_6.pth']
    assert checkpoints(tmp_path / 'two') == ['epoch_2.pth', 'epoch_3.pth', 'iter_6.pth']


def test_checkpoints_of_renamed_work_directories_are_removed(tmp_path):
    train(tmp_path / 'one', number=signal.SIGTERM, after=5)
    (tmp_path / 'one').rename(tmp_path / 'two')
    (tmp_path / 'one').symlink_to('two')
    train(tmp_path / 'two', resume=tmp_path / 'one' / 'iter_6.pth')
    assert checkpoints(tmp_path / 'two') == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth']


BEST = dict(interval=4, save_best='score', rule='greater')


@pytest.mark.parametrize(('after', 'regular', 'expected'), [
    (4, {}, ['iter_10.pth', 'iter_5.pth']),  # of the checkpoint hook, though the run was ended at this iteration, too
    (6, {}, ['iter_10.pth', 'iter_5.pth']),
    (6, dict(save_optimizer=False), ['iter_10.pth', 'iter_5.pth', 'iter_7.pth']),
    # after an evaluation, the checkpoint hook saves another checkpoint, which names the best one
    (5, BEST, ['best_score_iter_6.pth', 'iter_10.pth', 'iter_4.pth', 'iter_6.pth', 'iter_8.pth'])])
def test_checkpoints_that_are_needed_remain(tmp_path, after, regular, expected):
    loop = dict(loop=dict(type='IterBasedTrainLoop', max_iters=10, val_interval=6), sampler='InfiniteSampler',
                regular=dict(dict(interval=5, by_epoch=False), **regular))
    train(tmp_path, number=signal.SIGTERM, after=after, **loop)
    train(tmp_path, resume=newest_checkpoint(tmp_path, []), **loop)
    assert checkpoints(tmp_path) == expected


def test_checkpoints_of_several_hooks_remain(tmp_path):
    loop = dict(loop=dict(type='IterBasedTrainLoop', max_iters=10, val_interval=100), sampler='InfiniteSampler',
                regular=dict(interval=5, by_epoch=False),
                hooks=[dict(type='CheckpointHook', interval=5, by_epoch=False, out_dir=str(tmp_path / 'other'))])
    train(tmp_path / 'work', number=signal.SIGTERM, after=4, **loop)
    train(tmp_path / 'work', resume=newest_checkpoint(tmp_path / 'work', []), **loop)
    assert checkpoints(tmp_path / 'work') == ['iter_10.pth', 'iter_5.pth']
