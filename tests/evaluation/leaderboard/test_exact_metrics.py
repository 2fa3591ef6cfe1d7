"""Tests of records whose detections the COCO API cannot evaluate."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from comparison_data import SIGMAS, detected_person, write_persons

from hrnet_plugin.cli import record
from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.leaderboard import exact_metrics
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import EvaluatedDataset
from hrnet_plugin.evaluation.leaderboard.facts import Scores
from hrnet_plugin.evaluation.leaderboard.store import ResultStore


class CocoMetric(SimpleNamespace):
    """Evaluator with the attributes by which mmdet's adapter recognizes one."""
    proposal_nums = (100, )


def runner_of(metric, dataset, scope='mmdet', **attributes):
    return SimpleNamespace(cfg=dict(default_scope=scope), test_dataloader=SimpleNamespace(dataset=dataset),
                           test_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric])), **attributes)


def evaluate_again(metric, dataset):
    tested = EvaluatedDataset(datasets=(dataset, ), evaluators=(metric, ))
    return exact_metrics.evaluate_again(runner_of(metric, dataset), tested).scores


class Subset:
    """Subset of a dataset without image IDs."""
    _indices = (0, )

    def __len__(self):
        return 1

    def get_data_info(self, index):
        return {}


def test_failed_evaluations_are_logged(tmp_path, monkeypatch):
    pytest.importorskip('pycocotools')
    (tmp_path / 'found.bbox.json').write_text('[]')
    metric = CocoMetric(_coco_api=SimpleNamespace(cats={}), dataset_meta=dict(classes=()), metrics=['bbox'],
                             outfile_prefix=str(tmp_path / 'found'), format_only=False)
    logged = []
    monkeypatch.setattr(exact_metrics, 'print_log', lambda text, **options: logged.append(text))
    assert evaluate_again(metric, Subset()) == Scores(metrics={})
    assert logged == ["The record contains the rounded bbox metrics of mmdet: KeyError('img_id')"]


def test_invalid_masks_are_logged(tmp_path, monkeypatch):
    coco = pytest.importorskip('pycocotools.coco')
    (tmp_path / 'found.segm.json').write_text(json.dumps([dict(
        image_id=1, category_id=1, score=.5, segmentation=dict(size=[0, 0], counts='0:'))]))
    truth = coco.COCO()
    truth.dataset = dict(images=[dict(id=1, height=4, width=5)], categories=[dict(id=1, name='a')], annotations=[])
    truth.createIndex()
    metric = CocoMetric(_coco_api=truth, dataset_meta=dict(classes=('a',)), metrics=['segm'],
                             outfile_prefix=str(tmp_path / 'found'), format_only=False)
    logged = []
    monkeypatch.setattr(exact_metrics, 'print_log', lambda text, **options: logged.append(text))
    assert evaluate_again(metric, SimpleNamespace()) == Scores(metrics={})
    line, = logged
    assert 'detection 0: segmentation must have the size of its image, [4, 5], got [0, 0]' in line


class Half(Subset):
    """Subset with the images 1 and 2."""
    _indices = (0, 1)

    def __len__(self):
        return 2

    def get_data_info(self, index):
        return dict(img_id=index + 1)


def test_one_test_has_one_ap(tmp_path):
    """Compare the AP of a test of a subset with those of ``record --results`` and ``compare``."""
    coco = pytest.importorskip('pycocotools.coco')
    pytest.importorskip('mmdet')
    from hrnet_plugin.evaluation.comparison.compare import compare  # requires pycocotools
    box = [10., 10., 50., 50.]
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps(dict(
        images=[dict(id=k, height=99, width=99) for k in (1, 2, 3, 4)], categories=[dict(id=1, name='a')],
        annotations=[dict(id=k, image_id=k, category_id=1, bbox=box, area=2500, iscrowd=0) for k in (1, 2, 3, 4)])))
    metric = CocoMetric(_coco_api=coco.COCO(str(truth)), dataset_meta=dict(classes=('a',)), metrics=['bbox'],
                        outfile_prefix=None, format_only=False)
    exact_metrics.save_detections(runner_of(metric, Half(), log_dir=str(tmp_path / 'work/20250101_000000')))
    results = tmp_path / 'work/20250101_000000/results.bbox.json'
    results.write_text(json.dumps([dict(image_id=1, category_id=1, bbox=box, score=.9)]))
    metrics = evaluate_again(metric, Half()).metrics
    assert metrics['AP'] == pytest.approx(51 / 101)
    found = compare(truth, tmp_path / 'work', results, draws=2)
    assert (found.metrics['AP'], found.images, found.uncovered) == ((metrics['AP'], metrics['AP']), 2, 1)
    store = tmp_path / 'store.sqlite'
    words = ['--store', str(store), '--config', str(cfg('faster-rcnn_hrnetv2p-w18-small-v1_sample')), '--results',
             str(results), '--annotations', str(truth)]
    record.main(words)
    record.main([*words, '--subset', 'all'])
    first, second = ResultStore(store).read()
    assert (first.scores.metrics['AP'], first.data.images) == (metrics['AP'], 2)
    assert (second.scores.metrics['AP'], second.data.images) == (pytest.approx(26 / 101), 4)


@pytest.mark.parametrize('dataset', [SimpleNamespace(), Subset()])
def test_images_beside_the_detections(tmp_path, dataset):
    """Save the images of whole datasets, and none of subsets without image IDs."""
    metric = CocoMetric(_coco_api=SimpleNamespace(imgs={3: {}, 1: {}}), outfile_prefix=str(tmp_path / 'a/found'))
    file = tmp_path / 'a/found.images.json'
    file.parent.mkdir()
    file.write_text('[7]')  # of an earlier test
    exact_metrics.save_detections(runner_of(metric, dataset))
    assert file.exists() == (not isinstance(dataset, Subset))
    assert not file.exists() or json.loads(file.read_text()) == [1, 3]


def test_keypoints_are_saved(tmp_path):
    """Save keypoints of mmpose, and the images that its evaluator uses, even if a subset is tested."""
    metric = type('CocoMetric', (SimpleNamespace, ), dict(nms_mode='oks_nms'))(
        coco=SimpleNamespace(imgs={1: {}, 2: {}, 3: {}}), outfile_prefix=None)
    exact_metrics.save_detections(runner_of(metric, Half(), 'mmpose', log_dir=str(tmp_path / 'log')))
    assert metric.outfile_prefix == str(tmp_path / 'log/results')
    assert json.loads((tmp_path / 'log/results.images.json').read_text()) == [1, 2, 3]


def test_evaluators_with_the_same_outfile_prefix(tmp_path, monkeypatch):
    """Do not evaluate the detections of one dataset for the record of another."""
    coco = pytest.importorskip('pycocotools.coco')
    monkeypatch.chdir(tmp_path)
    box = [1., 1., 9., 9.]
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps(dict(
        images=[dict(id=1, height=99, width=99)], categories=[dict(id=1, name='a')],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=box, area=81, iscrowd=0)])))
    prefixes = ['found', 'found_1', str(tmp_path / 'found'), None, './found']
    metrics = [CocoMetric(_coco_api=coco.COCO(str(truth)), dataset_meta=dict(classes=('a',)), metrics=['bbox'],
                          outfile_prefix=prefix, format_only=False, prefix='coco') for prefix in prefixes]
    datasets = [SimpleNamespace() for _ in metrics]
    runner = runner_of(metrics[0], SimpleNamespace(datasets=datasets), log_dir=str(tmp_path / 'log'))
    runner.test_loop.evaluator = SimpleNamespace(metrics=metrics, dataset_prefixes='abcde')
    logged = []
    monkeypatch.setattr(exact_metrics, 'print_log', lambda text, **options: logged.append(text))
    exact_metrics.save_detections(runner)
    assert [metric.outfile_prefix for metric in metrics] == [
        'found', 'found_1', str(tmp_path / 'found_2'), str(tmp_path / 'log/results3'), './found_3']
    assert ['must differ' in text for text in logged] == [True, True]
    exact_metrics.save_detections(runner)  # a second test of the same runner
    assert (metrics[2].outfile_prefix, len(logged)) == (str(tmp_path / 'found_2'), 2)
    for metric, found in zip(metrics, ([], [], [dict(image_id=1, category_id=1, bbox=box, score=.9)], [], [])):
        (tmp_path / f'{metric.outfile_prefix}.bbox.json').write_text(json.dumps(found))
    tested = [EvaluatedDataset(datasets=(dataset, ), evaluators=(metric, ))
              for dataset, metric in zip(datasets, metrics)]
    assert [exact_metrics.evaluate_again(runner, each).scores.metrics['AP'] for each in tested] == pytest.approx(
        [0, 0, 1, 0, 0])


def test_other_evaluators_with_the_same_outfile_prefix(tmp_path, monkeypatch):
    metric = CocoMetric(_coco_api=None, outfile_prefix=str(tmp_path / 'found'))
    other = SimpleNamespace(outfile_prefix=str(tmp_path / 'found'))
    runner = runner_of(metric, SimpleNamespace(), log_dir=str(tmp_path))
    runner.test_loop.evaluator.metrics.append(other)
    monkeypatch.setattr(exact_metrics, 'print_log', lambda text, **options: None)
    exact_metrics.save_detections(runner)
    assert (metric.outfile_prefix, other.outfile_prefix) == (str(tmp_path / 'found_1'), str(tmp_path / 'found'))


def test_keypoints_have_an_analysis(tmp_path, monkeypatch):
    """Analyze the saved keypoints of mmpose, whose metrics the record takes from mmpose."""
    pytest.importorskip('pycocotools')
    from hrnet_plugin.evaluation.analysis.files import read_analyses
    persons = [(image, [[100 + 9 * k, 100 + 5 * k, 2] for k in range(5)], 4000, 0) for image in (1, 2)]
    content = json.loads(write_persons(tmp_path / 'truth.json', persons, [1, 2]).read_text())
    (tmp_path / 'found.keypoints.json').write_text(json.dumps([detected_person(1, persons[0][1], .9)]))
    metric = type('CocoMetric', (SimpleNamespace, ), {})(
        coco=SimpleNamespace(dataset=content), dataset_meta=dict(sigmas=np.float32(SIGMAS)), nms_mode='oks_nms',
        outfile_prefix=str(tmp_path / 'found'), format_only=False)
    tested = EvaluatedDataset(datasets=(SimpleNamespace(), ), evaluators=(metric, ))
    found = exact_metrics.evaluate_again(runner_of(metric, SimpleNamespace(), 'mmpose'), tested)
    assert found.scores == Scores(metrics={})
    assert found.analysis == str(tmp_path.resolve() / 'found.analysis.json')
    analysis = read_analyses(found.analysis)['keypoints']
    assert (analysis.precision, analysis.objects, analysis.confusion.counts) == (
        [pytest.approx(51 / 101)], [2], [[1, 1], [0, 0]])
    (tmp_path / 'found.keypoints.json').write_text('{}')
    logged = []
    monkeypatch.setattr(exact_metrics, 'print_log', lambda text, **options: logged.append(text))
    found = exact_metrics.evaluate_again(runner_of(metric, SimpleNamespace(), 'mmpose'), tested)
    assert found.analysis == ''
    line, = logged
    assert line.startswith('The record has no analysis of keypoints: ValueError')
    assert not (tmp_path / 'found.analysis.json').exists()  # that of the earlier test
