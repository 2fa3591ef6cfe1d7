"""Reproduction of three checkpoints on the sample set, killed in the second test and started again, with real tests."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from paths import ROOT

from hrnet_plugin.cli.main import run
from hrnet_plugin.config_files import find_config
from hrnet_plugin.evaluation.leaderboard.store import ResultStore

CONFIG = 'fcn_hrnetv2-w18-small-v1_sample'
IMAGES = 6  # of sample_root
ROWS = ['--rows', 'rows.csv', '--data-root', 'data', '--out', 'out']


def start(*words):
    return subprocess.Popen([sys.executable, '-W', 'ignore', '-m', 'hrnet_plugin', *words], start_new_session=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def write_checkpoints(folder):
    """Write three checkpoints with different random weights."""
    config = find_config(CONFIG)
    for number, name in enumerate('abc'):
        torch.manual_seed(number)
        with DefaultScope.overwrite_default_scope(config.default_scope):
            model = MODELS.build(config.model)
        model.init_weights()
        torch.save(dict(state_dict=model.state_dict()), folder / f'{name}.pth')


def write_rows(folder, figures, *more):
    lines = [f'{name},{CONFIG},{name}.pth,{IMAGES},{value}' for name, value in figures.items()]
    (folder / 'rows.csv').write_text('\n'.join(['name,config,checkpoint,images,mIoU', *lines, *more, '']))


def records(folder):
    return ResultStore(folder / 'out/records.sqlite').read()


def log_folders(folder, name):
    """The folders that mmengine makes at the start of each test of a row."""
    return sorted((folder / 'out/rows' / name).glob('*/2*'))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == 'win32', reason='process groups of POSIX')
def test_a_killed_reproduction_repeats_nothing(tmp_path, sample_root, monkeypatch, capfd):
    pytest.importorskip('mmseg')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    write_checkpoints(tmp_path)
    (tmp_path / 'data').symlink_to(sample_root)
    write_rows(tmp_path, dict(a=0, b=0, c=0))  # the figures of real tests follow below

    process = start('reproduce', *ROWS)
    end = time.monotonic() + 300
    while not log_folders(tmp_path, 'b'):
        assert process.poll() is None, process.stdout.read()[-4000:]
        assert time.monotonic() < end
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)  # in the middle of the second test
    out = process.communicate()[0]
    assert '[1/3] a: mIoU' in out
    assert '[2/3]' not in out
    assert [record.checkpoint.rpartition('/')[2] for record in records(tmp_path)] == ['a.pth']

    run(['reproduce', *ROWS])
    out = capfd.readouterr().out
    assert '(tested before)' in out.splitlines()[0], out
    found = records(tmp_path)
    assert [record.checkpoint.rpartition('/')[2] for record in found] == ['a.pth', 'b.pth', 'c.pth']
    assert [len(log_folders(tmp_path, name)) for name in 'abc'] == [1, 2, 1]

    # Rows from the records, the second one wrong. The last one tests its checkpoint in two processes.
    figures = {name: record.scores.metrics['mIoU'] for name, record in zip('abc', found)}
    assert len(set(figures.values())) == 3
    write_rows(tmp_path, {**figures, 'b': figures['b'] + 1}, f'two,{CONFIG},b.pth,{IMAGES},{figures["b"]}')
    assert run(['reproduce', *ROWS, '--tolerance', '0', '--launcher', 'pytorch', '--nproc', '2']) == 1
    assert '4 rows: 3 agrees, 1 differs. Look at b (differs)' in capfd.readouterr().out
    with (tmp_path / 'out/reproduce.csv').open() as file:
        assert [row['verdict'] for row in csv.DictReader(file)] == ['agrees', 'differs', 'agrees', 'agrees']
    assert [record.number for record in records(tmp_path)] == [1, 2, 3, 4]
    assert [len(log_folders(tmp_path, name)) for name in ('a', 'b', 'c', 'two')] == [1, 2, 1, 1]
