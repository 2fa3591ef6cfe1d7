"""Training in two processes that Open MPI starts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest
from paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    shutil.which('mpirun') is None, reason='mpirun is missing: apt-get install openmpi-bin')]


@pytest.fixture
def mpirun():
    """Return a command that starts two processes with Open MPI, also for root and on one core."""
    version = subprocess.run(['mpirun', '--version'], capture_output=True, text=True).stdout
    if 'Open MPI' not in version:
        pytest.skip(f'Open MPI is required, got {version.splitlines()[:1]}')
    return ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', '2']


def test_two_processes_of_open_mpi(mpirun, sample_config, tmp_path):
    config = sample_config('mmpose')
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=4)
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.dump(tmp_path / 'config.py')
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        port = listener.getsockname()[1]
    run = subprocess.run(
        [*mpirun, sys.executable, '-W', 'ignore', '-m', 'hrnet_plugin', 'train', str(tmp_path / 'config.py'),
         '--launcher', 'mpi', '--work-dir', str(tmp_path / 'work')], capture_output=True, text=True, timeout=300,
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='',
                 MASTER_PORT=str(port)))
    assert run.returncode == 0, run.stderr[-3000:]
    log, = (tmp_path / 'work').glob('*/*.log')
    assert '2 processes with backend gloo: 0 on ' in log.read_text()
    assert 'coco/AP' in log.read_text()
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()
