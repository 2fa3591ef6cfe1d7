"""mmengine's checkpoints load with ``weights_only=True``; other globals are refused."""

from __future__ import annotations

import argparse
import collections
import datetime
import importlib
import os
import pathlib
import pickle

import numpy as np
import pytest
import torch
from linear_model import LinearModel, Ones
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner

from hrnet_plugin.checkpoints.file import read, read_run
from hrnet_plugin.checkpoints.loaded_arrays import LoadedArray, LoadedDtype
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.checkpoints.stand_ins import LoadedHistory, history_method
from hrnet_plugin.training.runner import HRNetRunner

allow_mmengine_checkpoints()


@pytest.fixture(params=[True, False], ids=['allow-list', 'restricted'], autouse=True)
def _with_and_without_an_allow_list(request, monkeypatch):
    """Run with the allow-list of torch 2.6 and newer, and with the restricted pickle module for older versions."""
    monkeypatch.setattr('hrnet_plugin.checkpoints.pickle_file.has_allow_list', lambda: request.param)


def test_checkpoints_of_mmengine_load(tmp_path):
    hub = MessageHub('test_safe_globals')
    for value in range(5):
        hub.update_scalar('train/loss', float(value), 2)
    hub.update_info('iter', 7)
    hub.update_info('best', np.float64(0.5))
    hub.update_info('counts', np.arange(3))
    torch.save(dict(state_dict=dict(w=torch.ones(2)), message_hub=hub.state_dict()), tmp_path / 'epoch.pth')
    loaded = torch.load(tmp_path / 'epoch.pth', weights_only=True)
    buffer = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(buffer, HistoryBuffer)
    assert buffer.statistics('mean') == 1.0  # 10 over a count of 10
    assert buffer.current() == 4.0
    assert loaded['message_hub']['runtime_info']['best'] == 0.5


class _Runs:

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('attack', [
    (os.system, 'touch {}'), (eval, 'open({!r}, "w")'), (getattr, os, 'system'), (getattr, HistoryBuffer, '__init__'),
    (getattr, HistoryBuffer, 'update'), (getattr, 'x', 'format'), (open, '{}', 'w')
], ids=str)
def test_code_in_a_checkpoint_is_refused_and_does_not_run(attack, tmp_path):
    function, *args = attack
    victim = tmp_path / 'victim'
    args = [arg.format(str(victim)) if isinstance(arg, str) else arg for arg in args]
    if os in args:
        args[args.index(os)] = HistoryBuffer  # a module cannot be pickled; a class can
    torch.save(dict(state_dict={}, extra=_Runs(function, *args)), tmp_path / 'bad.pth')
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        torch.load(tmp_path / 'bad.pth', weights_only=True)
    with pytest.raises(ValueError, match=r'bad\.pth (was refused|is not a complete checkpoint): '):
        read(tmp_path / 'bad.pth')
    assert not victim.exists()


@pytest.mark.parametrize(('owner', 'name'), [
    (os, 'system'), (HistoryBuffer, '__class__'), (HistoryBuffer, 'mean'), (LoadedHistory(), 'mean'),
    (LoadedHistory, 'statistics'), (LoadedHistory, '__init__'), (dict, 'min')])
def test_history_method_allows_four_methods(owner, name):
    with pytest.raises(ValueError, match='only the methods'):
        history_method(owner, name)
    assert history_method(LoadedHistory, 'min') == 'min'  # a string, not a callable


@pytest.mark.parametrize('nested', [False, True])
def test_classes_that_the_user_allows(nested, tmp_path):
    value = argparse.Namespace(lr=0.1, options=argparse.Namespace(a=1) if nested else None)
    message = (r'x\.pth was refused: loading it would run argparse\.Namespace, .* allow the class by '
               r'torch\.serialization\.add_safe_globals before you resume$')
    with pytest.raises(ValueError, match=message):
        loaded(value, tmp_path / 'x.pth')
    with torch.serialization.safe_globals([argparse.Namespace]):
        assert loaded(value, tmp_path / 'x.pth') == value
    with pytest.raises(ValueError, match=message):
        loaded(value, tmp_path / 'x.pth')


def test_numpy_classes_that_the_user_allows_do_not_replace_the_stand_ins(tmp_path):
    with torch.serialization.safe_globals([np.ndarray, np.dtype, _RECONSTRUCT, _SCALAR, pathlib.PosixPath]):
        for value in (np.arange(3.), [np.float64(2)], [pathlib.Path('a')]):
            assert list(loaded(value, tmp_path / 'x.pth')) == list(value)


def test_getattr_itself_is_not_allowed():
    assert getattr not in torch.serialization.get_safe_globals()


def loaded(value, path):
    torch.save(dict(state_dict=dict(w=torch.ones(2)), meta=dict(value=value, epoch=1, iter=2)), path)
    return read_run(path)['meta']['value']


@pytest.mark.parametrize('value', [
    b'', b'ab', bytearray(b'ab'), pathlib.Path('a', 'b'), pathlib.Path(), pathlib.PurePosixPath('/a'),
    pathlib.PureWindowsPath('C:/a'), slice(1, None, 2), frozenset([1]), {1}, 2j, torch.Size([1, 2]), torch.float16,
    collections.OrderedDict(a=1), collections.Counter('aab'),
    datetime.datetime(2026, 1, 2, 3), datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
    datetime.date(2026, 1, 2), datetime.time(3), datetime.timedelta(1, 2), ConfigDict(a=dict(b=[1], c=None))], ids=repr)
def test_values_besides_arrays(value, tmp_path):
    again = loaded(value, tmp_path / 'x.pth')
    assert (type(again), again) == (type(value), value)
    assert read(tmp_path / 'x.pth').tensors.keys() == {'w'}


@pytest.mark.parametrize('factory', [list, dict, int, float, str, bool, tuple, None])
def test_a_defaultdict_is_read_as_a_dict(factory, tmp_path):
    assert loaded(collections.defaultdict(factory, a=1, b=2), tmp_path / 'x.pth') == dict(a=1, b=2)


SCALARS = [np.dtype(code).type(1) for code in '?bBhHiIlLqQefdgFDG'] + [
    np.str_('ab'), np.str_(''), np.bytes_(b'ab'), np.datetime64('2026-01-02'), np.datetime64('2026-01-02T03', 'h'),
    np.timedelta64(3, 's'), np.timedelta64(3), np.datetime64('NaT')]


@pytest.mark.parametrize('value', SCALARS, ids=lambda value: f'{type(value).__name__}-{value}')
def test_scalars_of_numpy(value, tmp_path):
    again, usual = loaded(value, tmp_path / 'x.pth'), pickle.loads(pickle.dumps(value, 2))
    assert (type(again), again.dtype, repr(again)) == (type(usual), usual.dtype, repr(value))


ARRAYS = [np.zeros(0), np.zeros((0, 3), np.uint8), np.array([], str), np.array(['ab', 'c']), np.array([b'ab']),
          np.arange(6, dtype=np.uint16).reshape(2, 3), np.arange(3, dtype='>i4'), np.array([[1, 2], [3, 4]], order='F'),
          np.array(3.), np.array([1 + 2j]), np.array([True, False]), np.array(['2026-01-02'], 'M8[D]'),
          np.array([1, 'a', None, (2, 3)], dtype=object), np.array([], dtype=object), np.zeros(3, np.longdouble)]


@pytest.mark.parametrize('value', ARRAYS, ids=lambda value: f'{value.dtype}-{value.shape}')
def test_arrays_of_numpy(value, tmp_path):
    again, usual = loaded(value, tmp_path / 'x.pth'), pickle.loads(pickle.dumps(value, 2))
    assert (again.dtype, again.shape, again.tolist()) == (usual.dtype, usual.shape, value.tolist())
    assert again.flags.writeable
    # saved again by a resumed run, it is a numpy array and independent of this package
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        data = pickle.dumps(again, protocol)
        assert b'hrnet_plugin' not in data
        assert pickle.loads(data).tolist() == value.tolist()


class _Forged:
    """Object that is pickled as a call and a state."""

    def __init__(self, function, args, state=None):
        self.parts = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.parts


_RECONSTRUCT, _SCALAR = (value.__reduce__()[0] for value in (np.ndarray(0), np.float64(0)))
_PLAIN = (3, '<', None, None, None, -1, -1, 0)
_INTERFACE = collections.OrderedDict()
_INTERFACE.__array_interface__ = dict(typestr='|O', data=b'A' * 8, shape=(1, ), version=3)
_POINTER = b'\x41' * 8
FORGERIES = {
    'array of pointers': _Forged(np.ndarray, ((1, ), 'O', _POINTER)),
    'huge array': _Forged(np.ndarray, ((1 << 40, ), 'f8')),
    'huge empty array': _Forged(_RECONSTRUCT, (np.ndarray, (1 << 40, ), b'b')),
    'array of another class': _Forged(_RECONSTRUCT, (np.dtype, (0, ), b'b')),
    'pointers in a state': _Forged(_RECONSTRUCT, (np.ndarray, (0, ), b'b'), (
        1, (1, ), _Forged(np.dtype, ('O8', False, True), (3, '|', None, None, None, -1, -1, 0)), False, _POINTER)),
    'fields of pointers': _Forged(_RECONSTRUCT, (np.ndarray, (0, ), b'b'), (
        1, (1, ), _Forged(np.dtype, ('f8', False, True), (
            3, '|', None, ('a', ), {'a': (_Forged(np.dtype, ('O8', False, True)), 0)}, 8, 1, 0)), False, _POINTER)),
    'void': _Forged(np.dtype, ('V8', False, True)),
    'structure': _Forged(np.dtype, ([('a', 'O')], )),
    'too few bytes': _Forged(_RECONSTRUCT, (np.ndarray, (0, ), b'b'), (
        1, (1000, ), _Forged(np.dtype, ('f8', False, True), _PLAIN), False, b'1234')),
    'items without bytes': _Forged(_RECONSTRUCT, (np.ndarray, (0, ), b'b'), (
        1, (1 << 60, ), _Forged(np.dtype, ('U0', False, True), _PLAIN), False, b'')),
    'scalar of pointers': _Forged(_SCALAR, (_Forged(np.dtype, ('O8', False, True)), _POINTER)),
    'short scalar': _Forged(_SCALAR, (_Forged(np.dtype, ('f8', False, True)), b'12')),
    'unknown unit': _Forged(np.dtype, ('M8', False, True), (
        4, '<', None, None, None, -1, -1, 0, ({}, (b'D]', 1, 1, 1)))),
    'huge bytes': _Forged(bytes, (1 << 40, )),
    'bytes of an iterable': _Forged(bytes, ([1, 2], )),
    'called factory': _Forged(list, ((1, 2), )),
    'too few objects': _Forged(_RECONSTRUCT, (np.ndarray, (0, ), b'b'), (
        1, (3, ), _Forged(np.dtype, ('O8', False, True)), False, [])),
    'history of an interface': _Forged(HistoryBuffer, (_INTERFACE, _INTERFACE)),
    'history of objects': _Forged(HistoryBuffer, (), dict(
        max_length=9, _log_history=np.array([None], object), _count_history=np.zeros(1))),
    'history of a mapping': _Forged(HistoryBuffer, (), dict(
        max_length=9, _log_history=_INTERFACE, _count_history=_INTERFACE)),
    'history without counts': _Forged(HistoryBuffer, (), dict(
        max_length=9, _log_history=np.zeros(2), _count_history=np.zeros(1))),
    'attribute of a method': _Forged(torch._tensor._rebuild_from_type_v2, (
        getattr, int, (HistoryBuffer, 'min'), dict(__doc__='changed'))),
    'path of a mapping': _Forged(pathlib.PosixPath, (dict(a=1), )),
    'config of a list': _Forged(ConfigDict, ([1], )),
}


@pytest.mark.parametrize('kind', FORGERIES)
def test_states_that_numpy_does_not_validate_are_refused(kind, tmp_path):
    torch.save(dict(state_dict=dict(w=torch.ones(2)), meta=FORGERIES[kind]), tmp_path / 'x.pth')
    words = r'^\S*x\.pth (is not a complete checkpoint: (TypeError|AttributeError)|was refused: )'
    with pytest.raises(ValueError, match=words) as caught:
        read(tmp_path / 'x.pth')
    assert '\n' not in str(caught.value)


def test_a_second_state_of_an_array_is_refused():
    array = LoadedArray()
    _, _, (*_, values) = np.arange(3.).__reduce__()
    state = 1, (3, ), LoadedDtype('f8'), False, values
    array.__setstate__(state)
    assert array.tolist() == [0., 1., 2.]
    with pytest.raises(ValueError, match='must get its shape once'):  # a tensor may share its memory
        array.__setstate__(state)


def test_config_text_is_dropped(tmp_path):
    """mmengine's runner would execute ``meta['config']`` of old checkpoints as a Python config."""
    victim = tmp_path / 'victim'
    text = f"_base_ = []\n__import__('pathlib').Path({str(victim)!r}).touch()\n"
    content = dict(state_dict=LinearModel().state_dict(), meta=dict(config=text, epoch=0, iter=0))
    torch.save(content, tmp_path / 'x.pth')
    runner = HRNetRunner(
        LinearModel(), str(tmp_path / 'work'), train_cfg=dict(by_epoch=True, max_epochs=1),
        train_dataloader=dict(batch_size=1, dataset=Ones(1, {}), sampler=dict(type='DefaultSampler')),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)), log_level='ERROR', resume=True,
        load_from=str(tmp_path / 'x.pth'), experiment_name='text')
    with pytest.raises(KeyError):  # raised by the missing message hub, which mmengine reads after the config
        runner.train()
    assert not victim.exists()


@pytest.mark.parametrize('name', ['ndarray', 'dtype'])
def test_numpy_classes_are_not_allowed(name):
    assert getattr(np, name) not in torch.serialization.get_safe_globals()


def same(a, b):
    if isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], value) for key, value in b.items())
    if isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize('host', ['mmdet', 'mmpose', 'mmseg'])
def test_meta_information_of_all_datasets_loads(host, tmp_path):
    """mmengine stores the meta information of a dataset, which has an empty array for faces."""
    pytest.importorskip(host)
    importlib.import_module(f'{host}.utils').register_all_modules(init_default_scope=False)
    registry = importlib.import_module(f'{host}.registry').DATASETS
    tried = 0
    for name, kind in sorted(registry.module_dict.items()):
        if not getattr(kind, 'METAINFO', None):  # dataset wrapper, or defined by configs
            continue
        metainfo = kind._load_metainfo(dict(extra=ConfigDict(a=[1]), **kind.METAINFO))
        runner = Runner(
            LinearModel(), str(tmp_path / name), train_cfg=dict(by_epoch=True, max_epochs=1),
            train_dataloader=dict(batch_size=1, dataset=Ones(1, metainfo), sampler=dict(type='DefaultSampler')),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)), log_level='ERROR',
            experiment_name=f'{host}-{name}', default_scope='mmengine')
        runner.train()
        path = tmp_path / name / 'epoch_1.pth'
        assert read(path).tensors.keys() == {'layer.weight', 'layer.bias'}
        assert same(torch.load(path, weights_only=True)['meta']['dataset_meta'], metainfo), name
        tried += 1
    assert tried >= dict(mmdet=20, mmpose=30, mmseg=20)[host], tried


def test_a_resumed_run_saves_its_checkpoint_again(tmp_path):
    def train(epochs, **options):
        runner = HRNetRunner(
            LinearModel(), str(tmp_path), train_cfg=dict(by_epoch=True, max_epochs=epochs),
            train_dataloader=dict(batch_size=1, dataset=Ones(1, dict(a=np.zeros(0))),
                                  sampler=dict(type='DefaultSampler')),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)), log_level='ERROR',
            experiment_name=f'resumed-{epochs}', **options)
        runner.message_hub.update_info('counts', np.arange(3))
        runner.train()

    train(1)
    train(2, resume=True, load_from=str(tmp_path / 'epoch_1.pth'))
    assert torch.load(tmp_path / 'epoch_2.pth', weights_only=True)['meta']['epoch'] == 2
    content = (tmp_path / 'epoch_2.pth').read_bytes()
    assert b'LoadedArray' not in content
