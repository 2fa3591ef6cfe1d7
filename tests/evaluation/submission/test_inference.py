"""Tests of test-dev configs derived from detection and pose configs."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.submission.check import check_file
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.inference import test_dev_config as for_test_dev

pytest.importorskip('mmdet')
ANNOTATIONS = 'annotations/image_info_test-dev2017.json'


@pytest.mark.parametrize('name', [
    'faster-rcnn_hrnetv2p-w32_1x_coco', 'mask-rcnn_hrnetv2p-w18_2x_coco', 'htc_hrnetv2p-w48_28e_coco',
    'fcos_hrnetv2p-w18_1x_coco', 'centernet-triplet_hrnetv2-w48_crop511-480k_coco'])
def test_configs(name):
    config = Config.fromfile(cfg(name))
    before = config.pretty_text
    made = for_test_dev(config, None, 'here/mine', None)
    dataset, metric = made.test_dataloader.dataset, made.test_evaluator
    assert (dataset.data_root, dataset.ann_file) == ('data/coco/', ANNOTATIONS)
    assert dataset.data_prefix == dict(img='test2017/')
    assert (metric.ann_file, metric.format_only) == (f'data/coco/{ANNOTATIONS}', True)
    assert metric.outfile_prefix == 'here/mine'
    assert metric.metric == config.test_evaluator.metric
    # nothing else changes, and the given config is not modified
    assert config.pretty_text == before
    for entry in ('model', 'val_dataloader', 'val_evaluator', 'train_dataloader'):
        assert made.get(entry) == config.get(entry)
    assert for_test_dev(config, 'other', 'x', None).test_evaluator.ann_file == f'other/{ANNOTATIONS}'


ROOTED = dict(type='CocoDataset', data_root='data/coco/')


def plain(**entries):
    values = dict(default_scope='mmdet', model=dict(), test_dataloader=dict(dataset=ROOTED),
                  test_evaluator=dict(type='CocoMetric'))
    return Config({**values, **entries})


@pytest.mark.parametrize(('entries', 'words'), [
    (dict(default_scope='mmseg'), "config must be one of mmdet or mmpose, got one of 'mmseg'"),
    (dict(test_dataloader=None), 'config must have a test_dataloader and a test_evaluator, got none'),
    (dict(test_dataloader=dict(dataset=dict(type='VOCDataset'))), 'must test a CocoDataset, got VOCDataset'),
    (dict(test_dataloader=dict(dataset=dict(type='CocoDataset'))), '--data-root must be the folder of COCO, got none'),
    (dict(test_dataloader=dict(dataset=dict(ROOTED, metainfo=dict(classes=('person', 'balloon'))))),
     "config must test classes of COCO, got 'balloon'"),
    (dict(test_evaluator=dict(type='VOCMetric')), 'must have one CocoMetric in its test_evaluator, got 0')])
def test_invalid_configs(entries, words):
    with pytest.raises(ValueError, match=words):
        for_test_dev(plain(**entries), None, 'x', None)


def test_wrapped_datasets():
    class CocoDataset:
        """Stand-in for mmdet's class in configs with classes in place of type names."""

    CocoDataset.__module__ = 'mmdet.datasets.coco'
    config = plain(default_scope=None, test_evaluator=[dict(type='mmdet.CocoMetric'), dict(type='DumpDetResults')],
                   test_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=dict(
                       type=CocoDataset, data_root='s3://bucket/coco/', indices=10))))
    made = for_test_dev(config, None, 'x', None)
    inner = made.test_dataloader.dataset.dataset
    assert inner.ann_file == ANNOTATIONS
    assert 'indices' not in inner
    assert made.test_evaluator.ann_file == f's3://bucket/coco/{ANNOTATIONS}'


PERSONS = 'COCO_test-dev2017_detections_AP_H_609_person.json'
ZOO = 'configs/body_2d_keypoint'


@pytest.mark.parametrize('name', [
    'td-hm_hrnetv1-w32_210e_coco-256x192', 'td-hm_hrnetv1-w48_udp-210e_coco-384x288',
    'topdown_heatmap/coco/td-hm_hrnet-w32_dark-8xb64-210e_coco-256x192',
    'topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-combine',
    'dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512'])
def test_pose_configs(name):
    pytest.importorskip('mmpose')
    config = Config.fromfile(cfg(name) if '/' not in name else str(files('mmpose') / '.mim' / ZOO / f'{name}.py'))
    before = config.pretty_text
    persons = None if 'dekr' in name else PERSONS
    made = for_test_dev(config, None, 'x', persons)
    dataset, metric = made.test_dataloader.dataset, made.test_evaluator
    assert (dataset.bbox_file, dataset.ann_file, dataset.test_mode) == (persons, ANNOTATIONS, True)
    assert dataset.pipeline == config.test_dataloader.dataset.pipeline
    assert (metric.ann_file, metric.format_only) == (f'data/coco/{ANNOTATIONS}', True)
    for entry in ('nms_mode', 'score_mode', 'nms_thr'):
        assert metric.get(entry) == config.test_evaluator.get(entry)
    assert made.model == config.model
    assert config.pretty_text == before
    words = '--person-boxes must not be given for a bottom-up' if persons is None else \
        '--person-boxes must be a file of persons in the images of test-dev for a top-down config, got none'
    with pytest.raises(ValueError, match=words):
        for_test_dev(config, None, 'x', None if persons else PERSONS)


def test_other_keypoints_and_boxes_of_detectors_are_refused(sample_config):
    pytest.importorskip('mmpose')
    config = sample_config('mmpose')
    config.test_dataloader.dataset.metainfo = dict(from_file=str(
        files('mmpose') / '.mim/configs/_base_/datasets/mpii.py'))
    with pytest.raises(ValueError, match='config must test the keypoints of COCO, got others'):
        for_test_dev(config, None, 'x', PERSONS)
    with pytest.raises(ValueError, match='--person-boxes must not be given with a config of mmdet'):
        for_test_dev(plain(), None, 'x', PERSONS)


@pytest.fixture
def test_dev(sample_root, tmp_path):
    """Return a folder of images without annotations, and a file of persons in them and another object."""
    truth = json.loads((sample_root / 'annotations/person_keypoints_val2017.json').read_text())
    shutil.copytree(sample_root / 'val2017', tmp_path / 'coco/test2017')
    (tmp_path / 'coco/annotations').mkdir()
    info = dict(info={}, images=truth['images'], categories=[
        dict(id=1, name='person', supercategory='person'), dict(id=18, name='dog', supercategory='animal')])
    (tmp_path / 'coco' / ANNOTATIONS).write_text(json.dumps(info))
    boxes = [dict(image_id=a['image_id'], category_id=a['category_id'], bbox=a['bbox'], score=0.5)
             for a in truth['annotations']]
    persons = tmp_path / PERSONS
    persons.write_text(json.dumps([*boxes, {**boxes[0], 'category_id': 18}]))
    return tmp_path / 'coco', persons, [box['image_id'] for box in boxes]


def test_a_pose_estimator_writes_keypoints_of_images_without_annotations(test_dev, sample_config, tmp_path):
    """Run a whole test with mmpose, whose dataset and metric read a file without annotations."""
    pytest.importorskip('mmpose')
    root, persons, images = test_dev
    prefix = str(tmp_path / 'new/test-dev')
    config = for_test_dev(sample_config('mmpose', work_dir=str(tmp_path / 'work')), str(root), prefix, str(persons))
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    config.test_evaluator.nms_mode = 'none'  # an untrained model predicts the same point for all persons
    assert Runner.from_cfg(config).test() == {}
    found = json.loads((tmp_path / 'new/test-dev.keypoints.json').read_text())
    assert sorted(person['image_id'] for person in found) == sorted(images)
    assert {(person['category_id'], len(person['keypoints'])) for person in found} == {(1, 51)}
    report = check_file(tmp_path / 'new/test-dev.keypoints.json', SplitImages.read(root / ANNOTATIONS))
    assert (report.kind, report.errors) == ('keypoints', [])
    assert any(warning.startswith(f'{len(images)} detections have bbox') for warning in report.warnings)
