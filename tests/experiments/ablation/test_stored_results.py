"""Tests of the stored results of a study, which a full disk or another version can damage."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.experiments.ablation.runs import Run
from hrnet_plugin.experiments.ablation.study import Study, Variant

STORED = dict(variant='all', seed=0, metrics={'AP': 50.5}, step_seconds=.5, setting={})
DAMAGED = {
    'cut': (json.dumps(STORED)[:-10], 'got invalid JSON'), 'binary': ('\x00\x80', 'got invalid JSON'),
    'deep': ('[' * 100_000, 'got more than 64 nested'), 'list': ('[]', 'got a list'),
    'a field is missing': (json.dumps({**STORED, 'seed': None}), "with valid seed, got {'seed': None}"),
    'another field': (json.dumps({**STORED, 'more': 1}), 'with valid variant, seed, metrics'),
    'other metrics': (json.dumps({**STORED, 'metrics': {'PCK': 1}}), "with valid metrics, got {'metrics': {'PCK': 1}}"),
    'text as metric': (json.dumps({**STORED, 'metrics': {'AP': '1'}}), 'with valid metrics'),
    'NaN as metric': (json.dumps({**STORED, 'metrics': {'AP': float('nan')}}), 'got NaN, which is no number of JSON'),
    'huge time': (json.dumps({**STORED, 'step_seconds': 10**400}), 'with valid step_seconds'),
}


@pytest.fixture
def run(tmp_path):
    variant = Variant('all', 'fcn_hrnetv2-w18-small-v1_sample', {}, {})
    run = Run(Study('mine', [variant], {'AP': 'coco/AP'}, 100, (64, 64), 1), variant, 0, tmp_path)
    run.folder.mkdir(parents=True)
    return run


@pytest.mark.parametrize(('text', 'words'), DAMAGED.values(), ids=DAMAGED)
def test_damaged_results_are_named(run, text, words):
    file = run.folder / 'result.json'
    file.write_text(text)
    with pytest.raises(ValueError, match=rf'result\.json must be a result of this study.* {words}') as caught:
        run.result()
    assert '\n' not in str(caught.value)


def _log(run, *records):
    log = run.folder / 'work/1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('\n'.join(map(json.dumps, records)))


def test_results_of_diverged_runs_can_be_read(run):
    """Store finite numbers only, although the log has others."""
    nan = float('nan')
    _log(run, dict(step=1, loss=nan, time=nan), dict(step=2, loss=1, time='a'), {'step': 2, 'coco/AP': nan})
    stored = run.save_result({})
    assert (stored.metrics, stored.step_seconds) == ({'AP': None}, None)
    assert run.result() == stored
