"""Logs of new and resumed runs."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.training.run_logs import read_metrics, read_scalars


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


def test_the_unfinished_line_of_a_killed_run(tmp_path):
    first, second = _session(tmp_path, '2', 1, 2), _session(tmp_path, '3', 3, 4)
    with (tmp_path / '2' / 'vis_data' / 'scalars.json').open('a') as file:
        file.write('\n{"loss": 0.')
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


DAMAGED = {
    'cut': b'{"epoch": 1, "step": 10, "los', 'binary': b'\x00\xff\xfe', 'deep': b'[' * 100_000, 'list': b'[1, 2]',
    'no step': b'{"loss": 1}', 'text as step': b'{"step": "10", "loss": 1}', 'null': b'{"step": null, "loss": 1}',
    'huge step': b'{"step": 1e300, "loss": 1}', 'huge integer': b'{"step": 1, "loss": ' + b'9' * 400 + b'}',
    'negative step': b'{"step": -1, "loss": 1}', 'NaN as step': b'{"step": NaN, "loss": 1}'}


@pytest.mark.parametrize('line', DAMAGED.values(), ids=DAMAGED)
def test_damaged_lines_are_left_out(tmp_path, line, monkeypatch):
    warnings = []
    monkeypatch.setattr('hrnet_plugin.training.run_logs.print_log', lambda text, **options: warnings.append(text))
    records = _session(tmp_path, '1', 1, 2)
    log = tmp_path / '1/vis_data/scalars.json'
    log.write_bytes(b'\n'.join([*log.read_bytes().splitlines(), line]))  # as after a kill
    assert read_scalars(tmp_path) == records
    (warning, ) = warnings
    assert warning.startswith(f'{log}: 1 of 3 lines are left out: line 3 must ')
    assert len(warning.removeprefix(str(log))) < 200


def test_values_of_other_types_are_left_out(tmp_path, monkeypatch):
    warnings = []
    monkeypatch.setattr('hrnet_plugin.training.run_logs.print_log', lambda text, **options: warnings.append(text))
    log = tmp_path / '1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"step": 5, "loss": NaN, "time": "1", "lr": [1], "AP": null, "data_time": true, "iter": {}, '
                   '"\\ud800": 1}\n')
    (found, ) = read_scalars(tmp_path)
    assert list(found) == ['step', 'loss']
    (warning, ) = warnings
    assert warning.endswith(r"names in UTF-8, got 1 others, e.g. '\ud800', which are left out. Rename them.")


@pytest.mark.parametrize('name', ['mAP\u3000猫', 'AP\xa050', '可\u200c視', 'a\x1b[31m', '😀'])
def test_metrics_may_have_any_name(tmp_path, name):
    log = tmp_path / '1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({'step': 5, name: .5}), encoding='utf-8')
    assert read_scalars(tmp_path) == [{'step': 5, name: .5}]
    (tmp_path / '1.json').write_text(json.dumps({name: .5}), encoding='utf-8')
    assert read_metrics(tmp_path / '1.json') == {name: .5}


def test_files_that_are_no_logs(tmp_path):
    log = tmp_path / '1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_bytes(b'x\n' * 500_000)
    words = r'scalars\.json must be a log of a run, got more than 1000 lines of other content: line 1 must be a record'
    with pytest.raises(ValueError, match=words):
        read_scalars(tmp_path)
    log.unlink()
    log.mkdir()
    with pytest.raises(ValueError, match=r'scalars\.json must be a log of a run, got a folder'):
        read_scalars(tmp_path)
