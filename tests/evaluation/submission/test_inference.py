"""Tests of test-dev configs derived from detection configs."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.submission.inference import test_dev_config as for_test_dev

ANNOTATIONS = 'annotations/image_info_test-dev2017.json'


@pytest.mark.parametrize('name', [
    'faster-rcnn_hrnetv2p-w32_1x_coco', 'mask-rcnn_hrnetv2p-w18_2x_coco', 'htc_hrnetv2p-w48_28e_coco',
    'fcos_hrnetv2p-w18_1x_coco', 'centernet-triplet_hrnetv2-w48_crop511-480k_coco'])
def test_configs(name):
    pytest.importorskip('mmdet')
    config = Config.fromfile(cfg(name))
    before = config.pretty_text
    made = for_test_dev(config, None, 'here/mine')
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
    assert for_test_dev(config, 'other', 'x').test_evaluator.ann_file == f'other/{ANNOTATIONS}'


ROOTED = dict(type='CocoDataset', data_root='data/coco/')


def plain(**entries):
    values = dict(default_scope='mmdet', model=dict(), test_dataloader=dict(dataset=ROOTED),
                  test_evaluator=dict(type='CocoMetric'))
    return Config({**values, **entries})


@pytest.mark.parametrize(('entries', 'words'), [
    (dict(default_scope='mmpose'), "config must be one of mmdet, got one of 'mmpose'"),
    (dict(test_dataloader=None), 'config must have a test_dataloader and a test_evaluator, got none'),
    (dict(test_dataloader=dict(dataset=dict(type='VOCDataset'))), 'must test a CocoDataset, got VOCDataset'),
    (dict(test_dataloader=dict(dataset=dict(type='CocoDataset'))), '--data-root must be the folder of COCO, got none'),
    (dict(test_dataloader=dict(dataset=dict(ROOTED, metainfo=dict(classes=('person', 'balloon'))))),
     "config must test classes of COCO, got 'balloon'"),
    (dict(test_evaluator=dict(type='VOCMetric')), 'must have one CocoMetric in its test_evaluator, got 0')])
def test_invalid_configs(entries, words):
    pytest.importorskip('mmdet')
    with pytest.raises(ValueError, match=words):
        for_test_dev(plain(**entries), None, 'x')


def test_wrapped_datasets():
    class CocoDataset:
        """Stand-in for mmdet's class in configs with classes in place of type names."""

    CocoDataset.__module__ = 'mmdet.datasets.coco'
    config = plain(default_scope=None, test_evaluator=[dict(type='mmdet.CocoMetric'), dict(type='DumpDetResults')],
                   test_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=dict(
                       type=CocoDataset, data_root='s3://bucket/coco/', indices=10))))
    made = for_test_dev(config, None, 'x')
    inner = made.test_dataloader.dataset.dataset
    assert inner.ann_file == ANNOTATIONS
    assert 'indices' not in inner
    assert made.test_evaluator.ann_file == f's3://bucket/coco/{ANNOTATIONS}'
