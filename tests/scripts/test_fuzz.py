"""The fuzz harness finds planted failures, and the readers of the package have none."""

from __future__ import annotations

import importlib
import os
import time

import pytest
from paths import ROOT

READERS = ('results', 'masks', 'truth', 'data-check', 'analyses', 'comparison', 'log', 'rle', 'pth', 'legacy-pth',
           'safetensors', 'store', 'store-row', 'download', 'config', 'rows', 'label-map', 'predictions', 'image',
           'export-metadata', 'command')


@pytest.fixture(scope='module')
def fuzz():
    for host in ('mmdet', 'mmseg', 'mmpretrain'):
        pytest.importorskip(host)
    if not os.path.exists('/proc/self/clear_refs'):
        pytest.skip('requires Linux')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('fuzz')


def hang(file, folder):
    time.sleep(60)


def crash(file, folder):
    os.abort()


def hog(file, folder):
    return len(bytes(file.stat().st_size) + b'x' * 400_000_000)


def traceback(file, folder):
    raise KeyError('bbox')


def long_message(file, folder):
    raise ValueError('x' * 5000)


def refuse(file, folder):
    raise ValueError('results must be a list')


@pytest.mark.parametrize(('read', 'kind'), [(hang, 'hang'), (crash, 'crash'), (hog, 'memory'), (traceback, 'error'),
                                            (long_message, 'message'), (refuse, 'refused'), (len, 'error')])
def test_planted_failures_are_found(fuzz, monkeypatch, tmp_path, read, kind):
    monkeypatch.setattr(fuzz, 'MOST_SECONDS', 1. if kind == 'hang' else 20.)
    monkeypatch.setitem(fuzz.TARGETS, 'planted', fuzz.Target('planted', lambda folder: [b'{"a": 1}'], read))
    outcomes = list(fuzz.fuzz('planted', range(2), tmp_path))
    assert [outcome.kind for outcome in outcomes] == [kind, kind]  # the second one in a new process
    assert outcomes[0].is_finding == (kind != 'refused')


def test_inputs_are_those_of_the_seed(fuzz, valid_data):
    for target in fuzz.TARGETS.values():
        first = [target.make_input(seed, valid_data) for seed in range(5)]
        assert first == [target.make_input(seed, valid_data) for seed in range(5)]
        assert len(set(first)) > 1


@pytest.fixture(scope='module')
def valid_data(fuzz, tmp_path_factory):
    folder = tmp_path_factory.mktemp('fuzz') / 'data'
    fuzz.write_data(folder)
    fuzz.prepare()
    return folder


@pytest.mark.slow  # a minute for all of them
@pytest.mark.parametrize('name', READERS)
def test_readers_accept_or_refuse(fuzz, valid_data, name):
    """At length: python scripts/fuzz.py --inputs 10000."""
    outcomes = list(fuzz.fuzz(name, range(7, 207), valid_data))
    assert [outcome for outcome in outcomes if outcome.is_finding] == []
    assert {outcome.kind for outcome in outcomes} == {'accepted', 'refused'}


def test_each_reader_is_tested(fuzz):
    assert set(READERS) == set(fuzz.TARGETS)
