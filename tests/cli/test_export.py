"""The subcommand ``export``: files, metadata, and one line for each error, with nothing left behind."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.cli.main import run
from hrnet_plugin.config_files import find_config
from hrnet_plugin.export import families
from hrnet_plugin.export.adapters.segmentation import SegmentationAdapter
from hrnet_plugin.export.targets.onnx import OnnxTarget
from hrnet_plugin.prediction.load import load

pytest.importorskip('mmseg')
pytest.importorskip('onnxruntime')
CONFIG = 'fcn_hrnetv2-w18-small-v1_sample'


def save_checkpoint(name, path):
    config = find_config(name)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        torch.save(dict(state_dict=randomize(MODELS.build(config.model)).state_dict()), path)
    return str(path)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return save_checkpoint(CONFIG, tmp_path_factory.mktemp('weights') / 'model.pth')


def words(checkpoint, out, *others, name=CONFIG):
    return ['export', name, '--checkpoint', checkpoint, '--to', 'onnx', '--out', str(out), *others]


def test_a_whole_model_predicts_as_pytorch(checkpoint, tmp_path, capsys):
    out = tmp_path / 'models' / 'model.onnx'
    assert run(words(checkpoint, out)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f'{out}: EncoderDecoder, segmentation, ')
    assert lines[1] == ('compared with PyTorch on images of 256x320, 235x333, 2 x 192x224 pixels: '
                        f'{2 * (256 * 320 + 235 * 333 + 2 * 192 * 224)} label map pixels')
    assert os.listdir(out.parent) == [out.name]
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    expected, found = load(CONFIG, checkpoint)(image), load(out)(image)
    assert found.meta == expected.meta
    assert (found.label_map == expected.label_map).mean() > 0.999
    first = out.read_bytes()
    assert run(words(checkpoint, out)) == 0
    assert out.read_bytes() == first


def check_refused(found, text, capsys, folder):
    assert found == 2
    error = capsys.readouterr().err.splitlines()
    assert text in error[-1]
    assert len([line for line in error if line.startswith('hrnet export: error: ')]) == 1
    assert not [path for path in folder.rglob('*') if path.is_file()]


@pytest.mark.parametrize(('change', 'text'), [
    (dict(checkpoint='missing.pth'), 'missing.pth'),
    (dict(name='fcn_hrnetv2-w18_120k_cityscapes'), 'belongs to another'),
    (dict(name='centernet_hrnetv2-w18-small-v1_sample'), 'belongs to another model than the config'),
    (dict(name='no-such-config'), 'config must be the name of a shipped config')])
def test_invalid_input_is_refused(change, text, checkpoint, tmp_path, capsys):
    arguments = {'checkpoint': checkpoint, **change}
    check_refused(run(words(out=tmp_path / 'new' / 'model.onnx', **arguments)), text, capsys, tmp_path)
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize(('others', 'text'), [
    (('--to', 'pt2'), '--out must end in .pt2 for --to pt2'), (('--to', 'tflite'), 'invalid choice')])
def test_an_invalid_option_is_refused(others, text, checkpoint, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(words(checkpoint, tmp_path / 'model.onnx', *others))
    assert text in capsys.readouterr().err
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_before_the_export(checkpoint, tmp_path, capsys, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setattr(OnnxTarget, 'export', lambda *args: pytest.fail('exported'))
    assert run(words(checkpoint, tmp_path / 'file' / 'model.onnx')) == 2
    assert str(tmp_path / 'file') in capsys.readouterr().err
    assert os.listdir(tmp_path) == ['file']


def test_a_family_without_adapter_is_refused(tmp_path, capsys):
    name = 'centernet_hrnetv2-w18-small-v1_sample'
    weights = save_checkpoint(name, tmp_path / 'model.pth')
    (tmp_path / 'out').mkdir()
    found = run(words(weights, tmp_path / 'out' / 'model.onnx', name=name))
    check_refused(found, 'got CenterNet with CenterNetHead. Backbone and neck can be exported: --part network', capsys,
                  tmp_path / 'out')


class WrongAdapter(SegmentationAdapter):

    def forward(self, images, size):
        labels, logits = super().forward(images, size)
        return labels.roll(1, 2), logits


def test_a_model_that_differs_from_pytorch_is_refused(checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(families, 'ADAPTERS', (WrongAdapter, ))
    check_refused(run(words(checkpoint, tmp_path / 'model.onnx')),
                  'the exported model must agree with PyTorch, got label maps that differ in ', capsys, tmp_path)


def test_an_earlier_file_survives_an_interruption(checkpoint, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt
    out = tmp_path / 'model.onnx'
    out.write_bytes(b'earlier')
    monkeypatch.setattr(OnnxTarget, 'export', interrupt)
    assert run(words(checkpoint, out)) == 130
    assert out.read_bytes() == b'earlier'
    assert os.listdir(tmp_path) == ['model.onnx']


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='requires fork')
def test_the_next_export_removes_the_scratch_file_of_a_killed_one(checkpoint, tmp_path, monkeypatch):
    out = tmp_path / 'model.onnx'
    with monkeypatch.context() as patched:
        patched.setattr(OnnxTarget, 'export', lambda *args: os.kill(os.getpid(), signal.SIGKILL))
        child = os.fork()
        if not child:
            run(words(checkpoint, out))
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [name.endswith('.part') for name in os.listdir(tmp_path)] == [True]
    assert run(words(checkpoint, out, '--part', 'network')) == 0
    assert os.listdir(tmp_path) == ['model.onnx']
