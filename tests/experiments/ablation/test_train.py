"""Exit of a run when its parent process has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import ROOT


@pytest.mark.skipif(sys.platform == 'win32', reason='Windows does not change the parent of orphans')
def test_a_run_exits_with_its_parent(tmp_path):
    run = (f'import os, sys, time; sys.path.insert(0, {str(ROOT)!r})\n'
           'from hrnet_plugin.experiments.ablation.train import exit_with_parent\n'
           f'exit_with_parent(os.getppid()); open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))\n'
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
    # orphans stay zombies in a container whose init process does not reap them
    status = Path(f'/proc/{pid}/stat')
    return not status.is_file() or status.read_text().rsplit(')', 1)[1].split()[0] != 'Z'
