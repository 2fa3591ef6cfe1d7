"""Ablation studies that are killed at random moments, with a script in place of training."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import pytest
import tiny_training
from output_commands import exit_code, fork

from hrnet_plugin.cli.main import run
from hrnet_plugin.evaluation.counting import Count, ModelCount
from hrnet_plugin.experiments.ablation import Run

pytestmark = [pytest.mark.skipif(not hasattr(os, 'fork'), reason='requires fork'), pytest.mark.slow]
KILLS = 4
STUDY = """
variants = {'plain': dict(), 'momentum': dict(options={'optim_wrapper.optimizer.momentum': 0.9})}
metrics, config = {'mIoU': 'mIoU'}, 'tiny.py'
scale, shape, seeds = 1, (64, 64), 2
"""
TRAINING = """
import pathlib, sys, time
logs = pathlib.Path(sys.argv[1], '20260101_000000', 'vis_data')
logs.mkdir(parents=True, exist_ok=True)
with (logs / 'scalars.json').open('w', buffering=1) as file:
    for part in ('{"loss": 1, "time": 0.1', ', "step": 1}', '\\n', '{"mIoU": 40.', '5, "step": 1}'):
        file.write(part)
        file.flush()
        time.sleep(0.02)
"""
TABLES = ('table.md', 'table.csv', 'results.json', 'figure.png')


@pytest.fixture
def words(tmp_path, monkeypatch):
    """Write the study, and return the arguments without the folder."""
    count, command = ModelCount({'total': Count(2, 0, 2, 0)}, ()), Run.command
    monkeypatch.setattr('hrnet_plugin.cli.ablate.counts', lambda study: {each.name: count for each in study.variants})
    monkeypatch.setattr(Run, 'command', lambda self: [sys.executable, '-S', '-c', TRAINING, command(self)[-1]])
    (tmp_path / 'tiny.py').write_text(tiny_training.CONFIG)
    (tmp_path / 'mine.py').write_text(STUDY)
    return ['ablate', str(tmp_path / 'mine.py'), '--work-dir']


def results(root):
    """Return the stored results: path -> content and inode."""
    return {path: (path.read_text(), path.stat().st_ino) for path in root.rglob('result.json')}


def test_kills_at_random_moments(words, tmp_path):
    assert run([*words, str(tmp_path / 'warm')]) == 0  # the forks need not import modules again
    begin = time.monotonic()
    assert exit_code(fork(lambda: run([*words, str(tmp_path / 'whole')]))) == 0
    duration = time.monotonic() - begin
    expected = {name: (tmp_path / 'whole' / name).read_bytes() for name in TABLES}
    finished = len(results(tmp_path / 'whole'))
    assert finished == 4
    drawn, kills, studies, before, root = random.Random(0), 0, 0, {}, tmp_path / 'killed'
    while kills < KILLS:
        child = fork(lambda root=root: os.setsid() or run([*words, str(root)]))
        time.sleep(drawn.uniform(0.2, 1) * duration)
        drawn.choice((os.kill, os.killpg))(child, signal.SIGKILL)  # this process alone, or with its run
        is_killed = exit_code(child) is None
        kills += is_killed
        duration *= 1.05 if is_killed else 0.9  # the load of the machine changes
        found = results(root)
        assert before.items() <= found.items()  # nothing is lost or repeated
        before = found
        assert all(json.loads(text)['metrics'] == {'mIoU': 40.5} for text, _ in found.values())
        written = {name: (root / name).read_bytes() for name in TABLES if (root / name).exists()}
        assert written.items() <= expected.items()
        if len(written) == len(expected):  # complete: the remaining kills are of a new study
            studies, before, root = studies + 1, {}, tmp_path / f'killed_{studies}'
    assert run([*words, str(root)]) == 0
    assert before.items() <= results(root).items()
    assert len(results(root)) == finished
    assert not list(root.rglob('.*.part'))
