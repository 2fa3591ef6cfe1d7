"""Predictions of PyTorch models: those of the hosts' own functions, in batches of images of different sizes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from PIL import Image
from prediction_models import DETECTOR, POSE, SEGMENTOR, ModelFiles, write_model

import hrnet_plugin
from hrnet_plugin.execution.inference import is_optimized
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.prediction.top_down import TopDownPredictor
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction

BOXES = [[20, 10, 90, 120], [60.5, 30, 150, 100.25], [0, 0, 30, 60]]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return ModelFiles(tmp_path_factory.mktemp('models'))


@pytest.fixture(scope='module')
def predictors(files):
    """Return the predictor of a model, loaded once."""
    found = {}

    def get(name):
        if name not in found:
            found[name] = hrnet_plugin.load(*files(name), device='cpu')
        return found[name]
    return get


@pytest.fixture
def image(sample_root):
    return str(sorted((sample_root / 'val2017').glob('*[0-9].png'))[0])


def assert_same(a, b, tolerance=1e-3):
    """Compare two predictions. Masks and label maps may differ in pixels at the threshold."""
    assert (a.task, a.size, len(a)) == (b.task, b.size, len(b))
    for name in ('boxes', 'scores', 'labels', 'keypoints', 'keypoint_scores'):
        if getattr(a, name) is not None:
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=tolerance, rtol=0)
    for name in ('masks', 'label_map'):
        if getattr(a, name) is not None:
            assert (getattr(a, name) != getattr(b, name)).mean() < 1e-4


@pytest.mark.parametrize('as_array', [False, True])
def test_detections_are_those_of_mmdet(files, predictors, image, as_array):
    apis = pytest.importorskip('mmdet.apis')
    model = apis.init_detector(*files(DETECTOR), device='cpu')
    given = cv2.imread(image) if as_array else image
    theirs = apis.inference_detector(model, given).pred_instances
    ours = predictors(DETECTOR)(given)
    assert len(ours) == 30
    np.testing.assert_array_equal(ours.boxes, theirs.bboxes.numpy())
    np.testing.assert_array_equal(ours.scores, theirs.scores.numpy())
    np.testing.assert_array_equal(ours.labels, theirs.labels.numpy())
    np.testing.assert_array_equal(ours.masks, theirs.masks.numpy())
    assert ours.masks.sum() > 0
    assert ours.masks.shape[1:] == ours.size == cv2.imread(image).shape[:2]
    assert ours.meta.classes[:2] == ('person', 'bicycle')
    assert len(ours.meta.palette) == 80


@pytest.mark.parametrize('boxes', [None, BOXES])
def test_poses_are_those_of_mmpose(files, predictors, image, boxes):
    apis = pytest.importorskip('mmpose.apis')
    model = apis.init_model(*files(POSE), device='cpu')
    init_default_scope('mmpose')
    model.dataset_meta = apis.inference.dataset_meta_from_config(model.cfg, 'train')
    theirs = apis.inference_topdown(model, image, None if boxes is None else np.array(boxes, np.float32))
    ours = predictors(POSE)(image, boxes=boxes)
    assert len(ours) == len(theirs) == (1 if boxes is None else 3)
    for index, sample in enumerate(theirs):
        np.testing.assert_array_equal(ours.keypoints[index], sample.pred_instances.keypoints[0].astype(np.float32))
        np.testing.assert_array_equal(ours.keypoint_scores[index], sample.pred_instances.keypoint_scores[0])
        np.testing.assert_allclose(ours.boxes[index], sample.pred_instances.bboxes[0])
    assert ours.keypoints.shape[1:] == (17, 2)
    assert ours.meta.keypoints[0] == 'nose'
    assert len(ours.meta.skeleton) == 19
    assert np.ptp(ours.keypoints) > 5


def test_label_maps_are_those_of_mmseg(files, predictors, image):
    apis = pytest.importorskip('mmseg.apis')
    model = apis.init_model(*files(SEGMENTOR), device='cpu')
    theirs = apis.inference_model(model, image).pred_sem_seg.data[0].numpy()
    ours = predictors(SEGMENTOR)(image)
    np.testing.assert_array_equal(ours.label_map, theirs)
    assert len(np.unique(theirs)) > 2
    assert ours.meta.classes[-1] == 'wall-brick'
    assert len(ours.meta.palette) >= 14


@pytest.mark.parametrize('name', [DETECTOR, POSE, SEGMENTOR])
def test_a_batch_of_different_sizes_is_predicted_as_its_images_alone(predictors, image, name):
    pixels = cv2.imread(image)
    images = [pixels, pixels[:90, :77], cv2.flip(pixels, 1), pixels[20:110, 30:107]]
    predictor = predictors(name)
    batch = list(predictor.predict(images, batch_size=3))
    assert [found.size for found in batch] == [each.shape[:2] for each in images]
    for alone, found in zip(map(predictor, images), batch):
        assert_same(found, alone, tolerance=0.02)
    assert [found.name for found in batch] == ['array0', 'array1', 'array2', 'array3']


class FixedDetector(Predictor):
    """Detector of the same boxes in each image."""

    task, meta = 'detection', DatasetMeta(classes=('kite', 'person'))

    def __init__(self, boxes, scores, labels):
        self.found = dict(boxes=np.array(boxes, np.float32), scores=np.array(scores, np.float32),
                          labels=np.array(labels))

    def predict_batch(self, images):
        return [Prediction(task=self.task, name=image.name, size=(9, 9), meta=self.meta, **self.found)
                for image in images]


def test_persons_of_a_detector_get_poses(predictors, image):
    pose = predictors(POSE)
    overlapping = [22, 12, 92, 118]  # NMS removes it
    detector = FixedDetector([*BOXES, overlapping, BOXES[0]], [0.9, 0.8, 0.2, 0.7, 0.9], [1, 1, 1, 1, 0])
    combined = TopDownPredictor(pose, detector)
    poses = combined(image)
    np.testing.assert_allclose(poses.boxes, BOXES[:2])
    np.testing.assert_allclose(poses.scores, [0.9, 0.8])
    alone = pose(image, boxes=BOXES[:2])
    np.testing.assert_array_equal(poses.keypoints, alone.keypoints)
    assert poses.to_coco(1)[0]['score'] < alone.to_coco(1)[0]['score']
    assert len(combined(image, boxes=BOXES)) == 3
    flat = [[40, 0, 40, 50], [0, 0, 30, 0]]  # of objects beyond the border
    assert len(TopDownPredictor(pose, FixedDetector([*BOXES, *flat], [0.9] * 5, [1] * 5))(image)) == 3
    nothing = TopDownPredictor(pose, FixedDetector(BOXES, [0.9] * 3, [0] * 3))(image)
    assert len(nothing) == 0
    assert nothing.keypoints.shape == (0, 17, 2)
    assert nothing.to_coco(1) == []
    assert '"objects": []' in nothing.to_json()
    with pytest.raises(ValueError, match='detector must be a model of detection, got one of pose'):
        TopDownPredictor(pose, pose)


def test_wrong_channels_are_refused(predictors, image, tmp_path):
    predictor = predictors(SEGMENTOR)
    for pixels in (np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8)):
        with pytest.raises(ValueError, match=r'array0 must have 3 channels in BGR order, as the model, got [14]'):
            predictor(pixels)
    gray = tmp_path / 'gray.png'
    cv2.imwrite(str(gray), cv2.imread(image, cv2.IMREAD_GRAYSCALE))  # the loader makes three channels of it
    assert predictor(gray).size == predictor(image).size


def test_images_of_pillow_have_their_own_channel_order(predictors, image):
    predictor = predictors(DETECTOR)
    assert_same(predictor(Image.open(image)), predictor(image))


def test_boxes_are_for_pose_estimators(predictors, image):
    with pytest.raises(ValueError, match='boxes must be given to a top-down pose estimator only'):
        predictors(DETECTOR)(image, boxes=BOXES)
    for boxes, message in (([[5, 5, 5, 9]], 'x1 < x2'), ([[1, 2, 3]], r'shape \(N, 4\)'),
                           ([[0, 0, float('nan'), 9]], 'finite')):
        with pytest.raises(ValueError, match=message):
            predictors(POSE)(image, boxes=boxes)
    assert len(predictors(POSE)(image, boxes=[])) == 0


def test_damaged_images_are_errors(predictors, image, tmp_path):
    photo, broken = tmp_path / 'photo.jpg', tmp_path / 'broken.png'
    cv2.imwrite(str(photo), cv2.resize(cv2.imread(image), (400, 300)))
    photo.write_bytes(photo.read_bytes()[:3000])  # OpenCV would return gray pixels
    broken.write_bytes(b'no image')
    for path in (photo, broken):
        with pytest.raises(ValueError, match=f'{path.name} must be a complete image'):
            predictors(SEGMENTOR)(path)
    with pytest.raises(FileNotFoundError, match=r'image must be a file, got .*missing'):
        predictors(SEGMENTOR)(tmp_path / 'missing.png')


@pytest.mark.parametrize(('shape', 'dtype'), [((1, 5000, 3), np.uint8), ((40, 40, 3), np.int32)])
def test_images_that_cannot_be_resized_are_errors(predictors, shape, dtype):
    message = rf'^array0 must have a size and data type .* got {shape[1]}x{shape[0]} pixels of {dtype.__name__}'
    with pytest.raises(ValueError, match=message):
        predictors(DETECTOR)(np.zeros(shape, dtype))


def test_images_are_read_when_they_are_predicted(predictors, image):
    read = []

    def images():
        for index in range(6):
            read.append(index)
            yield InputImage(name=image)

    found = predictors(SEGMENTOR).predict_images(images(), 2)
    next(found)
    assert read == [0, 1]


def test_checkpoints_and_configs_must_agree(files, tmp_path):
    config, checkpoint = files(DETECTOR)
    other = files(SEGMENTOR)[1]
    with pytest.raises(ValueError, match='It belongs to another model than the config'):
        hrnet_plugin.load(config, other)
    with pytest.raises(ValueError, match='checkpoint must be given with a config, got none'):
        hrnet_plugin.load(config)
    with pytest.raises(OSError, match='missing'):
        hrnet_plugin.load(config, tmp_path / 'missing.pth')
    with pytest.raises(ValueError, match='Give the name of its config'):
        hrnet_plugin.load(checkpoint)
    with pytest.raises(FileNotFoundError, match='Did you mean'):
        hrnet_plugin.load(f'{DETECTOR}s', checkpoint)
    for device in ('gpu', 'meta'):
        with pytest.raises(ValueError, match='device must be one of this machine'):
            hrnet_plugin.load(config, checkpoint, device=device)


def test_keypoints_of_model_and_dataset_must_agree(tmp_path, image):
    pytest.importorskip('mmpose')
    changes = 'model = dict(head=dict(out_channels=5), test_cfg=dict(flip_test=False))'
    predictor = hrnet_plugin.load(*write_model(tmp_path, POSE, changes), device='cpu')
    with pytest.raises(ValueError, match='must have the 5 keypoints of the model, got 17'):
        predictor(image)


def test_an_engine_predicts_the_same(files, predictors, image):
    fast = hrnet_plugin.load(*files(SEGMENTOR), device='cpu', engine='torch')
    assert is_optimized(fast.model)
    assert not is_optimized(predictors(SEGMENTOR).model)
    assert_same(fast(image), predictors(SEGMENTOR)(image))
    few = hrnet_plugin.load(*files(SEGMENTOR), device='cpu', engine='auto', expected_images=1)
    assert not is_optimized(few.model)


@pytest.mark.parametrize('name', [DETECTOR, SEGMENTOR])
def test_class_names_are_those_of_the_checkpoint(files, predictors, tmp_path, name):
    number = len(predictors(name).meta.classes)
    meta = dict(classes=tuple(f'kind{index}' for index in range(number)), palette=[(1, 2, 3)] * number)
    config, checkpoint = files(name)
    weights = torch.load(checkpoint, weights_only=True)
    for stored, palette in ((dict(dataset_meta=meta), meta['palette']),
                            (dict(CLASSES=meta['classes'], PALETTE=None), list(predictors(name).meta.palette))):
        torch.save(dict(weights, meta=stored), tmp_path / 'named.pth')
        found = hrnet_plugin.load(config, tmp_path / 'named.pth', device='cpu').meta
        assert (found.classes, list(found.palette)) == (meta['classes'], palette)


@pytest.mark.parametrize('stored', [dict(dataset_meta=3), dict(dataset_meta=dict(classes=[3] * 80)),
                                    dict(dataset_meta=dict(classes=['a\n'] * 80, palette=[(1, 2)])), []])
def test_invalid_names_in_a_checkpoint_are_not_used(files, predictors, tmp_path, stored):
    config, checkpoint = files(DETECTOR)
    torch.save(dict(torch.load(checkpoint, weights_only=True), meta=stored), tmp_path / 'named.pth')
    assert hrnet_plugin.load(config, tmp_path / 'named.pth', device='cpu').meta == predictors(DETECTOR).meta


def test_names_of_other_classes_are_left_out(tmp_path, image, logged):
    pytest.importorskip('mmdet')
    heads = 'bbox_head=dict(num_classes=2), mask_head=dict(num_classes=2)'
    config, checkpoint = write_model(tmp_path, DETECTOR, f'model = dict(roi_head=dict({heads}))')
    predictor = hrnet_plugin.load(config, checkpoint, device='cpu')
    assert predictor.meta.classes == ()
    assert any('model has 2 classes, but there are names for 80 classes' in line for line in logged)
    assert predictor(image).class_name(1) == '1'
