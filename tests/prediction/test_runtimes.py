"""Exported models are opened with their metadata, and anything else is refused in one line."""

import shutil
import sys

import numpy as np
import pytest
from exported_files import FORMATS, ColorSegmentor, write_exported
from torch import nn

from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing
from hrnet_plugin.prediction.runtimes import openvino
from hrnet_plugin.prediction.runtimes.formats import open_runtime

METADATA = ExportMetadata(task='segmentation', model='EncoderDecoder', config='fcn', channels=3, channel_order='RGB',
                          outputs=('labels', 'logits'), resizing=Resizing(mode='none'))


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Format -> exported file."""
    found = {}
    for kind in FORMATS:
        found[kind] = write_exported(tmp_path_factory.mktemp(kind), METADATA, ColorSegmentor(), kind=kind)
    return found


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('shape', [(1, 3, 40, 50), (3, 3, 17, 33)])
def test_batches_of_any_size(exported, kind, shape):
    images = np.random.default_rng(0).random(shape, np.float32)
    runtime = open_runtime(exported[kind])
    outputs = runtime.run(images)
    assert runtime.metadata == METADATA
    np.testing.assert_array_equal(outputs['labels'], images.argmax(1))
    assert outputs['labels'].dtype == np.int64
    assert outputs['logits'].shape == (shape[0], 3, shape[2] // 2, shape[3] // 2)
    first = outputs['logits'].copy()
    runtime.run(images + 1)
    np.testing.assert_array_equal(outputs['logits'], first)  # no memory of the runtime


def _refusal(path):
    with pytest.raises((ValueError, OSError)) as raised:
        open_runtime(path)
    assert '\n' not in str(raised.value)
    assert str(path.with_suffix('')) in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize('suffix', ['.onnx', '.xml', '.pt2'])
@pytest.mark.parametrize('content', [b'', b'text', b'PK\x03\x04' + bytes(100), b'\x08\x07' * 100, b'<net></net>'])
def test_damaged_files(tmp_path, suffix, content):
    path = tmp_path / f'model{suffix}'
    path.write_bytes(content)
    path.with_suffix('.bin').write_bytes(content)
    assert 'must be a' in _refusal(path)


@pytest.mark.parametrize('kind', FORMATS)
def test_cut_files(exported, kind, tmp_path):
    path = tmp_path / exported[kind].name
    path.write_bytes(exported[kind].read_bytes()[:-60])
    path.with_suffix('.bin').write_bytes(b'')
    assert 'must be a' in _refusal(path)


def test_files_of_other_models(tmp_path):
    import onnx
    path = write_exported(tmp_path, METADATA, ColorSegmentor())
    model = onnx.load_model(path)
    del model.metadata_props[:]
    onnx.save_model(model, path)
    assert 'without metadata. Export it with hrnet export' in _refusal(path)


def test_programs_without_metadata_are_not_loaded(tmp_path, monkeypatch):
    import torch
    path = tmp_path / 'model.pt2'
    torch.export.save(torch.export.export(nn.ReLU(), (torch.zeros(1), )), path)
    monkeypatch.setattr(torch.export, 'load', lambda *args: pytest.fail('loaded'))
    assert 'without metadata' in _refusal(path)


def test_other_outputs_than_those_of_the_metadata(tmp_path):
    import onnx
    path = write_exported(tmp_path, METADATA, ColorSegmentor())
    model = onnx.load_model(path)
    del model.graph.output[1]
    onnx.save_model(model, path)
    assert 'must have the input images and the outputs labels, logits' in _refusal(path)


def test_external_data_are_not_read(tmp_path, monkeypatch):
    """A file of a stranger cannot name other files."""
    import onnx
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret').write_bytes(bytes(16))
    weight = onnx.helper.make_tensor('w', onnx.TensorProto.FLOAT, [4], bytes(16), raw=True)
    weight.ClearField('raw_data')
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key='location', value='secret')
    image, out = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4])
                  for name in ('images', 'labels'))
    graph = onnx.helper.make_graph([onnx.helper.make_node('Add', ['images', 'w'], ['labels'])], 'g', [image], [out],
                                   [weight])
    path = tmp_path / 'model.onnx'
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    assert 'model_path' in _refusal(path)


def test_missing_files(exported, tmp_path):
    assert 'No such file' in _refusal(tmp_path / 'model.onnx')
    shutil.copy(exported['openvino'], tmp_path)
    assert 'model.bin' in _refusal(tmp_path / 'model.xml')
    assert 'one of the suffixes .onnx, .xml, .pt2' in _refusal(tmp_path / 'model.engine')
    (tmp_path / 'folder.onnx').mkdir()
    assert 'a folder' in _refusal(tmp_path / 'folder.onnx')


@pytest.mark.parametrize('kind', ['onnx', 'openvino'])
def test_missing_packages(exported, kind, monkeypatch):
    package = dict(onnx='onnxruntime', openvino='openvino')[kind]
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(openvino, 'openvino_core', openvino.openvino_core.__wrapped__)  # imports it again
    with pytest.raises(ImportError, match=rf'{package} must be installed for \.\w+ files: pip install {package}'):
        open_runtime(exported[kind])
