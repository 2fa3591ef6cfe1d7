"""Training in two processes without GPUs, by torchrun, with a process that is killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap

import pytest
from paths import ROOT

pytestmark = pytest.mark.slow

KILL = """
    import os, signal
    from mmengine.hooks import Hook
    from mmengine.registry import HOOKS

    @HOOKS.register_module()
    class KillOnce(Hook):
        def __init__(self, marker):
            self.marker = marker
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.epoch == 1 and batch_idx == 1 and runner.rank == 1 and not os.path.exists(self.marker):
                open(self.marker, 'w').close()
                os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def config_file(sample_config, tmp_path):
    """Write a pose config for 2 epochs, in the second of which one of two processes is killed once."""
    config = sample_config('mmpose')
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=2)
    config.train_cfg.update(max_epochs=2, val_interval=1)
    config.default_hooks.checkpoint.interval = 1
    config.param_scheduler = []
    config.model.backbone.norm_cfg = dict(type='SyncBN')
    config.custom_imports = dict(imports=['kill_once'])
    config.custom_hooks = [dict(type='mmengine.KillOnce', marker=str(tmp_path / 'killed'))]
    (tmp_path / 'kill_once.py').write_text(textwrap.dedent(KILL))
    config.dump(tmp_path / 'two.py')
    return tmp_path / 'two.py'


def test_a_killed_process_and_resume(config_file, tmp_path):
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        port = listener.getsockname()[1]
    run = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--master-port', str(port), '--nproc-per-node', '2',
         '--max-restarts', '1', '-m', 'hrnet_plugin', 'train', str(config_file), '--launcher', 'pytorch', '--resume',
         '--work-dir', str(tmp_path / 'work')], capture_output=True, text=True, timeout=500,
        env=dict(os.environ, PYTHONPATH=f'{ROOT}:{tmp_path}', OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES=''))
    assert run.returncode == 0, run.stderr[-3000:]
    assert (tmp_path / 'killed').is_file()
    logs = [file.read_text() for file in sorted((tmp_path / 'work').glob('*/*.log'))]
    assert len(logs) == 2
    assert '2 processes with backend gloo: 0 on ' in logs[0]
    assert '4 images per optimizer step: 2 per batch, 2 processes, 1 accumulated batches' in logs[0]
    assert 'SyncBN requires GPUs and is replaced by BN' in logs[0]
    assert 'training starts from the beginning' in logs[0]
    assert 'resuming from ' in logs[1]
    assert 'epoch_1.pth' in logs[1]
    assert (tmp_path / 'work' / 'epoch_2.pth').is_file()
    records = [json.loads(line) for file in sorted((tmp_path / 'work').glob('*/vis_data/scalars.json'))
               for line in file.read_text().splitlines()]
    assert [record['step'] for record in records if 'coco/AP' in record] == [1, 2]
