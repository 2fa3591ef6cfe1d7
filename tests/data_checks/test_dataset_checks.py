"""Heads, class names, keypoints, paths and ground truth of a config, checked without images."""

from __future__ import annotations

import json

import pytest
from conftest import build_on_meta

from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.data_checks.datasets import build_dataset


def classes(names):
    return {f'{split}_dataloader.dataset.metainfo': dict(classes=names) for split in ('train', 'val')}


BOX_HEAD, SEGMENTATION_HEAD = 'model.roi_head.bbox_head.num_classes', 'model.decode_head.num_classes'


@pytest.mark.parametrize('host', ['mmdet', 'mmpose', 'mmseg'])
def test_a_right_config_has_no_findings(host, sample_config, errors_of):
    assert errors_of(sample_config(host), 'train', 'val', 'test') == []


@pytest.mark.parametrize(('host', 'changes', 'words'), [
    ('mmdet', classes(('person', 'clock')), [f'{BOX_HEAD} must be 2', "'person', 'clock'", f'{BOX_HEAD}=80']),
    ('mmdet', {BOX_HEAD: 3}, [f'{BOX_HEAD} must be 80', f'{BOX_HEAD}=3']),
    ('mmdet', {BOX_HEAD: 1, **classes('person')}, ["a tuple of names", "the string 'person'", "('person', )"]),
    ('mmdet', {BOX_HEAD: 2, **classes(('person', 'person'))}, ["different names, got 'person' repeatedly"]),
    ('mmdet', {BOX_HEAD: 2, **classes(('Person', 'clock'))}, ['instances_train2017.json', "got 'Person'",
                                                              'Did you mean person?']),
    ('mmdet', {'train_dataloader.dataset.ann_file': 'other.json'}, ['train_dataloader.dataset.ann_file must exist']),
    ('mmdet', {'val_dataloader.dataset.data_prefix.img': 'other/'}, ['val_dataloader.dataset.data_prefix.img must be']),
    ('mmdet', {'val_evaluator.ann_file': 'other.json'}, ['val_evaluator (CocoMetric).ann_file must be an existing']),
    ('mmseg', {SEGMENTATION_HEAD: 19}, [f'{SEGMENTATION_HEAD} must be 14', f'{SEGMENTATION_HEAD}=19']),
    ('mmpose', {'model.head.out_channels': 21}, ['model.head.out_channels must be 17', 'got 21']),
])
def test_data_that_does_not_match_is_named(host, changes, words, sample_config, errors_of):
    errors = errors_of(sample_config(host, **changes))
    assert any(all(word in error for word in words) for error in errors), errors


def test_mask_heads_and_all_stages_of_a_cascade_are_checked(sample_config, errors_of):
    config = sample_config('mmdet', name='cascade-mask-rcnn_hrnetv2p-w18-small-v1_sample',
                           **classes(('person', 'clock')))
    error, *_ = errors_of(config, 'train')
    assert [f'model.roi_head.bbox_head.{k}.num_classes=80' in error for k in range(3)] == [True] * 3
    assert 'mask_head.0.num_classes=80' in error


def test_repeated_and_concatenated_datasets_are_checked(sample_config, errors_of):
    config = sample_config('mmdet')
    inner = config.train_dataloader.dataset
    wrong = dict(inner, metainfo=dict(classes=('person', )))
    config.train_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=dict(
        type='ConcatDataset', datasets=[inner, wrong]))
    error, = errors_of(config, 'train')
    assert 'must be 1, the number of classes of train_dataloader.dataset.dataset.datasets[1]' in error


def test_files_with_other_orders_of_categories_are_refused(sample_config, errors_of, sample_root, tmp_path):
    """mmdet numbers classes in the order of the file, so that labels would differ between the two."""
    truth = json.loads((sample_root / 'annotations/instances_val2017.json').read_text())
    truth['categories'].reverse()
    file = tmp_path / 'reversed.json'
    file.write_text(json.dumps(truth))
    errors = errors_of(sample_config('mmdet', **{'val_dataloader.dataset.ann_file': str(file),
                                                 'val_evaluator.ann_file': str(file)}))
    assert len(errors) == 1
    assert 'must have the order of' in errors[0]


def test_classes_that_are_evaluated_and_not_trained_are_warned_about(sample_config, sample_root, tmp_path):
    truth = json.loads((sample_root / 'annotations/instances_train2017.json').read_text())
    person = next(category['id'] for category in truth['categories'] if category['name'] == 'person')
    others = [annotation for annotation in truth['annotations'] if annotation['category_id'] != person]
    file = tmp_path / 'train.json'
    file.write_text(json.dumps(dict(truth, annotations=others)))
    config = sample_config('mmdet', **{'train_dataloader.dataset.ann_file': str(file)})
    result = check_datasets(config, build_on_meta(config), ('train', 'val'))
    assert result.errors == []
    assert any("'person' should also have objects in" in finding.message for finding in result.findings)


def test_files_without_annotations_may_be_tested_for_a_submission(sample_config, errors_of, sample_root, tmp_path):
    """As those of test-dev."""
    truth = json.loads((sample_root / 'annotations/instances_val2017.json').read_text())
    file = tmp_path / 'image_info.json'
    file.write_text(json.dumps(dict(truth, annotations=[])))
    changes = {'test_dataloader.dataset.ann_file': str(file), 'test_evaluator.ann_file': str(file)}
    for format_only, is_warned in ((False, True), (True, False)):
        config = sample_config('mmdet', **changes, **{'test_evaluator.format_only': format_only})
        result = check_datasets(config, build_on_meta(config), ('test', ))
        assert result.errors == []
        assert any('no annotations' in finding.message for finding in result.findings) == is_warned


def test_ground_truth_of_other_images_is_refused(sample_config, errors_of, sample_root, tmp_path):
    """Many exports number the images of each split from 1."""
    truth = json.loads((sample_root / 'annotations/instances_val2017.json').read_text())
    for image in truth['images']:
        image['file_name'] = f'other_{image["file_name"]}'
    file = tmp_path / 'other.json'
    file.write_text(json.dumps(truth))
    for other in (file, sample_root / 'annotations/instances_train2017.json'):
        errors = errors_of(sample_config('mmdet', **{'val_evaluator.ann_file': str(other)}))
        assert any('must contain the images of val_dataloader' in error for error in errors)


def test_a_training_set_without_objects_of_its_classes_is_refused(sample_config, errors_of):
    """mmdet would filter all images, and fail without naming the dataset."""
    error, = errors_of(sample_config('mmdet', **{BOX_HEAD: 1, **classes(('hair drier', ))}), 'train')
    assert "must have objects of the classes of train_dataloader ('hair drier')" in error


def test_images_without_annotations_may_be_added(sample_config, sample_root, errors_of, tmp_path):
    """As background images, or for semi-supervised training."""
    truth = json.loads((sample_root / 'annotations/instances_train2017.json').read_text())
    del truth['annotations']
    file = tmp_path / 'unlabeled.json'
    file.write_text(json.dumps(truth))
    config = sample_config('mmdet')
    inner = config.train_dataloader.dataset
    config.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[inner, dict(inner, ann_file=str(file))])
    assert errors_of(config, 'train') == []


def test_objects_of_other_categories_are_a_note(sample_config):
    config = sample_config('mmdet', **{BOX_HEAD: 1, **classes(('person', ))})
    result = check_datasets(config, build_on_meta(config), ('train', ))
    assert result.findings == []
    assert 'are not in train_dataloader.dataset.metainfo.classes' in result.notes[0]


@pytest.mark.parametrize('host', ['mmdet', 'mmseg'])
def test_a_dataset_without_samples_is_refused(host, sample_config):
    config = sample_config(host)
    config.train_dataloader.dataset.filter_cfg = dict(filter_empty_gt=True, min_size=10**4)
    config.train_dataloader.dataset.indices = [] if host == 'mmseg' else None
    with pytest.raises(ValueError, match=r'train_dataloader\.dataset must have samples, got none'):
        build_dataset(config, 'train')


def test_a_dataset_that_cannot_be_built_is_named(sample_config, errors_of):
    error, = errors_of(sample_config('mmseg', **{'train_dataloader.dataset.type': 'PascalContextDataset',
                                                 'train_dataloader.dataset.ann_file': 'missing.txt'}), 'train')
    assert 'train_dataloader.dataset must be a valid PascalContextDataset' in error


@pytest.mark.parametrize(('names', 'is_error'), [
    (('person', 'clock', 'bolt'), False), (('bolt', 'person', 'clock'), True)])
def test_a_training_file_may_lack_the_last_classes(names, is_error, sample_config, sample_root, tmp_path):
    """mmdet numbers the classes that a file has, so that labels are the same without the last ones."""
    config = sample_config('mmdet', **{BOX_HEAD: 3, **classes(names)})
    truth = json.loads((sample_root / 'annotations/instances_train2017.json').read_text())
    truth['categories'].sort(key=lambda category: category['name'] != 'person')  # before the clock
    file = tmp_path / 'train.json'
    file.write_text(json.dumps(truth))
    config.train_dataloader.dataset.ann_file = str(file)
    findings = check_datasets(config, build_on_meta(config), ('train', )).findings
    assert [finding.is_error for finding in findings if "got 'bolt'" in finding.message] == [is_error]


def test_each_use_of_a_file_is_scanned(sample_config, sample_root, errors_of, tmp_path):
    """The pipeline for training may load masks that the evaluation does not use."""
    truth = json.loads((sample_root / 'annotations/instances_val2017.json').read_text())
    for annotation in truth['annotations']:
        annotation['segmentation'] = dict(size=[1, 1], counts='0')
    file = tmp_path / 'both.json'
    file.write_text(json.dumps(truth))
    entries = ('train_dataloader.dataset.ann_file', 'val_dataloader.dataset.ann_file', 'val_evaluator.ann_file')
    config = sample_config('mmdet', **dict.fromkeys(entries, str(file)))
    assert errors_of(config) == []
    loader = next(step for step in config.train_dataloader.dataset.pipeline if step.type == 'LoadAnnotations')
    loader.with_mask = True
    assert any('size' in error and file.name in error for error in errors_of(config))


def test_each_of_several_evaluators_is_checked(sample_config, sample_root, errors_of):
    other = str(sample_root / 'annotations/instances_train2017.json')
    config = sample_config('mmdet')
    config.val_evaluator = [dict(config.val_evaluator, ann_file=other), config.val_evaluator]
    assert any('must contain the images of val_dataloader' in error for error in errors_of(config))


def test_evaluators_of_concatenated_datasets(sample_config, sample_root, errors_of):
    """One evaluator gets the results on all datasets, MultiDatasetsEvaluator has one evaluator per dataset."""
    config = sample_config('mmdet')
    metric, inner = config.val_evaluator, config.val_dataloader.dataset
    train = dict(inner, ann_file='annotations/instances_train2017.json', data_prefix=dict(img='train2017/'))
    config.val_dataloader.dataset = dict(type='ConcatDataset', datasets=[train, inner])
    errors = errors_of(config)
    assert any('must contain the images of val_dataloader' in error and 'evaluator of several datasets' in error
               for error in errors)
    files = [str(sample_root / f'annotations/instances_{name}2017.json') for name in ('train', 'val')]
    for order, is_right in ((files, True), (files[::-1], False)):
        config.val_evaluator = dict(type='MultiDatasetsEvaluator', dataset_prefixes=['a', 'b'],
                                    metrics=[dict(metric, ann_file=file) for file in order])
        assert (errors_of(config) == []) == is_right


def keypoint_meta(number, sigmas=None, swap=()):
    points = {k: dict(name=f'k{k}', id=k, color=[255, 0, 0], type='', swap=dict(swap).get(k, ''))
              for k in range(number)}
    return dict(dataset_name='points', paper_info={}, keypoint_info=points, skeleton_info={},
                joint_weights=[1.] * number, sigmas=[.05] * (number if sigmas is None else sigmas))


@pytest.mark.parametrize(('meta', 'words'), [
    (keypoint_meta(21), ['model.head.out_channels must be 21', 'got 17']),
    (keypoint_meta(17, sigmas=21), ['sigmas in val_dataloader.dataset.metainfo', 'each of the 17 keypoints, got 21']),
])
def test_keypoints_that_do_not_match_are_named(meta, words, sample_config, errors_of):
    config = sample_config('mmpose')
    for split in ('train', 'val'):
        config[f'{split}_dataloader'].dataset.metainfo = meta
    errors = errors_of(config)
    assert any(all(word in error for word in words) for error in errors), errors


def test_keypoints_that_a_pipeline_converts_are_those_of_the_head(sample_config, errors_of):
    config = sample_config('mmpose')
    dataset = config.train_dataloader.dataset
    dataset.metainfo = keypoint_meta(21)
    dataset.pipeline = [dict(type='KeypointConverter', num_keypoints=17, mapping=[(k, k) for k in range(17)])]
    assert not any('model.head' in error for error in errors_of(config, 'train'))


def test_keypoints_that_an_evaluator_converts_are_not_compared(sample_config, errors_of):
    converter = dict(type='KeypointConverter', num_keypoints=17, mapping=[(k, k) for k in range(17)])
    config = sample_config('mmpose', **{'model.head.out_channels': 26, 'val_evaluator.pred_converter': converter})
    assert errors_of(config, 'val') == []


def test_keypoints_that_an_evaluation_selects_are_compared(sample_config, errors_of):
    config = sample_config('mmpose', **{'model.head.out_channels': 19})
    config.model.test_cfg.output_keypoint_indices = list(range(17))
    assert errors_of(config, 'val') == []
    assert any('model.head.out_channels must be 17' in error for error in errors_of(config, 'train'))


def test_flip_pairs_in_one_direction_are_warned_about(sample_config):
    config = sample_config('mmpose')
    config.train_dataloader.dataset.metainfo = keypoint_meta(17, swap={1: 'k2'})
    findings = check_datasets(config, build_on_meta(config), ('train', )).findings
    assert [finding.is_error for finding in findings if "'k1' in one direction" in finding.message] == [False]


def test_annotated_keypoints_are_compared_with_the_metainfo(sample_config, errors_of):
    config = sample_config('mmpose', **{'model.head.out_channels': 21})
    config.train_dataloader.dataset.metainfo = keypoint_meta(21)
    errors = errors_of(config, 'train')
    assert any('must describe the 17 keypoints' in error and 'got 21' in error for error in errors), errors
