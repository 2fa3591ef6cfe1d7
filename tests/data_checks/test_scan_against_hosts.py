"""Tests of the scan against mmdet, mmpose and the COCO API: what they refuse or leave out has a finding."""

from __future__ import annotations

import contextlib
import io
import json
import warnings

import pytest
from broken_datasets import BOX_CASES, HARMLESS, KEYPOINT_CASES, dataset

from hrnet_plugin.data_checks.annotations import scan_annotations

CHANGES = [change for change, *_ in BOX_CASES]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a changed dataset."""
    def write_changed(change):
        data = dataset()
        change(data)
        file = tmp_path / 'data.json'
        file.write_text(json.dumps(data), encoding='utf-8')
        return file
    return write_changed


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


def load_mmdet(file):
    """Return the number of objects that mmdet trains on, None on errors."""
    from mmdet.datasets import CocoDataset
    try:
        with quiet():
            data = CocoDataset(ann_file=str(file), metainfo=dict(classes=('cat', 'dog', 'bird')), pipeline=[],
                               data_prefix=dict(img=''))
    except Exception:
        return None
    return sum(not instance['ignore_flag'] for number in range(len(data))
               for instance in data.get_data_info(number)['instances'])


def evaluate(file):
    """Return the AP of detections equal to the objects of the valid dataset, None on errors."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    detections = [dict(image_id=note['image_id'], category_id=note['category_id'], bbox=[0, 0, 20, 30], score=.9)
                  for note in apart(dataset())['annotations']]
    for detection, note in zip(detections, apart(dataset())['annotations']):
        detection['bbox'] = note['bbox']
    try:
        with quiet():
            truth = COCO(str(file))
            evaluation = COCOeval(truth, truth.loadRes(detections), 'bbox')
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
    except Exception:
        return None
    return evaluation.stats[0]


def apart(data):
    """Move the boxes so that no two of them overlap in an image."""
    for number, note in enumerate(data['annotations']):
        note['bbox'] = [20 * (number // 4), 10, 20, 30]
    return data


def changed_apart(change):
    def change_both(data):
        apart(data)
        change(data)
    return change_both


@pytest.mark.parametrize('change', CHANGES)
def test_mmdet(write, change):
    pytest.importorskip('mmdet')
    file = write(change)
    loaded = load_mmdet(file)
    findings = scan_annotations(file, evaluated=False).findings
    if loaded is None:
        assert any(finding.is_error for finding in findings)
    elif loaded < 12:
        assert findings


@pytest.mark.parametrize('change', CHANGES)
def test_coco_api(write, change):
    pytest.importorskip('pycocotools')
    file = write(changed_apart(change))
    ap = evaluate(file)
    findings = scan_annotations(file).findings
    if ap is None:
        assert any(finding.is_error for finding in findings)
    elif ap < 1 - 1e-6:
        assert findings


@pytest.mark.parametrize('change', HARMLESS)
def test_harmless(write, change):
    pytest.importorskip('mmdet')
    pytest.importorskip('pycocotools')
    assert load_mmdet(write(change)) == 12


def test_references(write):
    """The valid dataset is loaded completely and evaluated without loss."""
    pytest.importorskip('mmdet')
    pytest.importorskip('pycocotools')
    assert load_mmdet(write(lambda data: None)) == 12
    assert evaluate(write(apart)) == pytest.approx(1)


@pytest.mark.parametrize('change', [change for change, *_ in KEYPOINT_CASES])
def test_mmpose(write, change):
    pytest.importorskip('mmpose')
    file = write(change)
    findings = scan_annotations(file, keypoints=True, evaluated=False).findings
    instances = load_mmpose(file)
    if instances is None:
        assert any(finding.is_error for finding in findings)
    elif instances < 12:
        assert findings


def load_mmpose(file):
    """Return the number of objects that mmpose trains on, None on errors."""
    from mmpose.datasets import CocoDataset
    points = {number: dict(name=name, id=number, color=[0, 0, 0], type='upper', swap='')
              for number, name in enumerate('abc')}
    metainfo = dict(dataset_name='test', paper_info={}, keypoint_info=points, skeleton_info={}, joint_weights=[1.] * 3,
                    sigmas=[.05] * 3)
    try:
        with quiet():
            data = CocoDataset(ann_file=str(file), metainfo=metainfo, pipeline=[])
    except Exception:
        return None
    return len(data)


def test_mmpose_reference(write):
    pytest.importorskip('mmpose')
    assert load_mmpose(write(lambda data: None)) == 12
