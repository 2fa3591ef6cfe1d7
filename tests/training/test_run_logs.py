"""Logs of new and resumed runs."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.training.run_logs import read_scalars


def _write(work_dir, name, records):
    folder = work_dir / name / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))
    return records


def _session(work_dir, name, *epochs):
    return _write(work_dir, name, [dict(epoch=epoch, step=10 * epoch, loss=5 / epoch) for epoch in epochs])


def test_the_newest_run_and_the_resumed_ones(tmp_path):
    _session(tmp_path, '1', 1, 2)
    first, second = _session(tmp_path, '2', 1, 2), _session(tmp_path, '3', 3, 4)
    assert read_scalars(tmp_path) == first + second


def test_a_resumed_run_without_logs(tmp_path):
    """It was killed early, or training was already complete."""
    first = _session(tmp_path, '1', 1, 2)
    _session(tmp_path, '2')
    assert read_scalars(tmp_path) == first


def test_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match='must be the work directory of a training run'):
        read_scalars(tmp_path)


def _iterations(work_dir, name, *steps):
    """Write the log of a run by iterations, with an evaluation after the last one."""
    return _write(work_dir, name, [*(dict(iter=step, step=step, loss=5 / step) for step in steps),
                                   dict(mIoU=float(steps[-1]), step=0)])


def test_resumed_runs_by_iterations(tmp_path):
    _iterations(tmp_path, '1', 50, 100)
    parts = [_iterations(tmp_path, name, *steps) for name, steps in (
        ('2', (50, 100)), ('3', (150, 200)), ('4', (250, )), ('5', (300, 350)))]
    assert read_scalars(tmp_path) == [record for part in parts for record in part]


def test_repeated_iterations_are_left_out(tmp_path):
    first = _iterations(tmp_path, '1', 50, 100, 150)
    second = _iterations(tmp_path, '2', 100, 150, 200)  # resumed from a checkpoint between 50 and 100
    assert read_scalars(tmp_path) == first[:1] + second


def test_a_test_after_the_training(tmp_path):
    first = _iterations(tmp_path, '1', 50, 100)
    _write(tmp_path, '2', [dict(mIoU=1., step=0)])
    assert read_scalars(tmp_path) == first
