"""What becomes of a test's record where the exact figures cannot be had."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from hrnet_plugin.evaluation.leaderboard import gather


class CocoMetric(SimpleNamespace):
    """What the adapter of mmdet knows as its evaluator."""
    proposal_nums = (100, )


def evaluated_by(metric):
    return dict(cfg=dict(default_scope='mmdet'), test_loop=SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric])))


class Cut:
    """A data set that is cut and does not number its images."""
    _indices = (0, )

    def __len__(self):
        return 1

    def get_data_info(self, index):
        return {}


def test_what_cannot_be_evaluated_again_is_left_to_the_host(tmp_path, monkeypatch):
    pytest.importorskip('pycocotools')
    (tmp_path / 'found.bbox.json').write_text('[]')
    metric = CocoMetric(_coco_api=SimpleNamespace(cats={}), dataset_meta=dict(classes=()), metrics=['bbox'],
                             outfile_prefix=str(tmp_path / 'found'), format_only=False)
    said = []
    monkeypatch.setattr(gather, 'print_log', lambda text, **options: said.append(text))
    runner = SimpleNamespace(**evaluated_by(metric), test_dataloader=SimpleNamespace(dataset=Cut()))
    assert gather._evaluate_again(runner) == ({}, {})
    assert said == ["the leaderboard has bbox as mmdet rounds it: KeyError('img_id')"]


def test_masks_that_the_api_cannot_take_are_left_to_the_host(tmp_path, monkeypatch):
    coco = pytest.importorskip('pycocotools.coco')
    (tmp_path / 'found.segm.json').write_text(json.dumps([dict(
        image_id=1, category_id=1, score=.5, segmentation=dict(size=[0, 0], counts='0:'))]))
    truth = coco.COCO()
    truth.dataset = dict(images=[dict(id=1, height=4, width=5)], categories=[dict(id=1, name='a')], annotations=[])
    truth.createIndex()
    metric = CocoMetric(_coco_api=truth, dataset_meta=dict(classes=('a',)), metrics=['segm'],
                             outfile_prefix=str(tmp_path / 'found'), format_only=False)
    said = []
    monkeypatch.setattr(gather, 'print_log', lambda text, **options: said.append(text))
    runner = SimpleNamespace(**evaluated_by(metric), test_dataloader=SimpleNamespace(dataset=SimpleNamespace()))
    assert gather._evaluate_again(runner) == ({}, {})
    line, = said
    assert 'detection 0: segmentation must have the size of its image, [4, 5], got [0, 0]' in line
