"""Networks in all formats: the outputs are those of torch, for any batch and size."""

import numpy as np
import pytest
import torch
from conftest import SAMPLE_CONFIGS, randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.adapters.network import NetworkAdapter
from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.preprocess import Preprocessing
from hrnet_plugin.export.rewriting import rewrite_networks
from hrnet_plugin.export.targets.formats import TARGETS
from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing


@pytest.fixture(scope='module')
def model():
    config = find_config(SAMPLE_CONFIGS['mmseg'])
    with DefaultScope.overwrite_default_scope('mmseg'):
        host = MODELS.build(config.model).eval()
    randomize(host)
    preprocessing = Preprocessing(host.data_preprocessor, flip_channels=False)
    return ExportableModel(preprocessing, NetworkAdapter(rewrite_networks(host), num_outputs=4)).eval()


@pytest.fixture(scope='module', params=TARGETS)
def exported(request, model):
    metadata = ExportMetadata(task='network', model='EncoderDecoder', config='fcn', channels=3, channel_order='RGB',
                              outputs=tuple(model.outputs), resizing=Resizing(mode='none'))
    target = TARGETS[request.param]
    files = target.export(model, torch.zeros(1, 3, 64, 96), metadata)
    assert tuple(files) == target.runtime.suffixes
    return target, files, metadata


@pytest.mark.parametrize('shape', [(1, 3, 64, 64), (2, 3, 96, 160), (3, 3, 45, 70)])
def test_outputs_are_those_of_torch(exported, model, shape):
    target, files, _ = exported
    images = torch.rand(shape) * 255
    with torch.no_grad():
        expected = model(images)
    found = target.load(files)(images.numpy())
    assert list(found) == list(model.outputs)
    for name, own in zip(found, expected):
        np.testing.assert_allclose(found[name], own.numpy(), atol=1e-3 * float(own.abs().max()))


def test_the_same_model_gives_the_same_bytes(exported, model):
    target, files, metadata = exported
    if target.name == 'openvino':
        pytest.skip('OpenVINO numbers the layers of a process')
    assert target.export(model, torch.zeros(1, 3, 64, 96), metadata) == files
