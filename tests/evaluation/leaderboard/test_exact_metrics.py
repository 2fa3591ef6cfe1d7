"""Tests of records whose detections the COCO API cannot evaluate."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from hrnet_plugin.evaluation.leaderboard import exact_metrics
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import EvaluatedDataset
from hrnet_plugin.evaluation.leaderboard.facts import Scores


class CocoMetric(SimpleNamespace):
    """Evaluator with the attributes by which mmdet's adapter recognizes one."""
    proposal_nums = (100, )


def evaluate_again(metric, dataset):
    runner = SimpleNamespace(cfg=dict(default_scope='mmdet'),
                             test_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric])))
    return exact_metrics.evaluate_again(runner, EvaluatedDataset(datasets=(dataset, ), evaluators=(metric, )))


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
