"""Export of whole pose estimators, compared with mmpose's predictions."""

from __future__ import annotations

import catalogue
import numpy as np
import pytest
import torch
from conftest import build_on_meta, randomize
from exported_adapters import WithSize, run_eager, run_formats
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.pose import PoseAdapter

pytest.importorskip('mmpose.models')
FLIP_INDICES = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
MSRA = dict(type='MSRAHeatmap', input_size=(96, 128), heatmap_size=(24, 32), sigma=2)
POSE = catalogue.of_host('mmpose')
# one per kind of codec, dataset and network
SHORT = ('td-hm_hrnetv1-w18-small-v1_sample', 'td-hm_hrnetv2-w18-small-v1_sample',
         'td-hm_hrnetv1-w32_dark-210e_coco-256x192', 'td-hm_hrnetv1-w32_210e_mpii-256x256',
         'td-hm_hrnetv1-w32_udp-210e_coco-384x288', 'td-hm_hrnetv2-w18_60e_wflw-256x256')


def build(test_cfg, codec=MSRA, flip_indices=FLIP_INDICES):
    """Build the estimator of the sample config with random weights."""
    config = find_config('td-hm_hrnetv1-w18-small-v1_sample')
    config.model.head.decoder = codec
    config.model.test_cfg = test_cfg
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = randomize(MODELS.build(config.model)).eval()
    model.dataset_meta = dict(flip_indices=flip_indices)
    return model


def predict(model, images):
    """Return keypoints in pixels of the input, scores and heat maps of mmpose."""
    from mmpose.structures import PoseDataSample
    size = np.array(images.shape[:1:-1])
    samples = []
    for _ in images:
        sample = PoseDataSample(metainfo=dict(
            flip_indices=FLIP_INDICES, input_center=size / 2, input_scale=size, input_size=size))
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        samples.append(sample)
    model.test_cfg = dict(model.test_cfg, output_heatmaps=True)
    with torch.no_grad():
        results = model.predict(images, samples)
    instances = [result.pred_instances for result in results]
    return (np.concatenate([part.keypoints for part in instances]),
            np.concatenate([part.keypoint_scores for part in instances]),
            np.stack([result.pred_fields.heatmaps.numpy() for result in results]))


@pytest.mark.parametrize('test_cfg', [
    dict(),
    dict(flip_test=True),
    dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
    dict(flip_test=False, flip_mode='offset', output_keypoint_indices=[3, 1, 9]),
    dict(flip_test=True, shift_heatmap=False, output_keypoint_indices=list(range(5))),
], ids=str)
def test_predictions_equal_those_of_mmpose(test_cfg):
    model = build(test_cfg)
    images = torch.randn(2, 3, 128, 96)
    keypoints, scores, _ = predict(model, images)
    got, got_scores = run_eager(WithSize(PoseAdapter(model)))(images)
    assert got.shape == (2, len(test_cfg.get('output_keypoint_indices', range(17))), 2)
    np.testing.assert_allclose(got, keypoints, rtol=0, atol=1e-4)
    np.testing.assert_allclose(got_scores, scores, rtol=0, atol=1e-5)


def test_heatmaps_of_udp_equal_those_of_mmpose():
    """Heat maps of random weights have no peaks. Refinement would amplify rounding errors."""
    model = build(dict(flip_test=True), dict(type='UDPHeatmap', input_size=(96, 128), heatmap_size=(24, 32)))
    images = torch.randn(2, 3, 128, 96)
    _, scores, heatmaps = predict(model, images)
    adapter = PoseAdapter(model)
    with torch.no_grad():
        np.testing.assert_allclose(adapter.heatmaps(images), heatmaps, rtol=0, atol=1e-5)
    np.testing.assert_allclose(run_eager(WithSize(adapter))(images)[1], scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize('kind', ['onnx', pytest.param('torch_export', marks=pytest.mark.slow)])
def test_exported_models_predict_as_mmpose(kind):
    """The batch size and the size of the images differ from those of the export."""
    model = build(dict(flip_test=True, shift_heatmap=True))
    module = WithSize(PoseAdapter(model)).eval()
    runs = run_formats(kind, module, (64, 64), PoseAdapter.outputs)
    for size in ((1, 3, 128, 96), (3, 3, 128, 160)):
        images = torch.randn(*size)
        keypoints, scores, _ = predict(model, images)
        for run in runs:
            got, got_scores = run(images)
            np.testing.assert_allclose(got, keypoints, rtol=0, atol=1e-4)
            np.testing.assert_allclose(got_scores, scores, rtol=0, atol=1e-4)


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[] if name in SHORT else pytest.mark.slow) for name in POSE])
def test_configs_are_accepted(name):
    model = build_on_meta(find_config(name))
    assert PoseAdapter.accepts(model)
    model.dataset_meta = dict(flip_indices=list(range(model.head.out_channels)))
    adapter = PoseAdapter(model)
    assert adapter.flip_test
    assert type(adapter.decoder).__name__ == {'dark': 'DarkDecoder', 'udp-': 'UDPDecoder', 'samp': 'UDPDecoder'}.get(
        name.split('_')[2][:4], 'HeatmapDecoder')


def test_metainfo_of_the_model_precedes_that_of_the_dataset():
    model = build(dict(flip_test=True), flip_indices=None)
    model.metainfo = dict(flip_indices=FLIP_INDICES[::-1])
    assert PoseAdapter(model).flip_indices.tolist() == FLIP_INDICES[::-1]


@pytest.mark.parametrize(('test_cfg', 'flip_indices', 'message'), [
    (dict(flip_test=True), None, 'must have 17 entries for the flip test, got none'),
    (dict(flip_test=True), [0, 1], 'must have 17 entries for the flip test, got 2'),
    (dict(flip_test=True, flip_mode='udp_combined'), FLIP_INDICES, "must be 'heatmap', got 'udp_combined'"),
])
def test_other_flip_tests_are_refused(test_cfg, flip_indices, message):
    with pytest.raises(UnsupportedModel, match=message):
        PoseAdapter(build(test_cfg, flip_indices=flip_indices))


def test_overridden_methods_are_refused():
    from mmpose.models.heads import HeatmapHead

    class OtherHead(HeatmapHead):
        def decode(self, batch_outputs):
            return super().decode(-batch_outputs)

    model = build({})
    model.head.__class__ = OtherHead
    assert PoseAdapter.accepts(model)
    with pytest.raises(UnsupportedModel, match='OtherHead must inherit the method decode of mmpose'):
        PoseAdapter(model)


def test_other_models_are_not_accepted():
    assert not PoseAdapter.accepts(torch.nn.Conv2d(3, 3, 1))
