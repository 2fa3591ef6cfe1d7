"""Hostile checkpoints are refused in one line, in little time and memory."""

from __future__ import annotations

import os
import re
import time

import pytest
import torch
from hostile_checkpoints import HARMLESS, HOSTILE

from hrnet_plugin.checkpoints.file import read
from hrnet_plugin.cli.main import run


@pytest.fixture(params=[True, False], ids=['allow-list', 'restricted'], autouse=True)
def _with_and_without_an_allow_list(request, monkeypatch):
    """Run with the allow-list of torch 2.6 and newer, and with the restricted pickle module for older versions."""
    monkeypatch.setattr('hrnet_plugin.checkpoints.pickle_file.has_allow_list', lambda: request.param)


@pytest.mark.parametrize('kind', HOSTILE)
def test_hostile_files_are_refused(kind, tmp_path, monkeypatch):
    content, message = HOSTILE[kind]
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'x.pth').write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError, match=rf'^x\.pth {message}') as caught:
        read('x.pth')
    assert time.process_time() - start < 5
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert os.listdir() == ['x.pth']


@pytest.mark.parametrize('kind', HARMLESS)
def test_harmless_files_are_read(kind, tmp_path):
    (tmp_path / 'x.pth').write_bytes(HARMLESS[kind])
    checkpoint = read(tmp_path / 'x.pth')
    assert all(type(tensor) is torch.Tensor for tensor in checkpoint.tensors.values())
    assert all(re.fullmatch(r'x\d', name) for name in checkpoint.tensors)
    assert all(value == 'nearest' for entries in checkpoint.metadata.values() for value in entries.values())


@pytest.mark.parametrize('kind', ['compressed pickle', 'expanded to 4 TB', 'deep list', 'meta tensor', 'nested tensor',
                                  'sparse tensor', 'quantized tensor', 'key with escapes', 'deep metadata'])
def test_commands_print_one_line(kind, tmp_path, capsys):
    path = tmp_path / 'x.pth'
    path.write_bytes(HOSTILE[kind][0])
    for words in (['inspect', str(path)], ['convert', str(path), str(tmp_path / 'y.pth'), '--to', 'mmdet']):
        assert run(words) == 2
        printed = capsys.readouterr()
        assert printed.out == ''
        assert re.fullmatch(rf'hrnet {words[0]}: error: \S+x\.pth .* \(traceback: --debug\)\n', printed.err)
    assert os.listdir(tmp_path) == ['x.pth']


def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    for path in (tmp_path / 'pipe', '/dev/zero'):
        with pytest.raises(OSError, match='must be a file, got a device or pipe'):
            read(path)
