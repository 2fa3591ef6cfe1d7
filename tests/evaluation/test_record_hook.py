"""Tests of the hook that records tests for the leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.leaderboard.analyses import entry_analyses
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries, local_entry
from hrnet_plugin.evaluation.leaderboard.ranking import rank
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.record_hook import RecordHook
from hrnet_plugin.experiments.sample_set import write_sample_set

NAME = 'faster-rcnn_hrnetv2p-w18-small-v1_sample'


@pytest.fixture(scope='module')
def tested(tmp_path_factory):
    """Test three images with random weights, and return the store and the metrics of the runner."""
    pytest.importorskip('mmdet')
    folder = tmp_path_factory.mktemp('record')
    root = write_sample_set(folder / 'sample', 1, 3, 160, 128)
    config = Config.fromfile(cfg(NAME))
    config.merge_from_dict({
        'work_dir': str(folder / 'work'), 'test_dataloader.dataset.data_root': f'{root}/',
        'test_evaluator.ann_file': f'{root}/annotations/instances_val2017.json', 'model.test_cfg.rcnn.score_thr': 0.,
        'default_hooks.visualization': dict(type='DetVisualizationHook', draw=True, test_out_dir='pictures'),
        'custom_hooks': [dict(type='hrnet_plugin.RecordHook', store=str(folder / 'results.sqlite'), note='a note')]})
    before = DefaultScope._instance_dict.copy()  # conftest.py restores it after each test only
    metrics = Runner.from_cfg(config).test()
    DefaultScope._instance_dict = before
    return ResultStore(folder / 'results.sqlite'), metrics


def test_record(tested):
    store, metrics = tested
    record, = store.read()
    assert (record.task, record.config, record.data.data, record.data.split) == ('detection', NAME, 'sample', 'val2017')
    assert (record.data.images, record.data.whole) == (3, False)
    # metrics of the saved detections by the COCO API
    from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections  # requires mmdet
    file, = (store.path.parent / 'work').glob('*/results.bbox.json')
    exact = evaluate_detections(store.path.parent / 'sample/annotations/instances_val2017.json', file)
    assert {name: record.scores.metrics[name] for name in exact.metrics} == exact.metrics
    assert record.scores.classes['AP'] == exact.classes
    assert round(record.scores.metrics['AP'], 3) == metrics['coco/bbox_mAP']
    assert len(record.scores.classes['AP']) == 80
    assert record.model.note == 'a note'
    assert (record.model.method, record.model.schedule) == ('Faster R-CNN', '6e')
    assert record.model.backbone == 'HRNetV2p-W18-small-v1'
    assert record.conditions.ms > 1
    assert 0.1 < record.conditions.memory < 100
    assert record.conditions.versions['torch']
    assert 2 < record.cost.params < 10
    assert 'w18_small_v1' in record.config_text
    assert (record.checkpoint, record.checkpoint_sha256) == ('', '')


def test_detections_and_visualizations_are_in_the_run_folder(tested):
    store, _ = tested
    record, = store.read()
    file, = (store.path.parent / 'work').glob('*/results.bbox.json')
    detections = json.loads(file.read_text())
    assert {'image_id', 'category_id', 'bbox', 'score'} == set(detections[0])
    analysis = entry_analyses(local_entries([store.path])[0])['bbox']
    assert dict(zip(analysis.classes, analysis.precision)) == pytest.approx(record.scores.classes['AP'])
    assert sum(analysis.predictions) == len(detections)
    pictures = store.path.parent / record.conditions.pictures
    assert len(list(pictures.iterdir())) == 3


def test_two_datasets_of_one_test(tmp_path):
    """Check that each has a record with its images, its metrics, and the exact metrics of its detections."""
    pytest.importorskip('mmdet')
    root = write_sample_set(tmp_path / 'sample', 1, 3, 160, 128)
    everything = json.loads((root / 'annotations/instances_val2017.json').read_text())
    config = Config.fromfile(cfg(NAME))
    config.merge_from_dict({
        'work_dir': str(tmp_path / 'work'), 'test_dataloader.dataset.data_root': f'{root}/',
        'test_dataloader.num_workers': 0, 'test_dataloader.persistent_workers': False,
        'model.test_cfg.rcnn.max_per_img': 10,
        'model.test_cfg.rcnn.score_thr': 0.,
        'custom_hooks': [dict(type='hrnet_plugin.RecordHook', store=str(tmp_path / 'results.sqlite'))]})
    files = {name: f'{root}/annotations/{name}.json' for name in ('val_a', 'val_b')}
    for file, images in zip(files.values(), (everything['images'][:1], everything['images'][1:])):
        ids = {image['id'] for image in images}
        objects = [thing for thing in everything['annotations'] if thing['image_id'] in ids]
        Path(file).write_text(json.dumps(dict(everything, images=images, annotations=objects)))
    dataset = config.test_dataloader.dataset
    config.test_dataloader.dataset = dict(type='ConcatDataset', datasets=[
        dict(dataset, ann_file=file) for file in files.values()])
    config.test_evaluator = dict(type='MultiDatasetsEvaluator', dataset_prefixes=['a', 'b'], metrics=[
        dict(type='CocoMetric', ann_file=file, metric='bbox') for file in files.values()])
    metrics = Runner.from_cfg(config).test()
    from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections  # requires mmdet
    records = ResultStore(tmp_path / 'results.sqlite').read()
    assert [(record.data.data, record.data.split, record.data.images) for record in records] == [
        ('sample', 'val_a', 1), ('sample', 'val_b', 2)]
    for record, prefix, file, results in zip(records, 'ab', files.values(), ('results', 'results1')):
        found, = (tmp_path / 'work').glob(f'*/{results}.bbox.json')
        exact = evaluate_detections(file, found)
        assert record.scores.metrics == exact.metrics
        assert record.scores.classes['AP'] == exact.classes
        assert round(record.scores.metrics['AP'], 3) == metrics[f'{prefix}/coco/bbox_mAP']
    boards = rank(local_entry(record, 'results') for record in records)
    assert sorted(board.title for board in boards) == [
        f'detection, sample {split} (not a complete published split)' for split in files]


@pytest.mark.parametrize(('options', 'words'), [
    (dict(store=3), 'store must be the path of a file, got 3'), (dict(store=''), "got ''"),
    (dict(note=None), 'note must be a text, got None')])
def test_options_are_checked(options, words):
    with pytest.raises(TypeError, match=words):
        RecordHook(**options)


def test_time_per_image(monkeypatch):
    """Check the median over the batches after the first five, each divided by its size."""
    clock = iter(range(100))
    monkeypatch.setattr('hrnet_plugin.evaluation.record_hook.time.perf_counter', lambda: next(clock))
    hook = RecordHook()
    for k in range(8):
        hook.before_test_iter(None, k)
        hook.after_test_iter(None, k, outputs=[None] * 4)
    assert hook.milliseconds == 250
    hook._times = [0.5, 0.1, 0.2]
    assert hook.milliseconds == 200
    hook._times = []
    assert hook.milliseconds is None
