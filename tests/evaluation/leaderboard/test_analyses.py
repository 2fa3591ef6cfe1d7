"""Tests that rows have analyses of run folders below the store only."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from leaderboard_rows import collect_warnings

from hrnet_plugin.evaluation.analysis.analysis import Analysis, Confusion
from hrnet_plugin.evaluation.analysis.files import write_analyses
from hrnet_plugin.evaluation.leaderboard import analyses
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore

TIME = '20240229_235959'
ANALYSIS = Analysis(kind='semantic', images=3, classes=['a'], precision=[.5], objects=[7], predictions=[6],
                    confusion=Confusion(overlap=None, score=None, counts=[[4, 3], [0, 0]]))


@pytest.fixture
def warnings(monkeypatch):
    return collect_warnings(monkeypatch, analyses)


def make_run(folder):
    """Make a run folder with its log and an analysis, and return the path of the analysis."""
    run = folder / TIME
    path = write_analyses(run / 'results', dict(semantic=ANALYSIS))
    (run / f'{TIME}.log').touch()
    return path


def entry_of(folder, path):
    store = ResultStore(folder / 'results.sqlite')
    store.append(Record(task='detection', config='mine', data=DataFacts(data='sample', split='', images=3, whole=False),
                        scores=Scores(metrics={'AP': .5}), conditions=Conditions(analysis=path)))
    return local_entries([store.path])[-1]


def test_analyses_of_run_folders(tmp_path, warnings):
    path = make_run(tmp_path / 'work')
    for name in (path, f'work/{TIME}/results.analysis.json'):
        found = analyses.entry_analyses(entry_of(tmp_path, name))
        assert {kind: asdict(each) for kind, each in found.items()} == dict(semantic=asdict(ANALYSIS))
    assert not warnings


def test_other_files_are_not_read(tmp_path, warnings):
    outside = tmp_path / 'outside'
    path = make_run(outside)
    store_folder = tmp_path / 'store'
    inside = make_run(store_folder)
    no_run = write_analyses(store_folder / 'work/results', dict(semantic=ANALYSIS))
    linked = store_folder / TIME / 'linked.analysis.json'
    linked.symlink_to(path)
    secret = store_folder / TIME / 'secret.json'
    secret.write_text('{}')
    for name in (path, no_run, str(linked), str(secret), f'../outside/{TIME}/results.analysis.json', '', 'x' * 9999,
                 inside + '\0', str(store_folder / TIME), '//host/share/a.analysis.json'):
        entry = entry_of(store_folder, name)
        assert entry.conditions.analysis == ''
        assert analyses.entry_analyses(entry) == {}
    assert entry_of(store_folder, inside).conditions.analysis == inside
    assert not warnings


@pytest.mark.parametrize('content', ['{', '{"semantic": {"kind": "semantic"}}', '[]'])
def test_a_bad_file_costs_the_analysis_of_its_row_only(tmp_path, warnings, content):
    path = make_run(tmp_path)
    with open(path, 'w') as file:
        file.write(content)
    entry = entry_of(tmp_path, path)
    assert analyses.entry_analyses(entry) == {}
    assert entry.scores.metrics == {'AP': 50}
    line, = warnings
    assert line.startswith('The page has no analysis of record 1 in results: ')
    assert '\n' not in line


def test_records_of_strangers_may_have_any_type(tmp_path):
    from hrnet_plugin.evaluation.leaderboard.stored_facts import read_facts
    assert read_facts(json.dumps(dict(analysis=[3])))[2].analysis == ''
