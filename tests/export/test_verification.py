"""Evaluation of exported models on test data: equal models agree, and wrong ones have significant differences."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import SAMPLE_CONFIGS, randomize, read_sample_config
from mmengine.registry import MODELS, DefaultScope
from prediction_models import write_model

from hrnet_plugin.cli import export
from hrnet_plugin.cli.main import run
from hrnet_plugin.config_files import relocate_data
from hrnet_plugin.export.export import export_model
from hrnet_plugin.export.parity.compare import match_detections
from hrnet_plugin.export.targets.formats import TARGETS
from hrnet_plugin.export.verification.data import VerificationData
from hrnet_plugin.export.verification.text import verification_text
from hrnet_plugin.export.verification.verify import verify
from hrnet_plugin.hosts import MMDET
from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.model import load_model
from hrnet_plugin.prediction.torch_predictor import TorchPredictor
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction, to_numpy

MASKS = 'mask-rcnn_hrnetv2p-w18-small-v1_sample'
INTERVALS = {'mmdet': ['box AP', 'mask AP'], 'mmpose': ['keypoint AP'], 'mmseg': ['mIoU']}
SEGMENTOR = SAMPLE_CONFIGS['mmseg']


class Truth:
    """Model that returns the ground truth, moved by some pixels."""

    def __init__(self, data, shift=0):
        self.data, self.shift, self.known = data, shift, {}
        for batch in data.batches():
            sample = batch['data_samples'][0]
            boxes, _ = data.host.person_boxes(sample) or (None, None)
            self.known[key(sample.metainfo['img_path'], boxes)] = self.move(to_prediction(data.host.name, sample))

    def move(self, truth):
        if truth.label_map is not None:
            return replace(truth, label_map=np.roll(truth.label_map, self.shift, 1))
        if truth.keypoints is not None:
            return replace(truth, keypoints=truth.keypoints + self.shift)
        return replace(truth, boxes=truth.boxes + self.shift, masks=np.roll(truth.masks, self.shift, 2))

    def test_step(self, batch):
        sample = batch['data_samples'][0]
        boxes, _ = self.data.host.person_boxes(sample) or (None, None)
        self.data.host.set_prediction(sample, self.known[key(sample.metainfo['img_path'], boxes)])
        return [sample]

    def predict_batch(self, images):
        return [self.known[key(image.name, image.boxes)] for image in images]


def key(name, boxes):
    return name, None if boxes is None else tuple(np.ravel(boxes))


def to_prediction(host, sample):
    size, task = sample.metainfo['ori_shape'], dict(mmdet='detection', mmpose='pose', mmseg='segmentation')[host]
    common = dict(task=task, name='', size=size, meta=DatasetMeta())
    if host == 'mmseg':
        return Prediction(**common, label_map=to_numpy(sample.gt_sem_seg.data, 'int64')[0] % 14)
    found = sample.gt_instances
    if host == 'mmpose':
        return Prediction(**common, boxes=found.bboxes, scores=found.bbox_scores, keypoints=found.keypoints,
                          keypoint_scores=np.ones(found.keypoints.shape[:2], np.float32))
    boxes = to_numpy(getattr(found.bboxes, 'tensor', found.bboxes), 'float32')
    return Prediction(**common, boxes=boxes, scores=np.ones(len(boxes), np.float32),
                      labels=to_numpy(found.labels, 'int64'), masks=to_numpy(found.masks.masks, bool))


def data_of(sample_config, host):
    config = sample_config(host, MASKS if host == 'mmdet' else '')
    pipeline = config.test_dataloader.dataset.pipeline
    if host == 'mmdet':  # the ground truth in pixels of the image
        pipeline[:] = [step for step in pipeline if step.type != 'Resize']
        next(step for step in pipeline if step.type == 'LoadAnnotations').with_mask = True
        config.test_dataloader.dataset.pipeline = pipeline
    return VerificationData(config)


@pytest.mark.parametrize('host', INTERVALS)
def test_equal_and_wrong_models(host, sample_config):
    data = data_of(sample_config, host)
    truth = Truth(data)
    equal, wrong = (verify(data, truth, Truth(data, shift)) for shift in (0, 6))
    assert list(equal.intervals) == list(wrong.intervals) == INTERVALS[host]
    for interval in equal.intervals.values():
        assert (interval.difference, interval.low, interval.high) == (0, 0, 0)
    for interval in wrong.intervals.values():
        assert interval.difference < -0.05
        assert interval.high < 0
    assert all(before == after for before, after in equal.metrics.values())
    first, second = next(iter(wrong.metrics.values()))
    assert first > 0.9
    assert second < first - 0.05
    lines = verification_text(wrong).splitlines()
    assert lines[0] == f'test data, {len(data)} {"persons" if host == "mmpose" else "images"}:'
    assert any(line.startswith(f'{INTERVALS[host][0]}: difference -') for line in lines)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory, sample_root):
    """Segmentor that predicts three classes that cover much of the images."""
    pytest.importorskip('mmseg')
    config, path = read_sample_config(SEGMENTOR, sample_root), tmp_path_factory.mktemp('weights') / 'model.pth'
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = randomize(MODELS.build(config.model))
    torch.nn.init.constant_(model.decode_head.conv_seg.bias, -1e4)
    model.decode_head.conv_seg.bias.data[[8, 9, 12]] = 0
    torch.save(dict(state_dict=model.state_dict()), path)
    return str(path)


def words(checkpoint, out, root):
    return ['export', SEGMENTOR, '--checkpoint', checkpoint, '--to', 'onnx', '--out', str(out), '--verify',
            '--data-root', str(root)]


def test_the_written_file_is_evaluated(checkpoint, sample_root, tmp_path, capsys):
    pytest.importorskip('onnxruntime')
    assert run(words(checkpoint, tmp_path / 'model.onnx', sample_root)) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[lines.index('test data, 6 images:') + 1:]
    assert table[0].split() == ['PyTorch', 'exported', 'difference']
    rows = {line.split()[0]: list(map(float, line.split()[1:])) for line in table[1:4]}
    assert list(rows) == ['mIoU', 'mAcc', 'aAcc']
    assert rows['aAcc'][0] > 1
    assert all(abs(difference) < 0.1 for _, _, difference in rows.values())
    assert table[4].startswith('mIoU: difference ')
    assert table[5].startswith('median time per image: PyTorch ')


def test_a_file_of_another_model_differs(checkpoint, sample_root, tmp_path):
    pytest.importorskip('onnxruntime')
    config = read_sample_config(SEGMENTOR, sample_root)
    file, = export_model(config, checkpoint, TARGETS['onnx'], tmp_path / 'model.onnx').files
    data = VerificationData(config)
    found = verify(data, Truth(data), ExportedPredictor(file))
    assert found.intervals['mIoU'].high < -0.1
    assert found.metrics['aAcc'][0] == 100
    assert 1 < found.metrics['aAcc'][1] < 90


class Recorder:
    """Evaluator that keeps the samples."""

    metrics = ()

    def __init__(self):
        self.samples = []

    def process(self, data_samples, data_batch):
        self.samples += [sample.clone() for sample in data_samples]

    def evaluate(self, size):
        return {}


@pytest.mark.parametrize('name', [SEGMENTOR, pytest.param(MASKS, marks=pytest.mark.slow),
                                  pytest.param(SAMPLE_CONFIGS['mmpose'], marks=pytest.mark.slow)])
def test_evaluators_get_the_same_predictions(name, sample_root, tmp_path, monkeypatch):
    pytest.importorskip('onnxruntime')
    path, weights = write_model(tmp_path, name)
    config, recorders = read_sample_config(path, sample_root), []
    data = VerificationData(config)
    monkeypatch.setattr(data, 'make_evaluator', lambda: recorders.append(Recorder()) or recorders[-1])
    file, = export_model(config, weights, TARGETS['onnx'], tmp_path / 'model.onnx').files
    verify(data, TorchPredictor(config, load_model(config, weights)), ExportedPredictor(file))
    before, after = (recorder.samples for recorder in recorders)
    assert len(before) == len(after) == len(data)
    for one, other in zip(before, after):
        check_same_prediction(one, other)


def check_same_prediction(one, other):
    """Compare what the evaluators of a host read."""
    assert one.img_path == other.img_path
    if 'pred_sem_seg' in one:
        assert one.pred_sem_seg.data.shape == other.pred_sem_seg.data.shape
        assert (one.pred_sem_seg.data == other.pred_sem_seg.data).float().mean() > 0.999
        return
    expected, found = one.pred_instances, other.pred_instances
    names = set(expected.keys()) - {'keypoints_visible'}
    assert names == set(found.keys())
    assert all(type(expected[entry]) is type(found[entry]) for entry in names)
    if 'keypoints' in expected:
        for entry in names:
            np.testing.assert_allclose(found[entry], expected[entry], atol=0.05)
        return
    first, second = (MMDET.prediction([each], name='', size=each.ori_shape, meta=DatasetMeta())
                     for each in (one, other))
    pairs = match_detections(first, second)
    assert len(first) == len(second) == 30
    assert len(pairs) >= 27  # without near-ties
    assert all((first.masks[i] != second.masks[j]).sum() <= 4 for i, j in pairs)


def test_missing_data_is_refused_before_the_export(checkpoint, sample_root, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, 'export_model', None)
    assert run(words(checkpoint, tmp_path / 'model.onnx', tmp_path / 'missing')) == 2
    error = capsys.readouterr().err.splitlines()
    assert len([line for line in error if line.startswith('hrnet export: error: ')]) == 1
    assert str(tmp_path / 'missing') in error[-1]
    assert os.listdir(tmp_path) == []


def test_a_network_is_refused(checkpoint, sample_root, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        run([*words(checkpoint, tmp_path / 'model.onnx', sample_root), '--part', 'network'])
    assert '--verify requires --part model, got network' in capsys.readouterr().err


def test_a_config_without_evaluation_is_refused(sample_config):
    with pytest.raises(ValueError, match='got format_only=True'):
        VerificationData(sample_config('mmseg', test_evaluator=dict(format_only=True, output_dir=None)))
    with pytest.raises(ValueError, match='must have the entry test_evaluator'):
        VerificationData(sample_config('mmseg', test_evaluator=None))


@pytest.mark.parametrize('content', [b'no image', None])
def test_the_file_stays_if_an_image_is_damaged(content, checkpoint, sample_root, tmp_path, capsys):
    root, out = tmp_path / 'data', tmp_path / 'model.onnx'
    shutil.copytree(sample_root, root)
    image = sorted((root / 'val2017').iterdir())[2]
    image.write_bytes(image.read_bytes()[:-200] if content is None else content)
    assert run(words(checkpoint, out, root)) == 2
    found = capsys.readouterr()
    assert f'{out}: EncoderDecoder, segmentation' in found.out
    assert 'test data' not in found.out
    errors = [line for line in found.err.splitlines() if line.startswith('hrnet export: error: ')]
    assert len(errors) == 1
    assert f'{image} must be a complete image' in errors[0]
    assert out.is_file()


def test_a_missing_image_is_refused(sample_config, sample_root, tmp_path):
    root = tmp_path / 'data'
    shutil.copytree(sample_root, root)
    image = sorted((root / 'val2017').iterdir())[2]
    image.unlink()
    config = sample_config('mmdet')
    config.merge_from_dict(relocate_data(config, str(root)))
    with pytest.raises(FileNotFoundError, match='must have all images as files') as error:
        VerificationData(config)
    assert str(image) in str(error.value)
