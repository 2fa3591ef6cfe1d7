"""What a config and a data set are, in the words of the published rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.leaderboard.data_facts import describe_data
from hrnet_plugin.leaderboard.gather import config_digest, file_digest
from hrnet_plugin.leaderboard.metrics import named
from hrnet_plugin.leaderboard.model_facts import count, describe_model


@pytest.mark.parametrize(('name', 'facts'), [
    ('faster-rcnn_hrnetv2p-w32_2x_coco', ('Faster R-CNN', 'HRNetV2p-W32', '2x')),
    ('cascade-mask-rcnn_hrnetv2p-w18_20e_coco', ('Cascade Mask R-CNN', 'HRNetV2p-W18', '20e')),
    ('cascade-rcnn_hrnetv2p-w48_20e_coco', ('Cascade R-CNN', 'HRNetV2p-W48', '20e')),
    ('htc_hrnetv2p-w48_28e_coco', ('Hybrid Task Cascade', 'HRNetV2p-W48', '28e')),
    ('fcos_hrnetv2p-w18_1x_coco', ('FCOS', 'HRNetV2p-W18', '1x')),
    ('centernet-triplet_hrnetv2-w64_crop511-480k_coco', ('CenterNet', 'HRNetV2-W64', '480k')),
    ('faster-rcnn_hrnetv1-w32_1x_coco', ('Faster R-CNN', 'HRNetV1-W32', '1x')),
])
def test_detectors(name, facts):
    pytest.importorskip('mmdet')
    assert tuple(describe_model(Config.fromfile(cfg(name))).values()) == facts


def test_poses_and_segmentation():
    pytest.importorskip('mmpose')
    pytest.importorskip('mmseg')
    assert describe_model(Config.fromfile(cfg('td-hm_hrnetv1-w48_210e_coco-384x288'))) == dict(
        method='top-down heat maps', backbone='HRNetV1-W48', schedule='210e', size='384x288')
    assert describe_model(Config.fromfile(cfg('ocr_hrnetv2-w48_120k_cityscapes'))) == dict(
        method='OCR', backbone='HRNetV2-W48', schedule='120k')
    assert describe_model(Config.fromfile(cfg('fcn_hrnetv2-w18-small-v2_120k_cityscapes')))['backbone'] == (
        'HRNetV2-W18-small-v2')


@pytest.mark.parametrize(('name', 'backbone'), [
    ('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'ResNet-50-FPN'),
    ('mmdet::faster_rcnn/faster-rcnn_x101-64x4d_fpn_1x_coco.py', 'ResNeXt-101-64x4d-FPN'),
    ('mmdet::hrnet/faster-rcnn_hrnetv2p-w18-1x_coco.py', 'HRNetV2p-W18'),
])
def test_hosts_models(tmp_path, name, backbone):
    pytest.importorskip('mmdet')
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = ['{name}']\n")
    assert describe_model(Config.fromfile(path)) == dict(method='Faster R-CNN', backbone=backbone, schedule='1x')


def test_another_scope_is_refused():
    with pytest.raises(ValueError, match=r"default_scope of mmdet, mmpose, mmseg, got 'mmengine'"):
        describe_model(Config(dict(default_scope='mmengine', model=dict())))


@pytest.mark.slow
def test_counts_are_in_the_papers_units_where_it_has_such_a_model():
    pytest.importorskip('mmdet')
    facts = count(Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18_1x_coco')))
    assert (round(facts['params'], 1), facts['unit'], facts['counted at']) == (
        26.2, 'MACs / 2^30; weights / 2^20, without batch norms', '800x1216')
    facts = count(Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18-small-v1_sample')))  # its pyramid has norms
    assert facts['unit'] == 'MACs / 1e9; weights / 1e6'


def dataset(kind, length, **attributes):
    made = type(kind, (), dict(__len__=lambda self: length))()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


COCO80 = dict(metainfo=dict(classes=tuple(map(str, range(80)))), data_root='data/coco/')


@pytest.mark.parametrize(('task', 'made', 'facts'), [
    ('detection', dataset('CocoDataset', 5000, ann_file='data/coco/annotations/instances_val2017.json', **COCO80),
     ('COCO', 'val2017', 5000, True)),
    ('detection', dataset('CocoDataset', 20288, ann_file='a/image_info_test-dev2017.json', **COCO80),
     ('COCO', 'test-dev2017', 20288, True)),
    ('detection', dataset('CocoDataset', 100, ann_file='a/instances_val2017.json', **COCO80),
     ('coco', 'val2017', 100, False)),
    ('detection', dataset('CocoDataset', 5000, ann_file='a/instances_val2017.json', data_root='data/cells/',
                          metainfo=dict(classes=('a', ))), ('cells', 'val2017', 5000, False)),
    ('segmentation', dataset('CityscapesDataset', 500, ann_file='', data_root='data/cityscapes/',
                             data_prefix=dict(img_path='data/cityscapes/leftImg8bit/val')),
     ('Cityscapes', 'val', 500, True)),
    ('segmentation', dataset('CityscapesDataset', 20, data_prefix=dict(img_path='leftImg8bit/val')),
     ('Cityscapes', 'val', 20, False)),
    ('segmentation', dataset('COCOStuffDataset', 1000, data_prefix=dict(img_path='x/images/test2014')),
     ('COCO-Stuff 10k', 'test', 1000, True)),
    ('segmentation', dataset('COCOStuffDataset', 100, data_root='data/sample', data_prefix=dict(img_path='val2017')),
     ('sample', 'val2017', 100, False)),
    ('pose', dataset('MpiiDataset', 2958, ann_file='annotations/mpii_val.json'), ('MPII', 'val', 2958, True)),
])
def test_data_sets(task, made, facts):
    found = describe_data(task, made)
    assert (found.data, found.split, found.images, found.whole) == facts
    wrapped = SimpleNamespace(dataset=made)
    assert describe_data(task, wrapped) == found


def test_persons_are_not_images():
    persons = dataset('CocoDataset', 104125, ann_file='a/person_keypoints_val2017.json', data_root='data/coco',
                      metainfo=dict(classes=()))
    found = describe_data('pose', persons, images=5000)
    assert (found.data, found.images, found.whole) == ('COCO', 5000, True)


def test_names_of_metrics():
    assert named('detection', {'coco/bbox_mAP': .5, 'coco/segm_mAP_s': -1, 'other': 2}) == {
        'AP': .5, 'mask APs': None, 'other': 2}
    assert named('pose', {'coco/AP .75': .5, 'coco/AR (L)': .25, 'PCK@0.1': 30}) == {
        'AP75': .5, 'ARl': .25, 'PCKh@0.1': 30}
    assert named('segmentation', {'mIoU': 81.1, 'mAcc': float('nan')}) == {'mIoU': 81.1, 'mAcc': None}


def test_digests(tmp_path):
    config = Config(dict(model=dict(type='x'), work_dir='a', custom_hooks=[1], load_from='b'))
    moved = Config(dict(model=dict(type='x'), work_dir='c', default_hooks=dict(logger=2)))
    changed = Config(dict(model=dict(type='y'), work_dir='a'))
    assert config_digest(config) == config_digest(moved) != config_digest(changed)
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'abc')
    assert file_digest(str(path)) == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert file_digest('https://nowhere/x.pth') == file_digest('') == ''
