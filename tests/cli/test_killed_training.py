"""Training that is killed at random moments, and training on a full disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import tiny_training
import torch
from output_commands import fill, run_in_child

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
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
    return found['meta']['epoch'], found['state_dict']


@pytest.fixture
def words(tmp_path):
    """Write the config, and return the arguments without the work directory."""
    (tmp_path / 'tiny.py').write_text(tiny_training.CONFIG)
    return ['train', str(tmp_path / 'tiny.py'), '--resume', '--work-dir']


def kill_after(seconds, words):
    """Start a command in a forked process, and kill it if it has not ended. Return True if it was killed."""
    child = os.fork()
    if child == 0:
        os._exit(run_in_child_itself(words))
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def run_in_child_itself(words):
    from hrnet_plugin.cli.main import run
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    return run(words)


def test_kills_at_random_moments(words, tmp_path):
    begin = time.monotonic()
    assert run_in_child([*words, str(tmp_path / 'whole')]) == 0
    duration = time.monotonic() - begin
    last, weights = trained(tmp_path / 'whole')
    assert last == 6
    drawn, work_dir, epoch, kills = random.Random(0), tmp_path / 'killed', 0, 0
    for _ in range(KILLS):
        kills += kill_after(drawn.uniform(0.2, 1) * duration, [*words, str(work_dir)])
        before, epoch = epoch, trained(work_dir)[0]
        assert epoch >= before
        if epoch == last:  # trained: the remaining kills are of a new run
            assert all(torch.equal(trained(work_dir)[1][name], weight) for name, weight in weights.items())
            work_dir, epoch = tmp_path / f'killed_{kills}', 0
    assert kills >= KILLS // 2
    assert run_in_child([*words, str(work_dir)]) == 0
    assert all(torch.equal(trained(work_dir)[1][name], weight) for name, weight in weights.items())
    assert not list(work_dir.glob('.*.part'))


def test_a_full_disk_keeps_the_checkpoint(words, tmp_path, capfd):
    work_dir = tmp_path / 'disk'
    work_dir.mkdir()
    if sys.platform != 'linux' or os.getuid() != 0:
        pytest.skip('mounting a disk requires root on Linux')
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(work_dir)], check=False).returncode:
        pytest.skip('this container must not mount disks')
    try:
        assert run_in_child([*words, str(work_dir), '--cfg-options', 'train_cfg.max_epochs=2']) == 0
        epoch, _ = trained(work_dir)
        fill(work_dir)
        command = [sys.executable, '-W', 'ignore', '-m', 'hrnet_plugin', *words, str(work_dir)]
        done = subprocess.run(command, text=True, capture_output=True, check=False,
                              env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
        assert done.returncode == 2
        assert 'Traceback' not in done.stderr
        assert [line for line in done.stderr.splitlines() if str(work_dir) in line and 'No space left' in line]
        assert trained(work_dir)[0] == epoch == 2
        assert not list(work_dir.glob('.*.part'))
    finally:
        subprocess.run(['umount', '-l', str(work_dir)], check=True)
