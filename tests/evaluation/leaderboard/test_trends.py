"""Tests of the metrics of training runs over their evaluations."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.cli import leaderboard
from hrnet_plugin.evaluation.leaderboard.trends import Trend, read_trend


def write(work_dir, session, records):
    folder = work_dir / session / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))


def epochs(*numbers):
    for number in numbers:
        yield dict(loss=1., lr=.1, epoch=number, iter=10 * number, step=10 * number)
        yield {'coco/bbox_mAP': number / 10, 'coco/bbox_mAP_s': -1, 'time': .1, 'step': number}


def test_a_resumed_run_by_epochs(tmp_path):
    write(tmp_path / 'mine', '20260101_000000', epochs(1, 2, 3))
    write(tmp_path / 'mine', '20260101_000001', epochs(3, 4))
    assert read_trend(tmp_path / 'mine') == Trend(
        name='mine', unit='epoch', steps=(1, 2, 3, 4), titles={'AP': 'AP', 'APs': 'APs'}, lower=(),
        values={'AP': (10, 20, pytest.approx(30), 40), 'APs': (None, None, None, None)})


def test_a_resumed_run_by_iterations(tmp_path):
    for session, steps in (('20260101_000000', (50, 100)), ('20260101_000001', (150, 200))):
        write(tmp_path, session, [record for step in steps for record in (
            dict(loss=1., iter=step, step=step), dict(mIoU=float(step), NME=.05, step=0))])
    trend = read_trend(tmp_path)
    assert (trend.unit, trend.steps) == ('iteration', (50, 100, 150, 200))
    assert trend.values['mIoU'] == (50, 100, 150, 200)


def test_metrics_of_which_lower_values_are_better(tmp_path):
    write(tmp_path, '20260101_000000', [dict(loss=1., epoch=1, iter=9, step=9), dict(EPE=3., step=1)])
    trend = read_trend(tmp_path)
    assert (trend.lower, trend.titles) == (('EPE', ), {'EPE': 'EPE (px)'})


def test_folders_without_evaluations(tmp_path):
    words = 'must be the work directory of a training run with evaluations, got none'
    with pytest.raises(FileNotFoundError, match=words):
        read_trend(tmp_path)
    write(tmp_path, '20260101_000000', [dict(loss=1., epoch=1, iter=9, step=9)])
    with pytest.raises(FileNotFoundError, match=words):
        leaderboard.main(['--runs', str(tmp_path), '--out', str(tmp_path / 'out'), '--source', 'paper'])
    assert not (tmp_path / 'out').exists()


def test_runs_require_a_page(tmp_path, capsys):
    with pytest.raises(SystemExit):
        leaderboard.main(['--runs', str(tmp_path)])
    assert '--runs and --pictures require --out' in capsys.readouterr().err
