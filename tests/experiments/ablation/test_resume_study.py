"""Resuming a killed study, with real training."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from paths import ROOT

from hrnet_plugin.experiments.sample_set import write_sample_set

STUDY = """
config = 'td-hm_hrnetv1-w18-small-v1_sample'
metrics = {'AP': 'coco/AP'}
scale = 100
shape = (128, 96)
seeds = 1
options = {'train_cfg.max_epochs': 3, 'train_dataloader.batch_size': 2,
           'default_hooks.checkpoint.interval': 1, 'default_hooks.checkpoint.save_best': None}
variants = {'all': dict(), 'final': dict(options={'model.backbone.fusion': 'final'})}
"""


def start(folder, *options):
    return subprocess.Popen(
        [sys.executable, '-m', 'hrnet_plugin', 'ablate', 'mine.py', '--data-root', 'data', '--work-dir', 'study',
         *options], cwd=folder, env=dict(os.environ, PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


def wait_for(condition, process, seconds=400):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()[-4000:]
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_finished_runs_are_not_repeated(tmp_path):
    pytest.importorskip('mmpose')
    write_sample_set(tmp_path / 'data', train=16, val=8)
    (tmp_path / 'mine.py').write_text(STUDY)
    first, second = (tmp_path / 'study' / 'runs' / name / 'seed_0' for name in ('all', 'final'))

    process = start(tmp_path)
    wait_for(lambda: (second / 'work' / 'last_checkpoint').is_file(), process)
    process.kill()  # its active run exits by itself
    process.wait()
    assert (first / 'result.json').is_file()
    assert not (second / 'result.json').is_file()
    before = [(path, path.stat().st_mtime_ns) for path in first.rglob('*')]

    out = start(tmp_path).communicate(timeout=500)[0]
    assert '2 runs, 1 finished' in out
    assert '[1/1] final, seed 0' in out
    assert [(path, path.stat().st_mtime_ns) for path in first.rglob('*')] == before
    assert 'resumed epoch: ' in (second / 'log.txt').read_text()
    assert json.loads((second / 'result.json').read_text())['metrics']['AP'] is not None
    assert (tmp_path / 'study' / 'table.md').read_text().count('| 1 |') == 2
    assert (tmp_path / 'study' / 'figure.png').is_file()

    # nothing is left to run, also with a budget of 0
    out = start(tmp_path, '--budget', '0').communicate(timeout=100)[0]
    assert '2 runs, 2 finished' in out
    assert '[1/' not in out

    # a run that was killed after its last checkpoint, during the evaluation: no evaluation logs and no result
    kept = json.loads((first / 'result.json').read_text())
    (first / 'result.json').unlink()
    for logs in first.glob('work/2*'):
        shutil.rmtree(logs)
    start(tmp_path).communicate(timeout=500)
    assert json.loads((first / 'result.json').read_text())['metrics'] == kept['metrics']
