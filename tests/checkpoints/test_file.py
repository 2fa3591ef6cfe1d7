"""Reading and writing checkpoints, and one-line errors for invalid files."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import pickle
import struct
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file, save_file

from hrnet_plugin.checkpoints.file import Checkpoint, read, read_run, write
from hrnet_plugin.models import HRNet

WEIGHTS = {'conv1.weight': torch.arange(6.).view(2, 3)}


class Runs:
    def __reduce__(self):
        return os.system, ('touch victim', )


@pytest.mark.parametrize('content', [
    WEIGHTS, {'state_dict': WEIGHTS, 'epoch': 3}, {'model': WEIGHTS}, {'network': WEIGHTS, 'optimizer': {}},
    {'state_dict': {'model': WEIGHTS}}, {'model': 'HRNet', 'state_dict': WEIGHTS}])
def test_nested_state_dicts_are_read(content, tmp_path):
    torch.save(content, tmp_path / 'x.pth.tar')
    tensors = read(tmp_path / 'x.pth.tar').tensors
    assert list(tensors) == ['conv1.weight']
    assert torch.equal(tensors['conv1.weight'], WEIGHTS['conv1.weight'])


def test_old_and_renamed_files_are_read(tmp_path):
    torch.save(WEIGHTS, tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    save_file(WEIGHTS, tmp_path / 'named.pth')
    for name in ('old.pth', 'named.pth'):
        assert torch.equal(read(tmp_path / name).tensors['conv1.weight'], WEIGHTS['conv1.weight'])


@pytest.mark.parametrize('suffix', ['.safetensors', '.pth'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_write_and_read(suffix, dtype, tmp_path):
    network = HRNet('w18_small_v1', upsample='bilinear').to(dtype)
    shared = torch.rand(4, 4).to(dtype)
    tensors = OrderedDict({**network.state_dict(), 'a': shared, 'b': shared.t(), 'c': torch.tensor(3)})
    checkpoint = Checkpoint('here', tensors, {'backbone': {'upsampling': 'bilinear'}}, {'old.bias': torch.rand(2)})
    write(checkpoint, tmp_path / f'x{suffix}')
    again = read(tmp_path / f'x{suffix}')
    assert again.tensors.keys() == tensors.keys()
    assert all(torch.equal(again.tensors[name], x) and again.tensors[name].dtype == dtype for name, x in tensors.items()
               if x.is_floating_point())
    assert again.tensors['c'] == 3
    assert again.metadata == checkpoint.metadata
    assert torch.equal(again.kept['old.bias'], checkpoint.kept['old.bias'])
    assert os.listdir(tmp_path) == [f'x{suffix}']


def test_torch_and_mmengine_read_written_files(tmp_path):
    checkpoint = Checkpoint('here', OrderedDict(WEIGHTS), {'': {'upsampling': 'nearest'}})
    write(checkpoint, tmp_path / 'x.safetensors')
    assert load_file(tmp_path / 'x.safetensors').keys() == WEIGHTS.keys()
    write(checkpoint, tmp_path / 'x.pth')
    loaded = torch.load(tmp_path / 'x.pth', weights_only=True)['state_dict']
    assert loaded._metadata[''] == {'upsampling': 'nearest'}


def test_existing_files_are_not_overwritten(tmp_path):
    checkpoint = Checkpoint('here', OrderedDict(WEIGHTS))
    with pytest.raises(ValueError, match=r'must end in \.safetensors or \.pth'):
        write(checkpoint, tmp_path / 'x.bin')
    (tmp_path / 'x.pth').write_text('mine')
    with pytest.raises(FileExistsError, match='exists and is not overwritten'):
        write(checkpoint, tmp_path / 'x.pth')
    assert (tmp_path / 'x.pth').read_text() == 'mine'
    checkpoint.tensors['bad'] = 'no tensor'
    with pytest.raises(AttributeError):
        write(checkpoint, tmp_path / 'y.safetensors')
    assert os.listdir(tmp_path) == ['x.pth']


def zipped(content):
    def write_file(path):
        torch.save(content, path)
    return write_file


def cut(save, share):
    def write_file(path):
        save(path)
        data = path.read_bytes()
        path.write_bytes(data[:int(len(data) * share)])
    return write_file


def raw(data):
    return lambda path: path.write_bytes(data)


def header(content, size=None):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return raw(struct.pack('<Q', len(text) if size is None else size) + text)


class Calls(Runs):
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def endless():
    content = {'epoch': 1}
    content['model'] = content
    return content


def mutual():
    first, second = {'epoch': 1}, {'epoch': 2}
    first['state_dict'], second['network'] = second, first
    return first


BIG = {'conv1.weight': torch.rand(100, 100)}
BAD = {
    'empty': (raw(b''), 'is empty'),
    'web page': (raw(b'<!DOCTYPE html><html>Sign in</html>'), 'is a web page, not a checkpoint'),
    'web page after spaces': (raw(b'\n  <html><body>'), 'is a web page'),
    'pointer of Git LFS': (raw(b'version https://git-lfs.github.com/spec/v1\noid'), 'is a Git LFS pointer'),
    'text': (raw(b'error 404: no such file'), "is not a checkpoint: it begins with b'error 404: no su'"),
    'JPEG image': (raw(b'\xff\xd8\xff\xe0' + bytes(60)), 'is not a checkpoint: it begins with'),
    'short': (raw(b'abc'), "is not a checkpoint: it begins with b'abc'"),
    'cut zip': (cut(zipped(BIG), 0.6), 'is not a complete checkpoint: '),
    'cut old file': (cut(lambda p: torch.save(BIG, p, _use_new_zipfile_serialization=False), 0.6), 'is not a'),
    'zip of something else': (raw(b'PK\x05\x06' + bytes(18)), 'is not a (complete )?checkpoint: '),
    'pickle that runs': (lambda p: p.write_bytes(pickle.dumps(Runs(), 2)), 'was refused|is not a checkpoint'),
    'checkpoint that runs': (zipped({'state_dict': WEIGHTS, 'x': Runs()}), r'was refused: .* would run \S+\.system'),
    'whole module': (zipped(torch.nn.Conv2d(1, 1, 1)), r'was refused: .* would run torch\.nn\.\S*Conv2d'),
    **{f'checkpoint that calls {function.__name__}': (
        zipped({'state_dict': WEIGHTS, 'x': Calls(function, 'victim')}),
        rf'was refused: loading it would run \S*{function.__name__}, which a checkpoint must not do\. If you trust')
       for function in (eval, exec, open, print, os.system, os.remove, pickle.loads, compile, __import__)},
    'checkpoint in itself': (zipped(endless()), 'was refused: a value must not contain itself'),
    'checkpoints in each other': (zipped(mutual()), 'was refused: a value must not contain itself'),
    'nine wrappers': (zipped(functools.reduce(lambda inner, _: {'model': inner}, range(9), WEIGHTS)),
                      'must have its tensors in at most 8 nested mappings, got'),
    'invalid kept tensors': (zipped({'model': WEIGHTS, 'hrnet_plugin': {'kept': 3}}), 'is not a checkpoint: Type'),
    'invalid own metadata': (zipped({'model': WEIGHTS, 'hrnet_plugin': {'notes': [1]}}), 'is not a checkpoint: Attr'),
    'list': (zipped([torch.zeros(1)]), 'must contain a mapping of names to tensors, got list'),
    'optimizer only': (zipped({'optimizer': {}, 'epoch': 1}), 'has no tensors; its entries are: optimizer, epoch'),
    'no entries': (zipped({}), 'has no tensors; its entries are: none'),
    'something beside tensors': (zipped({**WEIGHTS, 'x': 3}), "must map names to tensors only, got 'x': int"),
    'numbers as names': (zipped({1: torch.zeros(1)}), 'must map names to tensors only, got 1: Tensor'),
    'huge header': (header({}, 1 << 60), 'must have a header of at most .*, got 1152921504606846976'),
    'header beyond the end': (header({}, 5000), 'is cut off: its header has 5000 bytes'),
    'header that is no JSON': (header(b'{"a": '), 'is not a complete safetensors file'),
    'tensor beyond the end': (header({'a': dict(dtype='F32', shape=[9], data_offsets=[0, 36])}),
                              'is not a complete safetensors file'),
    'no tensors': (header({}), 'has no tensors'),
    'invalid metadata': (lambda p: save_file(WEIGHTS, p, {'hrnet_plugin': '[1]'}),
                         'must have a mapping of modules to metadata, got'),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_files(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, message = BAD[kind]
    make(tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=rf'^\S*x\.pth {message}') as caught:
        read(tmp_path / 'x.pth')
    assert '\n' not in str(caught.value)
    assert 'safe_globals' not in str(caught.value)  # torch would advise to allow the global
    assert 'weights_only' not in str(caught.value)
    assert os.listdir(tmp_path) == ['x.pth']


def test_paths_other_than_files(tmp_path):
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    for name, error in (('missing', FileNotFoundError), ('loop', OSError), ('', IsADirectoryError)):
        with pytest.raises(error):
            read(tmp_path / name)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / 'x.pth'))

    monkeypatch.setattr('hrnet_plugin.files.scratch.os.open', refuse)
    with pytest.raises(OSError, match=r"Read-only file system\. \S+ must be writable: '\S*x\.pth'"):
        write(Checkpoint('here', OrderedDict(WEIGHTS)), tmp_path / 'x.pth')
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_no_files(tmp_path, monkeypatch):
    def fill(path, content):
        path.write_text('half')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr('hrnet_plugin.checkpoints.file.Path.write_bytes', fill)
    with pytest.raises(OSError, match='No space left'):
        write(Checkpoint('here', OrderedDict(WEIGHTS)), tmp_path / 'x.pth')
    assert os.listdir(tmp_path) == []


def test_read_run(tmp_path):
    path = tmp_path / 'x.pth'
    run = dict(state_dict=WEIGHTS, meta=dict(epoch=1, iter=5), optimizer={}, message_hub={})
    torch.save(run, path)
    assert set(read_run(path)) == {'state_dict', 'meta', 'optimizer', 'message_hub'}
    average = dict(state=[dict(exp_avg=torch.zeros(1).expand(1 << 38))])
    for content, message in (
            (WEIGHTS, 'must be a checkpoint of a run'), (dict(meta=Runs()), 'was refused: '),
            ({**run, 'meta': {}}, 'must have an integer epoch in meta to resume from it, got None. Use load_from'),
            ({**run, 'meta': dict(epoch=1, iter='a')}, "must have an integer iter in meta .* got 'a'"),
            ({**run, 'optimizer': average}, 'must have tensors of at most 16777216 bytes .* up to exp_avg')):
        torch.save(content, path)
        with pytest.raises(ValueError, match=rf'^\S*x\.pth {message}'):
            read_run(path)
    with pytest.raises(FileNotFoundError, match=r'gone\.pth'):
        read_run(tmp_path / 'gone.pth')


@pytest.mark.parametrize('metadata', [None, 3, {'': None}, {'': 3, 'conv': {'version': 2}}], ids=str)
def test_metadata_that_are_no_mapping_are_ignored(metadata, tmp_path):
    state_dict = OrderedDict(WEIGHTS)
    state_dict._metadata = metadata
    torch.save(state_dict, tmp_path / 'x.pth')
    found = read(tmp_path / 'x.pth')
    assert found.tensors.keys() == WEIGHTS.keys()
    assert found.metadata == ({'conv': {'version': 2}} if metadata and 'conv' in str(metadata) else {})


@pytest.mark.parametrize('new', [True, False], ids=['zip', 'old'])
def test_errors_of_the_disk_remain(new, tmp_path, monkeypatch):
    path = tmp_path / 'x.pth'
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=new)

    class Broken(io.FileIO):
        def readinto(self, buffer):
            return super().readinto(buffer) if self.tell() == 0 and len(buffer) <= 64 else self.readall()

        def readall(self):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def broken(file, *args, **options):
        return io.BufferedReader(Broken(file), 64)

    with monkeypatch.context() as patch:
        patch.setattr('zipfile.io.open', broken)
        patch.setattr('hrnet_plugin.checkpoints.file.Path.open', broken)
        patch.setattr('hrnet_plugin.checkpoints.pickle_file.mmap.mmap', unmapped)
        with pytest.raises(OSError, match=r"Input/output error: '\S*x\.pth'"):
            read(path)


def unmapped(*args, **options):
    raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


def test_files_that_cannot_be_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr('hrnet_plugin.checkpoints.pickle_file.mmap.mmap', unmapped)
    torch.save(WEIGHTS, tmp_path / 'x.pth', _use_new_zipfile_serialization=False)
    assert read(tmp_path / 'x.pth').tensors.keys() == WEIGHTS.keys()


@pytest.mark.slow
def test_a_large_run_with_one_parameter_group_per_tensor(tmp_path):
    tensors = {f'backbone.layer{i}.conv.weight': torch.ones(1) for i in range(9000)}
    options = dict(lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, amsgrad=False, maximize=False, foreach=None,
                   capturable=False, differentiable=False, fused=None, decoupled_weight_decay=True, initial_lr=0.1)
    optimizer = dict(state={i: dict(step=torch.ones(()), exp_avg=torch.ones(1), exp_avg_sq=torch.ones(1))
                            for i in range(9000)},
                     param_groups=[dict(options, lr=0.1 / (i + 1), params=[i]) for i in range(9000)])
    run = dict(state_dict=tensors, ema_state_dict={f'module.{name}': torch.ones(1) for name in tensors},
               optimizer=optimizer, meta=dict(epoch=1, iter=2))
    torch.save(run, tmp_path / 'x.pth')
    assert len(read_run(tmp_path / 'x.pth')['optimizer']['param_groups']) == 9000
