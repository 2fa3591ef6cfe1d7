"""Predictions that `hrnet test --out` writes."""

from __future__ import annotations

import os
import pickle

import pytest
import tiny_training
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from output_commands import fill
from small_disk import small_disk

from hrnet_plugin.cli.main import run


def dump(path, kind='DumpResults'):
    return dict(type='hrnet_plugin.PredictionDump', dump=kind, out_file_path=str(path))


@pytest.fixture
def words(tmp_path, monkeypatch):
    """Write config and checkpoint, and return the arguments without the file of predictions."""
    monkeypatch.chdir(tmp_path)
    tiny_training.forget_runs()
    (tmp_path / 'tiny.py').write_text(tiny_training.TEST_CONFIG)
    torch.save(dict(state_dict=tiny_training.TinyModel().state_dict()), tmp_path / 'tiny.pth')
    yield ['test', 'tiny.py', 'tiny.pth', '--work-dir', str(tmp_path / 'work'), '--out']
    tiny_training.forget_runs()  # later tests must not log to a full disk


def test_predictions_are_those_of_mmengine(words, tmp_path, capfd):
    assert run([*words, 'ours.pkl']) == 0, capfd.readouterr().err
    ours, theirs = (pickle.loads((tmp_path / f'{name}.pkl').read_bytes()) for name in ('ours', 'theirs'))
    assert len(ours) == len(theirs) == 8
    assert all(torch.equal(a['score'], b['score']) and a.keys() == b.keys() for a, b in zip(ours, theirs))


def test_predictions_are_those_of_mmdet(tmp_path):
    pytest.importorskip('mmdet')
    with DefaultScope.overwrite_default_scope('mmdet'):
        paths = [tmp_path / 'ours.pkl', tmp_path / 'theirs.pkl']
        for metric in (dump(paths[0], 'DumpDetResults'), dict(type='DumpDetResults', out_file_path=str(paths[1]))):
            evaluator = Evaluator([metric])
            evaluator.process([dict(pred_instances=dict(masks=torch.eye(9)[None] > 0), gt_instances=dict())])
            assert evaluator.evaluate(1) == {}
    ours, theirs = (pickle.loads(path.read_bytes()) for path in paths)
    assert ours == theirs
    assert set(ours[0]['pred_instances']['masks'][0]) == {'size', 'counts'}


def test_a_failure_keeps_the_earlier_file(tmp_path):
    path = tmp_path / 'x.pkl'
    path.write_text('old')
    evaluator = Evaluator([dump(path)])
    evaluator.process([dict(not_to_be_pickled=lambda: None)])
    with pytest.raises(AttributeError, match='pickle'):
        evaluator.evaluate(1)
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['x.pkl']


def test_a_full_disk(words, tmp_path, capfd):
    with small_disk(tmp_path / 'disk') as disk:
        (disk / 'x.pkl').write_text('old')
        fill(disk)
        assert run([*words, str(disk / 'x.pkl')]) == 2
        line = capfd.readouterr().err.splitlines()[-1]
        assert f'{disk}/x.pkl: No space left on device. The earlier file is unchanged' in line
        assert (disk / 'x.pkl').read_text() == 'old'
        assert sorted(os.listdir(disk)) == ['filling', 'x.pkl']


def test_a_full_work_directory(words, tmp_path, capfd):
    with small_disk(tmp_path / 'work') as disk:
        fill(disk)
        assert run([*words, str(tmp_path / 'x.pkl')]) == 2
        assert f'{disk}' in (line := capfd.readouterr().err.splitlines()[-1])
        assert 'No space left' in line
