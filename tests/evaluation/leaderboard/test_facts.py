"""Tests of the descriptions of configs and datasets, and of digests."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.leaderboard.data_facts import describe_annotations, describe_data, split_name
from hrnet_plugin.evaluation.leaderboard.facts import Cost, ModelFacts
from hrnet_plugin.evaluation.leaderboard.metrics import rename_metrics
from hrnet_plugin.evaluation.leaderboard.model_facts import count_cost, describe_model
from hrnet_plugin.evaluation.leaderboard.runner_record import augmentation, config_digest, file_digest


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
    found = describe_model(Config.fromfile(cfg(name)))
    assert (found.method, found.backbone, found.schedule) == facts


def test_poses_and_segmentation():
    pytest.importorskip('mmpose')
    pytest.importorskip('mmseg')
    assert describe_model(Config.fromfile(cfg('td-hm_hrnetv1-w48_210e_coco-384x288'))) == ModelFacts(
        method='top-down heat maps', backbone='HRNetV1-W48', schedule='210e', size='384x288')
    assert describe_model(Config.fromfile(cfg('ocr_hrnetv2-w48_120k_cityscapes'))) == ModelFacts(
        method='OCR', backbone='HRNetV2-W48', schedule='120k')
    assert describe_model(Config.fromfile(cfg('fcn_hrnetv2-w18-small-v2_120k_cityscapes'))).backbone == (
        'HRNetV2-W18-small-v2')


@pytest.mark.parametrize(('name', 'backbone'), [
    ('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'ResNet-50-FPN'),
    ('mmdet::faster_rcnn/faster-rcnn_x101-64x4d_fpn_1x_coco.py', 'ResNeXt-101-64x4d-FPN'),
    ('mmdet::hrnet/faster-rcnn_hrnetv2p-w18-1x_coco.py', 'HRNetV2p-W18'),
])
def test_upstream_models(tmp_path, name, backbone):
    pytest.importorskip('mmdet')
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = ['{name}']\n")
    assert describe_model(Config.fromfile(path)) == ModelFacts(method='Faster R-CNN', backbone=backbone, schedule='1x')


@pytest.mark.parametrize(('out_indices', 'backbone'), [
    ((0, 1, 2), 'HRNetV2p-W18 (branches 0, 1, 2)'), ((3, ), 'HRNetV2p-W18 (branch 3)'), ((0, ), 'HRNetV1-W18')])
def test_fewer_outputs_are_named(out_indices, backbone):
    pytest.importorskip('mmdet')
    config = Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18_1x_coco'))
    config.model.backbone.out_indices = out_indices
    found = describe_model(config)
    assert (found.backbone, found.width) == (backbone, 'W18')


def test_another_scope_is_refused():
    with pytest.raises(ValueError, match=r"one of mmdet, mmpose, mmseg, mmpretrain, got 'mmengine'"):
        describe_model(Config(dict(default_scope='mmengine', model=dict())))


@pytest.mark.slow
def test_counts_of_published_models_have_the_papers_units():
    pytest.importorskip('mmdet')
    pytest.importorskip('mmseg')
    facts = count_cost(Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18_1x_coco')), 'COCO')
    assert (round(facts.params, 1), facts.unit, facts.counted_at) == (
        26.2, 'MACs / 2^30; weights / 2^20, without batch norms', '800x1216')
    facts = count_cost(Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18-small-v1_sample')), 'sample')  # pyramid with norms
    assert facts.unit == 'MACs / 1e9; weights / 1e6'
    facts = count_cost(Config.fromfile(cfg('fcn_hrnetv2-w48_120k_cityscapes')), 'Cityscapes')
    assert (facts.counted_at, round(facts.gflops, 1)) == ('1024x2048', 696.2)


def test_costs_for_images_with_four_channels():
    pytest.importorskip('mmdet')
    config = Config.fromfile(cfg('faster-rcnn_hrnetv2p-w18-small-v1_sample'))
    three = count_cost(config, '')
    config.model.backbone.in_channels = 4
    assert count_cost(config, '').params - three.params == pytest.approx(576e-6)


def test_a_model_that_cannot_be_counted_has_no_count():
    config = Config(dict(default_scope='mmdet', model=dict(type='Nothing', backbone=dict(type='x'))))
    assert count_cost(config, '') == Cost()


def test_a_model_without_a_backbone():
    model = dict(type='SoftTeacher', detector=dict(type='FasterRCNN'))
    assert describe_model(Config(dict(default_scope='mmdet', model=model))).backbone == ''


def test_test_time_augmentation():
    def config(**entries):
        return Config(dict(default_scope='mmdet', **entries))

    one, two = dict(type='Resize', scale=1), dict(type='Resize', scale=2)
    flips = [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)]
    for resizes, words in (([one], 'flip'), ([one, two], 'scales, flip')):
        pipeline = [dict(type='LoadImageFromFile'), dict(type='TestTimeAug', transforms=[resizes, flips])]
        assert augmentation(config(model=dict(type='TTA', module=dict()), tta_pipeline=pipeline)) == words
        assert augmentation(config(model=dict(type='FCOS'), tta_pipeline=pipeline)) == ''
    for flip, words in ((True, ''), (False, 'no flip')):
        assert augmentation(Config(dict(default_scope='mmpose', model=dict(test_cfg=dict(flip_test=flip))))) == words


def dataset(kind, length, **attributes):
    made = type(kind, (), dict(__len__=lambda self: length))()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


COCO_IDS = (581781, 139, 285, 632, 724, 776, 785)


@pytest.mark.parametrize(('task', 'made', 'facts'), [
    ('detection', dataset('CocoDataset', 5000, ann_file='data/coco/annotations/instances_val2017.json'),
     ('COCO', 'val2017', 5000, True)),
    ('detection', dataset('CocoDataset', 100, ann_file='a/instances_val2017.json'), ('COCO', 'val2017', 100, False)),
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
def test_datasets(task, made, facts):
    found = describe_data(task, made, ids=COCO_IDS)
    assert (found.data, found.split, found.images, found.whole) == facts
    wrapped = SimpleNamespace(dataset=made)
    assert describe_data(task, wrapped, ids=COCO_IDS) == found


def test_other_images_with_cocos_file_names():
    made = dataset('CocoDataset', 5000, ann_file='data/mine/annotations/instances_val2017.json', data_root='data/mine/')
    found = describe_data('detection', made, ids=range(1000000, 1005000))
    assert (found.data, found.whole) == ('mine', False)


def test_persons_are_not_images():
    persons = dataset('CocoDataset', 104125, ann_file='a/person_keypoints_val2017.json', data_root='data/coco')
    found = describe_data('pose', persons, images=5000, ids=COCO_IDS)
    assert (found.data, found.images, found.whole) == ('COCO', 5000, True)


def test_annotation_files(tmp_path):
    ids = [*COCO_IDS, *range(10**6, 10**6 + 4993)]
    found = describe_annotations(tmp_path / 'coco' / 'annotations' / 'instances_val2017.json', ids)
    assert (found.data, found.split, found.images, found.whole) == ('COCO', 'val2017', 5000, True)
    found = describe_annotations(tmp_path / 'cells' / 'instances_test.json', range(87))
    assert (found.data, found.split, found.images, found.whole) == ('cells', 'test', 87, False)


@pytest.mark.parametrize(('stem', 'split'), [
    ('instances_val2017', 'val2017'), ('image_info_test-dev2017', 'test-dev2017'), ('mpii_val', 'val'),
    ('face_landmarks_wflw_test', 'test'), ('face_landmarks_300w_valid', 'val'), ('train', 'train'),
    ('trainval', 'val'), ('val_a', 'val_a'), ('instances_val_b', 'val_b'), ('val2', 'val2'),
    ('face_landmarks_wflw_test_blur', 'test_blur'), ('instances_val2017_small', 'val2017_small'),
    ('evaluation', 'val'), ('cells', ''),
    # versions and formats
    ('coco_wholebody_val_v1.0', 'val'), ('halpe_val_v1', 'val'), ('x-val-v1.0.2', 'val'), ('val_a_v2', 'val_a'),
    ('val_v2_a', 'val_a'), ('half-val_cocoformat', 'val'), ('val_annotations_without_background', 'val'),
    ('validation_humanart', 'val'), ('challenge-2019-validation-detection-bbox', 'val'), ('validation-', 'val'),
    ('InterHand2.6M_test_data', 'test'), ('v3det_2023_v1_val', 'val'), ('lvis_v0.5_val', 'val'),
    # years and published parts, which have other images
    ('instances_val2014', 'val2014'), ('instances_val2017_v1', 'val2017'), ('ap10k-val-split1', 'val-split1'),
    ('ExLPose_test_LL-A', 'test_LL-A'), ('val_20', 'val_20'), ('instances_val2017_all_2', 'val2017_all_2'),
    ('val_database', 'val_database'), ('val_v1x', 'val_v1x'), ('val_version', 'val_version')])
def test_parts_of_a_split_have_names_of_their_own(stem, split):
    """Names of published splits must not change, since records of the same split share a ranking."""
    assert split_name(stem) == split


def test_splits_without_a_name():
    made = dataset('CocoDataset', 3, ann_file='cells/holdout.json', data_root='cells')
    assert describe_data('detection', made).split == 'holdout'
    made = dataset('CocoDataset', 3, ann_file='cells/valid/_annotations.coco.json', data_root='cells')
    assert describe_data('detection', made).split == 'val'
    made.data_prefix = dict(img='cells/test')
    assert describe_data('detection', made).split == 'test'


def test_values_that_are_not_plain_numbers():
    found = rename_metrics('detection', {
        'cIoU': torch.tensor(75.), 'mIoU': np.array([70.]), '1': {'all': .5, 'none': 'x'}, 'curve': np.zeros(3)})
    assert found == {'cIoU': 75, 'mIoU': 70, '1/all': .5}


def test_negative_values():
    found = rename_metrics('detection', {'motchallenge-metric/MOTA': -.5, 'mine': -3., 'x/bbox_mAP': -1.})
    assert found == {'motchallenge-metric/MOTA': -.5, 'mine': -3, 'x/bbox_mAP': None}


def test_names_of_metrics():
    assert rename_metrics('detection', {'coco/bbox_mAP': .5, 'coco/segm_mAP_s': -1, 'other': 2}) == {
        'AP': .5, 'mask APs': None, 'other': 2}
    assert rename_metrics('pose', {'coco/AP .75': .5, 'coco/AR (L)': .25}) == {'AP75': .5, 'ARl': .25}
    assert rename_metrics('pose', {'PCK': 90., 'PCK@0.1': 30., 'Head PCK': 97.}) == {
        'PCKh': 90, 'PCKh@0.1': 30, 'Head PCK': 97}  # MPII
    assert rename_metrics('pose', {'PCK': .98, 'AUC': .5}) == {'PCK': .98, 'AUC': .5}  # hands
    assert rename_metrics('segmentation', {'mIoU': 81.1, 'table': [1, 2], 'word': 'x'}) == {'mIoU': 81.1}
    assert rename_metrics('segmentation', {'mIoU': 81.1, 'mAcc': float('nan')}) == {'mIoU': 81.1, 'mAcc': None}


def test_digests(tmp_path):
    record = dict(type='hrnet_plugin.RecordHook')
    config = Config(dict(model=dict(type='x'), work_dir='a', custom_hooks=[record], load_from='b'))
    moved = Config(dict(model=dict(type='x'), work_dir='c', default_hooks=dict(logger=2)))
    assert config_digest(config) == config_digest(moved)
    for changed in (dict(model=dict(type='y')), dict(model=dict(type='x'), custom_hooks=[dict(type='EMAHook')])):
        assert config_digest(config) != config_digest(Config(changed))
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'abc')
    assert file_digest(str(path)) == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert file_digest('https://nowhere/x.pth') == file_digest('') == ''
