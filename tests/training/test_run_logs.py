"""Logs of new and resumed runs."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.training.run_logs import read_scalars


def _session(work_dir, name, *epochs):
    records = [dict(epoch=epoch, step=10 * epoch, loss=5 / epoch) for epoch in epochs]
    folder = work_dir / name / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))
    return records


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
