"""Metadata of exported files: what is written is read, and anything else is refused in one line."""

import json
from dataclasses import replace

import pytest

from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing, Sliding
from hrnet_plugin.prediction.metadata_json import metadata_from_json, metadata_to_json
from hrnet_plugin.results.dataset_meta import DatasetMeta

DETECTION = ExportMetadata(
    task='detection', model='MaskRCNN', config='mask-rcnn', channels=3, channel_order='RGB',
    outputs=('boxes', 'scores', 'labels', 'counts', 'masks'), mask_threshold=0.5,
    resizing=Resizing(mode='keep_ratio', size=(1333, 800)),
    meta=DatasetMeta(classes=('cat', 'dog'), palette=((1, 2, 3), (4, 5, 6))), hashes=dict(weights='00'),
    versions=dict(torch='2'))
POSE = ExportMetadata(
    task='pose', model='TopdownPoseEstimator', config='td-hm', channels=3, channel_order='RGB',
    outputs=('keypoints', 'scores'), resizing=Resizing(mode='person', size=(192, 256), use_udp=True),
    meta=DatasetMeta(keypoints=('nose', 'neck'), skeleton=((0, 1), ), sigmas=(0.1, 0.2)))
SEGMENTATION = ExportMetadata(
    task='segmentation', model='EncoderDecoder', config='fcn', channels=4, channel_order='file',
    outputs=('logits', ), resizing=Resizing(mode='none'), sliding=Sliding(crop_size=(8, 8), stride=(5, 5)))


@pytest.mark.parametrize('metadata', [DETECTION, POSE, SEGMENTATION], ids=lambda metadata: metadata.task)
def test_what_is_written_is_read(metadata):
    assert metadata_from_json(metadata_to_json(metadata), 'a.onnx') == metadata


@pytest.mark.parametrize(('change', 'message'), [
    (dict(format=2), 'Update hrnet_plugin'),
    (dict(format='1'), 'must be an int'),
    (dict(task='tracking'), 'task must be one of'),
    (dict(task=['detection']), 'task must be one of'),
    (dict(channels=0), 'channels must be between'),
    (dict(outputs=['boxes']), 'outputs must be'),
    (dict(outputs='boxes'), 'outputs must be a sequence'),
    (dict(mask_threshold=None), 'mask_threshold must be a number'),
    (dict(mask_threshold=2), 'mask_threshold must be a finite number'),
    (dict(resizing=None), 'resizing must be an object'),
    (dict(resizing=dict(mode='keep_ratio', size=None)), 'size must be two numbers'),
    (dict(resizing=dict(mode='keep_ratio', size=[1, 10**9])), 'each entry of size must be between'),
    (dict(resizing=dict(mode='person', size=[8, 8])), "mode must be 'person' for pose"),
    (dict(resizing=dict(mode='none', scale=2)), "only known entries, got 'scale'"),
    (dict(resizing=dict()), "must have the entry 'mode'"),
    (dict(meta=dict(classes=['a'], palette=[[1, 2, 3], [4, 5, 6]])), 'palette must be empty or have 1 entries'),
    (dict(meta=dict(classes=['a'], palette=[[1, 2, 300]])), 'between 0 and 255'),
    (dict(meta=dict(skeleton=[[0, 1]])), 'skeleton must have indices'),
    (dict(meta=dict(classes=[1])), 'must be a string'),
    (dict(hashes=dict(config=1)), 'each entry of hashes must be a string'),
    (dict(sliding=dict(crop_size=[8, 8], stride=[8, 8])), 'outputs must be'),
    (dict(outputs=['boxes', 'scores', 'labels', 'counts', 'keypoints']), 'outputs must be'),
    (dict(sliding=dict(crop_size=[8, 8], stride=[0, 8])), 'each entry of stride must be between'),
])
def test_changed_entries_are_refused_in_one_line(change, message):
    found = json.loads(metadata_to_json(DETECTION)) | change
    with pytest.raises(ValueError, match=message) as raised:
        metadata_from_json(json.dumps(found), 'a.onnx')
    assert str(raised.value).startswith('a.onnx must be a model exported by hrnet_plugin')
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('text', ['', '[]', 'null', '{', '{"a": 1, "a": 2}', '[' * 10**5, '{"format": NaN}', '{}',
                                  b'\xff'])
def test_other_text_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r'^a\.onnx must be a model exported by hrnet_plugin') as raised:
        metadata_from_json(text, 'a.onnx')
    assert '\n' not in str(raised.value)


def test_long_text_is_refused_before_it_is_parsed():
    with pytest.raises(ValueError, match='at most 16777216 bytes'):
        metadata_from_json(' ' * (2**24 + 1), 'a.onnx')


def test_network_may_have_any_outputs():
    network = replace(DETECTION, task='network', outputs=('a', 'b'), mask_threshold=None)
    assert metadata_from_json(metadata_to_json(network), 'a.onnx').outputs == ('a', 'b')
