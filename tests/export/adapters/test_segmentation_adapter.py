"""Export of whole segmentors, compared with mmseg's predictions."""

from __future__ import annotations

import catalogue
import numpy as np
import pytest
import torch
from conftest import build_on_meta, randomize
from exported_adapters import WithSize, run_eager, run_formats
from mmengine.registry import MODELS, DefaultScope
from torch.nn import functional as F

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.segmentation import SegmentationAdapter, SlidingSegmentationAdapter

pytest.importorskip('mmseg.models')
SEGMENTATION = catalogue.of_host('mmseg')
FCN, OCR = (f'{head}_hrnetv2-w18-small-v1_sample' for head in ('fcn', 'ocr'))
# one per head, interpolation and inference mode
SHORT = (FCN, OCR, 'fcn_hrnetv2-w18-small-v2_150k_ade20k', 'fcn_hrnetv2-w18-small-v2_60k_pascal-context-59',
         'ocr_hrnetv2-w18-small-v2_110k_lip', 'ocr_hrnetv2-w18-small-v2_60k_pascal-context-60')


def build(name, **changes):
    """Build the segmentor of a config with random weights."""
    config = find_config(name)
    config.merge_from_dict(changes)
    with DefaultScope.overwrite_default_scope('mmseg'):
        return randomize(MODELS.build(config.model)).eval()


def predict(model, images, ori_shape=None):
    """Return the labels of mmseg. ``ori_shape`` is the size of the images before they were resized."""
    from mmseg.structures import SegDataSample
    size = tuple(images.shape[2:])
    samples = [SegDataSample(metainfo=dict(ori_shape=ori_shape or size, img_shape=size, pad_shape=size))
               for _ in images]
    with torch.no_grad():
        results = model.predict(images, samples)
    return np.concatenate([result.pred_sem_seg.data.numpy() for result in results])


def assert_same_labels(got, labels):
    """Logits of two classes are equal up to rounding at very few pixels."""
    assert got.shape == labels.shape
    assert len(np.unique(labels)) > 2
    assert (got != labels).mean() < 1e-4


@pytest.mark.parametrize('name', [FCN, OCR])
@pytest.mark.parametrize('size', [(2, 3, 64, 96), (1, 3, 77, 101), (3, 3, 50, 131)])
def test_labels_equal_those_of_mmseg(name, size):
    model = build(name)
    images = torch.randn(*size)
    labels, logits = run_eager(WithSize(SegmentationAdapter(model)))(images)
    np.testing.assert_array_equal(labels, predict(model, images))
    assert len(np.unique(labels)) > 2
    with torch.no_grad():
        np.testing.assert_array_equal(logits, model(images, None, mode='tensor'))


@pytest.mark.parametrize('name', [FCN, OCR])
@pytest.mark.parametrize('kind', ['onnx', pytest.param('torch_export', marks=pytest.mark.slow)])
def test_exported_models_predict_as_mmseg(name, kind):
    """Batch sizes and sizes of images differ from those of the export, and are no multiples of 32."""
    model = build(name)
    module = WithSize(SegmentationAdapter(model)).eval()
    runs = run_formats(kind, module, (64, 96), SegmentationAdapter.outputs)
    for size in ((1, 3, 77, 101), (3, 3, 50, 131)):
        images = torch.randn(*size)
        expected = predict(model, images)
        for run in runs:
            labels, logits = run(images)
            assert_same_labels(labels, expected)
            with torch.no_grad():
                np.testing.assert_allclose(logits, model(images, None, mode='tensor'), rtol=0, atol=1e-4)


@pytest.mark.parametrize('name', [FCN, OCR])
def test_labels_of_another_size_follow_from_the_logits(name):
    """The steps are those that the docstring of the adapter describes."""
    model = build(name)
    adapter = SegmentationAdapter(model)
    images = torch.randn(2, 3, 50, 77)
    with torch.no_grad():
        _, logits = adapter(images, (50, 77))
    options = dict(mode='bilinear', align_corners=adapter.align_corners)
    labels = F.interpolate(F.interpolate(logits, (50, 77), **options), (110, 130), **options).argmax(1)
    np.testing.assert_array_equal(labels, predict(model, images, (110, 130)))


def test_one_output_channel_uses_the_threshold():
    model = build(FCN, **{'model.decode_head.num_classes': 2, 'model.decode_head.out_channels': 1,
                          'model.decode_head.threshold': 0.6})
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        model.decode_head.threshold = model(images, None, mode='tensor').sigmoid().median().item()
    labels, logits = run_eager(WithSize(SegmentationAdapter(model)))(images)
    assert logits.shape[1] == 1
    assert 0.05 < labels.mean() < 0.95
    np.testing.assert_array_equal(labels, predict(model, images))


@pytest.mark.parametrize('name', [FCN, OCR])
def test_sliding_windows_follow_from_the_logits(name):
    """The steps are those that the docstring of the adapter describes."""
    model = build(name, **{'model.test_cfg': dict(mode='slide', crop_size=(64, 96), stride=(40, 50))})
    assert SlidingSegmentationAdapter.accepts(model)
    assert not SegmentationAdapter.accepts(model)
    adapter = SlidingSegmentationAdapter(model)
    images = torch.randn(1, 3, 80, 150)
    total, count = torch.zeros(1, model.out_channels, 80, 150), torch.zeros(1, 1, 80, 150)
    for top in (0, 16):
        for left in (0, 50, 54):
            window = np.s_[:, :, top:top + 64, left:left + 96]
            with torch.no_grad():
                (logits, ) = adapter(images[window], (64, 96))
            total[window] += F.interpolate(logits, (64, 96), mode='bilinear', align_corners=adapter.align_corners)
            count[window] += 1
    np.testing.assert_array_equal((total / count).argmax(1), predict(model, images))


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[] if name in SHORT else pytest.mark.slow) for name in SEGMENTATION])
def test_configs_are_accepted(name):
    model = build_on_meta(find_config(name))
    adapters = [adapter for adapter in (SegmentationAdapter, SlidingSegmentationAdapter) if adapter.accepts(model)]
    assert adapters == [SlidingSegmentationAdapter if 'pascal' in name else SegmentationAdapter]
    adapter = adapters[0](model)
    assert adapter.mask_threshold is None
    assert adapter.align_corners == (name.startswith('ocr') or 'ade20k' in name or 'stuff' in name)


def test_overridden_methods_are_refused():
    from mmseg.models import EncoderDecoder

    class OtherSegmentor(EncoderDecoder):
        def postprocess_result(self, seg_logits, data_samples=None):
            return super().postprocess_result(-seg_logits, data_samples)

    model = build(FCN)
    model.__class__ = OtherSegmentor
    assert SegmentationAdapter.accepts(model)
    with pytest.raises(UnsupportedModel, match='OtherSegmentor must inherit the method postprocess_result of mmseg'):
        SegmentationAdapter(model)


@pytest.mark.parametrize('adapter', [SegmentationAdapter, SlidingSegmentationAdapter])
def test_padding_is_refused(adapter):
    model = build(FCN, **{'model.data_preprocessor.test_cfg': dict(size_divisor=32)})
    with pytest.raises(UnsupportedModel, match='test_cfg of the data_preprocessor must be None'):
        adapter(model)
