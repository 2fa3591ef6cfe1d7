"""Exported files predict on images as their PyTorch models do, including resizing and pasting."""

import cv2
import numpy as np
import pytest
import torch
from conftest import SAMPLE_CONFIGS, randomize
from mmengine.registry import MODELS, DefaultScope

import hrnet_plugin
from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import export_model
from hrnet_plugin.export.targets.formats import TARGETS
from hrnet_plugin.prediction.sources import open_image

SIZES = ((90, 120), (131, 77))  # of the images, which the sample configs resize


@pytest.fixture(scope='module', params=['mmpose', 'mmseg'])
def models(request, tmp_path_factory):
    """Function that loads a model with random weights in a format, and its PyTorch predictor."""
    folder, name = tmp_path_factory.mktemp(request.param), SAMPLE_CONFIGS[request.param]
    config = find_config(name)
    torch.manual_seed(0)  # keypoints of UDP depend on rounding for some weights
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = randomize(MODELS.build(config.model))
    torch.save(dict(state_dict=model.state_dict()), folder / 'a.pth')

    def load(kind):
        path = folder / f'a{TARGETS[kind].runtime.suffixes[0]}'
        return hrnet_plugin.load(export_model(config, str(folder / 'a.pth'), TARGETS[kind], path).files[0])

    return hrnet_plugin.load(name, folder / 'a.pth'), load


@pytest.mark.parametrize('kind', [name if name == 'onnx' else pytest.param(name, marks=pytest.mark.slow)
                                  for name in TARGETS])
def test_predictions_agree(models, kind, tmp_path):
    eager, load = models
    exported, rng = load(kind), np.random.default_rng(0)
    assert exported.meta == eager.meta
    for index, size in enumerate(SIZES):
        coarse = rng.integers(0, 256, (9, 12, 3), np.uint8)
        path = tmp_path / f'{index}.png'
        cv2.imwrite(str(path), cv2.resize(coarse, size[::-1]))
        expected, = eager.predict_batch([open_image(path)])
        found, = exported.predict_batch([open_image(path)])
        assert (found.task, found.size, found.name) == (expected.task, size, str(path))
        if expected.label_map is None:
            np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=0.01 * max(size) / 64)
            np.testing.assert_allclose(found.keypoint_scores, expected.keypoint_scores, atol=1e-3)
            np.testing.assert_array_equal(found.boxes, expected.boxes)
            np.testing.assert_array_equal(found.scores, expected.scores)
        else:
            assert len(np.unique(expected.label_map)) > 2
            assert (found.label_map != expected.label_map).mean() < 1e-3
