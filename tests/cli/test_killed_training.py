"""Training that is killed at random moments, and training on a full disk."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import random
import signal
import sys
import time

import pytest
import tiny_training
import torch
from output_commands import exit_code, fill, fork, run_in_child
from small_disk import small_disk

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
from hrnet_plugin.cli.main import main, run
from hrnet_plugin.training.work_dir import newest_checkpoint

pytestmark = [pytest.mark.skipif(not hasattr(os, 'fork'), reason='requires fork'), pytest.mark.slow]
KILLS = 50


def trained(work_dir):
    """Return epoch and weights of the newest checkpoint, or epoch 0 without one."""
    allow_mmengine_checkpoints()
    path = newest_checkpoint(work_dir, [])
    if path is None:
        return 0, {}
    found = torch.load(path, weights_only=True)
    return found['meta']['epoch'], {name: weight.tolist() for name, weight in found['state_dict'].items()}


@pytest.fixture
def words(tmp_path):
    """Write the config, and return the arguments without the work directory."""
    (tmp_path / 'tiny.py').write_text(tiny_training.CONFIG)
    tiny_training.forget_runs()
    yield ['train', str(tmp_path / 'tiny.py'), '--resume', '--work-dir']
    tiny_training.forget_runs()  # later tests must not log to a full disk


def test_kills_at_random_moments(words, tmp_path):
    assert run([*words, str(tmp_path / 'whole')]) == 0  # in this process, whose forks need not import modules again
    tiny_training.forget_runs()
    begin = time.monotonic()
    assert run_in_child([*words, str(tmp_path / 'timed')]) == 0
    duration = time.monotonic() - begin
    last, weights = trained(tmp_path / 'whole')
    assert last == 6
    drawn, folders, kills, resumed, epoch = random.Random(0), itertools.count(), 0, 0, 0
    work_dir = tmp_path / 'killed'
    while kills < KILLS:
        child = fork(functools.partial(run, [*words, str(work_dir)]))
        time.sleep(drawn.uniform(0.2, 1) * duration)
        os.kill(child, signal.SIGKILL)
        is_killed = exit_code(child) is None
        kills += is_killed
        duration *= 1.05 if is_killed else 0.9  # the load of the machine changes
        before, epoch = epoch, trained(work_dir)[0]
        assert epoch >= before
        resumed += 0 < before < epoch
        if epoch == last:  # trained: the remaining kills are of a new run
            assert trained(work_dir)[1] == weights
            work_dir, epoch = tmp_path / f'killed_{next(folders)}', 0
    assert resumed >= KILLS // 10
    assert run_in_child([*words, str(work_dir)]) == 0
    assert trained(work_dir)[1] == weights
    assert not list(work_dir.glob('.*.part'))


def test_a_full_disk_keeps_the_checkpoint(words, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(logging, 'raiseExceptions', True)  # restored after the test
    with small_disk(tmp_path / 'disk', '2m') as disk:
        assert run([*words, str(disk), '--cfg-options', 'train_cfg.max_epochs=2']) == 0
        tiny_training.forget_runs()
        fill(disk)
        capfd.readouterr()
        monkeypatch.setattr(sys, 'argv', ['hrnet', *words, str(disk)])
        with pytest.raises(SystemExit, match='2'):
            main()
        err = capfd.readouterr().err
        assert 'Traceback' not in err
        assert [line for line in err.splitlines() if str(disk) in line and 'No space left' in line]
        assert trained(disk)[0] == 2
        assert not list(disk.glob('.*.part'))
