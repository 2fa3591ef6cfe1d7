"""Exported models are stored once, verified before use, and a broken cache is no error."""

from __future__ import annotations

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import randomize
from output_commands import exit_code, fork, kill_at
from torch import nn

from hrnet_plugin.execution.engine_cache import FOLDER_VARIABLE, MAX_FILES, cache_folder, graph_key, read_or_make
from hrnet_plugin.execution.graph import EXPORT_PASSES, rewrite, trace
from hrnet_plugin.execution.onnx_export import ExportableConv, export_onnx
from hrnet_plugin.models import HRNet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'engines'


class Maker:
    """Export that counts its calls."""

    def __init__(self, content=b'model'):
        self.content, self.calls = content, 0

    def __call__(self):
        self.calls += 1
        return self.content


def test_a_model_is_made_once(folder):
    make = Maker()
    assert [read_or_make('key', make) for _ in range(3)] == [b'model'] * 3
    assert make.calls == 1
    assert read_or_make('other', Maker(b'another')) == b'another'
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize('damage', [b'', b'x', b'x' * 100])
def test_a_damaged_file_is_not_used(folder, damage):
    read_or_make('key', Maker())
    path, = folder.iterdir()
    path.write_bytes(damage or path.read_bytes()[:-1])
    make = Maker(b'made again')
    assert [read_or_make('key', make) for _ in range(2)] == [b'made again'] * 2
    assert make.calls == 1


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='requires fork')
def test_kills_at_each_file_operation(folder):
    """A cached model is old or new, and the next export replaces it or the rest of a killed one."""
    read_or_make('key', Maker(b'old'))
    whole, kills = (folder / 'key.onnx').read_bytes(), 0
    for number in itertools.count(1):
        (folder / 'key.onnx').write_bytes(whole[:-1])  # damaged
        child = fork(lambda: read_or_make('key', Maker(b'new')) != b'new', folder.parent, kill_at(number))
        if exit_code(child) is not None:
            break
        kills += 1
        assert read_or_make('key', Maker(b'newer')) in (b'new', b'newer')
        assert os.listdir(folder) == ['key.onnx']
    assert kills >= 4  # scratch file, half of the content, flush, renaming


def test_a_folder_that_cannot_be_written(folder):
    folder.parent.write_text('a file in its place')
    make = Maker()
    assert [read_or_make('key', make) for _ in range(2)] == [b'model'] * 2
    assert make.calls == 2


def test_a_full_disk(folder, monkeypatch):
    def write_bytes(self, data):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('pathlib.Path.write_bytes', write_bytes)
    assert read_or_make('key', Maker()) == b'model'
    assert list(folder.iterdir()) == []


def test_the_number_of_files_is_limited(folder):
    for number in range(MAX_FILES):
        read_or_make(f'key {number}', Maker())
        os.utime(folder / f'key {number}.onnx', (number, number))
    read_or_make('key 0', Maker())  # now the latest one
    read_or_make('new', Maker())
    assert {path.stem for path in folder.iterdir()} == {'new', 'key 0', *(f'key {n}' for n in range(2, MAX_FILES))}


def test_concurrent_writers(folder):
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: read_or_make('key', lambda: time.sleep(0.02) or b'm' * 10**6), range(16)))
    assert set(read) == {b'm' * 10**6}
    assert [path.name for path in folder.iterdir()] == ['key.onnx']


@pytest.mark.parametrize(('variables', 'expected'), [
    ({FOLDER_VARIABLE: '/a', 'XDG_CACHE_HOME': '/b'}, '/a/engines'),
    ({FOLDER_VARIABLE: '', 'XDG_CACHE_HOME': '/b'}, '/b/hrnet_plugin/engines'),
    ({FOLDER_VARIABLE: '', 'XDG_CACHE_HOME': '', 'HOME': '/c'}, '/c/.cache/hrnet_plugin/engines')])
def test_folder(variables, expected, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache_folder()) == expected


def key(model):
    attributes, graph = rewrite(model, trace(model), EXPORT_PASSES, ExportableConv)
    return graph_key(graph, attributes)


def test_keys_change_with_weights_and_structure():
    def model(**options):
        torch.manual_seed(0)
        return randomize(HRNet('w18_small_v1', **options)).eval()

    assert key(model()) == key(model())
    changed = model()
    changed.stage4[0].branches[0][0].conv1.weight.data[0, 0, 0, 0] += 1e-3
    strided = model()
    strided.conv2.stride = (1, 1)
    others = [changed, strided, model(upsample='bilinear'), model(multiscale_output=False)]
    assert len({key(each) for each in (model(), *others)}) == 5


def test_keys_change_with_constants_of_layers():
    def layer(**options):
        return graph_key(torch.fx.Graph(), dict(layer=nn.AvgPool2d(2, **options)))

    assert layer() == layer()
    assert len({layer(), layer(ceil_mode=True), layer(count_include_pad=False)}) == 3


def test_files_of_other_users_are_not_used(folder, monkeypatch):
    read_or_make('key', Maker())
    monkeypatch.setattr('os.getuid', lambda: 12345)
    assert read_or_make('key', Maker(b'made again')) == b'made again'


def test_a_read_only_folder(folder, monkeypatch):
    read_or_make('key', Maker())

    def touch(self):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('pathlib.Path.touch', touch)
    make = Maker()
    assert read_or_make('key', make) == b'model'
    assert make.calls == 0


def test_without_cache(folder):
    pytest.importorskip('onnx')
    model = randomize(nn.Sequential(HRNet('w18_small_v1')))[0].eval()
    x = [torch.zeros(1, 3, 64, 64)]
    made, _ = export_onnx(model, trace(model), x, use_cache=False)
    assert not folder.exists()
    assert export_onnx(model, trace(model), x)[0] == made
    assert len(list(folder.iterdir())) == 1
