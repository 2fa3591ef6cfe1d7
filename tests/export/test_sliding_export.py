"""Export of segmentors that predict windows, up to the predictions of the file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import export_model
from hrnet_plugin.export.targets.formats import TARGETS
from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.predictor import InputImage

pytest.importorskip('mmseg.models')


def test_exported_windows_give_the_labels_of_mmseg(tmp_path):
    config = find_config('fcn_hrnetv2-w18-small-v1_sample')
    config.model.test_cfg = dict(mode='slide', crop_size=(64, 96), stride=(40, 50))
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = randomize(MODELS.build(config.model)).eval()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    report = export_model(config, str(tmp_path / 'model.pth'), TARGETS['onnx'], tmp_path / 'model.onnx')
    assert report.tally.compared['label map pixels'] > 0
    image = np.random.default_rng(0).integers(0, 256, (80, 150, 3), np.uint8)
    (found, ) = ExportedPredictor(tmp_path / 'model.onnx').predict_batch([InputImage(name='image', pixels=image)])
    inputs = model.data_preprocessor(dict(inputs=[torch.from_numpy(image).permute(2, 0, 1)]))['inputs']
    with torch.no_grad():
        (expected, ) = model.predict(inputs)
    labels = expected.pred_sem_seg.data[0].numpy()
    assert len(np.unique(labels)) > 2
    assert (found.label_map != labels).mean() < 1e-3
