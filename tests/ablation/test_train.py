"""Where a run goes on, and that it does not outlive what has started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.ablation.train import resume

ROOT = Path(__file__).resolve().parent.parent.parent


def config_of(folder):
    hooks = dict(checkpoint=dict(max_keep_ckpts=1))
    return Config(dict(work_dir=str(folder), default_hooks=hooks, load_from='start.pth', resume=False))


def save(path, age, whole=True):
    torch.save(dict(x=torch.zeros(100)), path)
    if not whole:
        path.write_bytes(path.read_bytes()[:200])
    os.utime(path, (time.time() - age, ) * 2)


def test_a_new_run_starts_as_its_config_says(tmp_path):
    config = config_of(tmp_path)
    resume(config)
    assert (config.resume, config.load_from) == (False, 'start.pth')


@pytest.mark.parametrize(('files', 'chosen'), [
    (dict(epoch_1=True), 'epoch_1'), (dict(epoch_9=True, epoch_10=True), 'epoch_10'),
    (dict(iter_90=True, iter_100=False), 'iter_90')])
def test_it_goes_on_from_the_newest_whole_checkpoint(tmp_path, files, chosen):
    """Killed while it saved, a run leaves half a file, or a last_checkpoint that names one which is gone."""
    for age, (name, whole) in enumerate(reversed(files.items())):
        save(tmp_path / f'{name}.pth', 100 * age, whole)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'gone.pth'))
    config = config_of(tmp_path)
    resume(config)
    assert (config.resume, config.load_from) == (True, str(tmp_path / f'{chosen}.pth'))
    assert config.default_hooks.checkpoint.max_keep_ckpts == 2


@pytest.mark.skipif(sys.platform == 'win32', reason='has no parents')
def test_a_run_ends_with_what_has_started_it(tmp_path):
    run = (f'import os, sys, time; sys.path.insert(0, {str(ROOT)!r})\n'
           'from hrnet_plugin.ablation.train import end_with_parent\n'
           f'end_with_parent(os.getppid()); open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))\n'
           'time.sleep(120)')
    starter = subprocess.Popen([sys.executable, '-c', f'import subprocess, sys\n'
                                                      f'subprocess.run([sys.executable, "-c", {run!r}])'])
    end = time.monotonic() + 60
    while not (tmp_path / 'pid').is_file() or not (tmp_path / 'pid').read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    pid = int((tmp_path / 'pid').read_text())
    starter.kill()
    starter.wait()
    while _is_running(pid):
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a container whose first process does not wait for orphans keeps them as zombies
    status = Path(f'/proc/{pid}/stat')
    return not status.is_file() or status.read_text().rsplit(')', 1)[1].split()[0] != 'Z'
