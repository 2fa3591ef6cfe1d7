"""Export of models: metadata from the config, and detectors without detections in the compared images."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.export import export_model
from hrnet_plugin.export.resizing import find_resizing
from hrnet_plugin.export.targets.onnx import OnnxTarget
from hrnet_plugin.prediction.metadata import Resizing
from hrnet_plugin.prediction.runtimes.formats import open_runtime


@pytest.mark.parametrize(('name', 'expected'), [
    ('fcos_hrnetv2p-w18_1x_coco', Resizing(mode='keep_ratio', size=(1333, 800))),
    ('td-hm_hrnetv1-w18-small-v1_sample', Resizing(mode='person', size=(96, 128), use_udp=True)),
    ('fcn_hrnetv2-w18-small-v1_sample', Resizing(mode='none'))])
def test_resizing_of_a_config(name, expected):
    config = find_config(name)
    assert find_resizing(config) == expected


@pytest.mark.parametrize(('step', 'text'), [
    (dict(type='TestTimeAug', transforms=[]), 'the transform TestTimeAug'),
    (dict(type='Resize', scale_factor=0.5), 'Resize with scale=None and scale_factor=0.5'),
    (dict(type='Resize', scale=(64, 64), interpolation='bicubic'), "interpolation='bicubic'"),
    (dict(type='Resize', scale=(64, 64)), 'several transforms that resize')])
def test_an_unknown_pipeline_is_refused(step, text):
    config = find_config('fcos_hrnetv2p-w18_1x_coco')
    pipeline = config.test_dataloader.dataset.pipeline
    if text.startswith('several'):
        pipeline.insert(1, step)
    else:
        pipeline[1] = step
    with pytest.raises(UnsupportedModel, match='test pipeline must load an image') as error:
        find_resizing(config)
    assert text in str(error.value)


def test_a_detector_without_detections_is_compared_with_a_lower_threshold(tmp_path):
    pytest.importorskip('mmdet')
    pytest.importorskip('onnxruntime')
    config = find_config('fcos_hrnetv2p-w18-small-v1_sample')
    config.model.bbox_head.stacked_convs = 1
    config.model.test_cfg.update(score_thr=0.9999, max_per_img=20)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = randomize(MODELS.build(config.model))
        torch.nn.init.constant_(model.bbox_head.conv_cls.weight, 0)
        torch.nn.init.normal_(model.bbox_head.conv_cls.weight, std=0.01)
    torch.save(model.state_dict(), tmp_path / 'model.pth')
    report = export_model(config, str(tmp_path / 'model.pth'), OnnxTarget(), tmp_path / 'model.onnx')
    assert report.threshold == 1e-3
    assert report.tally.compared['detections'] + report.tally.unstable >= 40
    found = open_runtime(tmp_path / 'model.onnx')
    assert found.metadata == report.metadata
    assert len(found.metadata.meta.classes) == 80
    assert set(found.metadata.hashes) == {'config', 'checkpoint', 'weights'}
    images = torch.rand(1, 3, 64, 96).mul(255).numpy()
    assert found.run(images)['counts'].tolist() == [0]  # the file has the threshold of the config
