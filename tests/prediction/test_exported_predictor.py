"""Predictions of exported models in pixels of the image."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from exported_files import FORMATS, BoxesOfChannels, BrightestPixels, ColorLogits, ColorSegmentor, write_exported

import hrnet_plugin
from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing, Sliding
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.results.dataset_meta import DatasetMeta

COMMON = dict(model='', config='', channels=3, channel_order='RGB', meta=DatasetMeta(classes=('r', 'g', 'b')))
DETECTION = ExportMetadata(task='detection', outputs=('boxes', 'scores', 'labels', 'counts', 'masks'),
                           mask_threshold=0.5, resizing=Resizing(mode='keep_ratio', size=(80, 60)), **COMMON)
SEGMENTATION = ExportMetadata(task='segmentation', outputs=('labels', 'logits'),
                              resizing=Resizing(mode='keep_ratio', size=(80, 60)), **COMMON)
POSE = ExportMetadata(task='pose', outputs=('keypoints', 'scores'), resizing=Resizing(mode='person', size=(48, 64)),
                      **COMMON | dict(meta=DatasetMeta(keypoints=('r', 'g', 'b'))))


def _scene(height=120, width=160, colors=2):
    """Image in BGR order with a red, a green and a blue rectangle, and their boxes."""
    image, boxes = np.zeros((height, width, 3), np.uint8), []
    for index in range(colors):
        x1, y1 = 10 + 40 * index, 20 + 10 * index
        image[y1:y1 + 40, x1:x1 + 30, 2 - index] = 255
        boxes.append((x1, y1, x1 + 30, y1 + 40))
    return image, np.array(boxes, np.float32)


def _inputs(*images):
    return [InputImage(name=f'{index}', pixels=image) for index, image in enumerate(images)]


@pytest.mark.parametrize('kind', FORMATS)
def test_detections(tmp_path, kind):
    predictor = ExportedPredictor(write_exported(tmp_path, DETECTION, BoxesOfChannels(), kind=kind))
    (first, boxes), (second, others), (third, _) = _scene(), _scene(90, 200, colors=3), _scene(colors=0)
    found = predictor.predict_batch(_inputs(first, second, first[::-1].copy(), third))
    assert [len(prediction.boxes) for prediction in found] == [2, 3, 2, 0]
    assert [prediction.name for prediction in found] == ['0', '1', '2', '3']
    np.testing.assert_allclose(found[0].boxes, boxes, atol=2.1)  # half a pixel of the input
    np.testing.assert_allclose(found[1].boxes, others, atol=3.1)
    assert found[1].labels.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found[1].scores, [0.9, 0.8, 0.7], rtol=1e-6)
    assert found[3].masks.shape == (0, 120, 160)
    x1, y1, x2, y2 = found[0].boxes[0].round().astype(int)
    middle = (x1 + x2) // 2
    assert found[0].masks.shape == (2, 120, 160)
    assert found[0].masks[0, y1 + 1:y2 - 1, x1 + 1:middle - 1].all()
    assert not found[0].masks[0, :, middle + 1:].any()


@pytest.mark.parametrize('kind', FORMATS)
def test_label_maps(tmp_path, kind):
    predictor = ExportedPredictor(write_exported(tmp_path, SEGMENTATION, ColorSegmentor(), kind=kind))
    image, boxes = _scene(colors=3)
    found, = predictor.predict_batch(_inputs(image))
    assert found.label_map.shape == found.size == (120, 160)
    for label, (x1, y1, x2, y2) in enumerate(boxes.astype(int)):
        assert (found.label_map[y1 + 4:y2 - 4, x1 + 4:x2 - 4] == label).all()


@pytest.mark.parametrize(('metadata', 'model'), [(DETECTION, BoxesOfChannels()), (SEGMENTATION, ColorSegmentor())])
def test_classes_may_have_no_names(tmp_path, metadata, model):
    unnamed = replace(metadata, meta=DatasetMeta())
    expected = ExportedPredictor(write_exported(tmp_path, metadata, model))(_scene(colors=3)[0])
    found = ExportedPredictor(write_exported(tmp_path, unnamed, model))(_scene(colors=3)[0])
    assert found.class_name(2) == '2'
    for name in ('labels', 'label_map'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize(('metadata', 'model'), [(DETECTION, BoxesOfChannels()), (SEGMENTATION, ColorSegmentor())])
def test_boxes_are_for_pose_estimators_only(tmp_path, metadata, model):
    predictor = ExportedPredictor(write_exported(tmp_path, metadata, model))
    with pytest.raises(ValueError, match='boxes must be given to a top-down pose estimator only, got a model of'):
        predictor(_scene()[0], boxes=[[0, 0, 9, 9]])


def test_sliding_windows_cover_the_image(tmp_path):
    whole = replace(SEGMENTATION, resizing=Resizing(mode='none'))
    image = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (80, 60))
    expected, = ExportedPredictor(write_exported(tmp_path, whole, ColorSegmentor())).predict_batch(_inputs(image))
    windows = replace(whole, sliding=Sliding(crop_size=(32, 32), stride=(20, 16)), outputs=('logits', ))
    found, = ExportedPredictor(write_exported(tmp_path, windows, ColorLogits())).predict_batch(_inputs(image))
    assert (found.label_map == expected.label_map).mean() > 0.95
    assert len(np.unique(found.label_map)) == 3


@pytest.mark.parametrize('kind', FORMATS)
def test_keypoints(tmp_path, kind):
    predictor = ExportedPredictor(write_exported(tmp_path, POSE, BrightestPixels(), kind=kind))
    image = np.zeros((100, 120, 3), np.uint8)
    points = [(40, 30), (50, 60), (60, 45)]
    for channel, point in zip((2, 1, 0), points):
        cv2.circle(image, point, 3, [255 * (index == channel) for index in range(3)], -1)
    box = np.array([30, 20, 70, 80], np.float32)
    found, = predictor.predict_batch([InputImage(name='a', pixels=image, boxes=np.stack([box] * 40))])
    assert found.keypoints.shape == (40, 3, 2)
    np.testing.assert_allclose(found.keypoints, np.array([points] * 40), atol=4)
    np.testing.assert_array_equal(found.keypoint_scores, 1)
    np.testing.assert_array_equal(found.boxes[7], box)
    whole, = predictor.predict_batch(_inputs(image))
    np.testing.assert_array_equal(whole.boxes, [[0, 0, 120, 100]])
    assert predictor.predict_batch([InputImage(name='a', pixels=image, boxes=np.zeros((0, 4), np.float32))]
                                   )[0].keypoints.shape == (0, 3, 2)


def test_files_are_read_as_mmcv_does(tmp_path):
    image, _ = _scene(60, 80)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    predictor = ExportedPredictor(write_exported(tmp_path, DETECTION, BoxesOfChannels()))
    found, = predictor.predict_batch([InputImage(name=str(tmp_path / 'a.png'))])
    expected, = predictor.predict_batch(_inputs(image))
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    with pytest.raises(FileNotFoundError):
        predictor.predict_batch([InputImage(name=str(tmp_path / 'b.png'))])
    with pytest.raises(ValueError, match=r'a must have 3 channels for this model, got 4'):
        predictor.predict_batch([InputImage(name='a', pixels=np.zeros((9, 9, 4), np.uint8))])


def test_networks_do_not_predict(tmp_path):
    metadata = replace(SEGMENTATION, task='network')
    with pytest.raises(ValueError, match='got a network without heads'):
        ExportedPredictor(write_exported(tmp_path, metadata, ColorSegmentor()))


@pytest.mark.parametrize(('name', 'change', 'message'), [
    ('labels', lambda labels: labels + 1, 'labels from 1 to 3 of 3 classes'),
    ('counts', lambda counts: counts + 9, 'counts from 11'),
    ('counts', lambda counts: counts - 9, 'counts from -7'),
    ('boxes', lambda boxes: boxes * np.nan, 'must be finite'),
    ('boxes', lambda boxes: boxes[:, :2], 'boxes of shape'),
    ('boxes', lambda boxes: boxes[0], 'must have 3 axes'),
    ('scores', lambda scores: scores.astype(np.int64), 'floats per image, got int64'),
    ('masks', lambda masks: masks[:0], 'must have 4 axes'),
])
def test_outputs_of_strangers_are_checked(tmp_path, monkeypatch, name, change, message):
    predictor = ExportedPredictor(write_exported(tmp_path, DETECTION, BoxesOfChannels()))
    run = predictor._runtime.run
    monkeypatch.setattr(predictor._runtime, 'run', lambda images: {**(found := run(images)), name: change(found[name])})
    with pytest.raises(ValueError, match=message):
        predictor.predict_batch(_inputs(_scene()[0]))


def test_load_opens_exported_files(tmp_path):
    path, (image, _) = write_exported(tmp_path, DETECTION, BoxesOfChannels()), _scene()
    predictor = hrnet_plugin.load(path)
    assert (predictor.task, predictor.meta) == ('detection', DETECTION.meta)
    found = predictor(image)
    assert len(found) == 2
    assert found.plot().shape == (120, 160, 3)
    for options in (dict(checkpoint='a.pth'), dict(device='cuda'), dict(engine='auto')):
        with pytest.raises(ValueError, match=rf'{next(iter(options))} must be .* for the exported file'):
            hrnet_plugin.load(path, **options)


@pytest.mark.parametrize(('name', 'change', 'message'), [
    ('labels', lambda labels: labels + 1, 'labels from 1 to 3 of 3 classes'),
    ('labels', lambda labels: labels[:, 1:], 'labels of shape'),
    ('logits', lambda logits: logits[:, :2], 'logits of shape .* for 3 classes'),
])
def test_outputs_of_segmentation_models_are_checked(tmp_path, monkeypatch, name, change, message):
    predictor = ExportedPredictor(write_exported(tmp_path, SEGMENTATION, ColorSegmentor()))
    run = predictor._runtime.run
    monkeypatch.setattr(predictor._runtime, 'run', lambda images: {**(found := run(images)), name: change(found[name])})
    with pytest.raises(ValueError, match=message):
        predictor.predict_batch(_inputs(_scene(colors=3)[0]))
