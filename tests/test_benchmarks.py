"""Matching of detections and deviation from linear growth in benchmarks/."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import load_benchmark


@pytest.fixture(scope='module')
def same_detections():
    pytest.importorskip('pycocotools')
    return load_benchmark('same_detections')


def sample(boxes, scores, labels, **more):
    return dict(pred_instances=dict(bboxes=torch.tensor(boxes).float().view(-1, 4), scores=torch.tensor(scores),
                                    labels=torch.tensor(labels), **more))


BOX = [10., 20., 30., 40.]


@pytest.mark.parametrize(('box', 'score', 'label', 'matched'), [
    (BOX, 0.5, 1, 1), ([10.009, 20, 30, 40], 0.5, 1, 1), ([10.011, 20, 30, 40], 0.5, 1, 0), (BOX, 0.50009, 1, 1),
    (BOX, 0.50011, 1, 0), (BOX, 0.5, 2, 0)])
def test_matching_thresholds(same_detections, box, score, label, matched):
    record = same_detections.compare([sample(BOX, [0.5], [1])], [sample(box, [score], [label])])
    assert (record['matched'], record['share']) == (matched, matched)


def test_matching_is_one_to_one_and_independent_of_order(same_detections):
    other = [100., 20., 130., 40.]
    record = same_detections.compare([sample([BOX, other], [0.5, 0.4], [1, 1])],
                                     [sample([other, BOX, BOX], [0.4, 0.5, 0.5], [1, 1, 1])])
    assert (record['matched'], record['detections']) == (2, [2, 3])
    assert record['share'] == pytest.approx(2 / 3)


def test_images_without_detections(same_detections):
    record = same_detections.compare([sample([], [], [])], [sample(BOX, [0.5], [1])])
    assert (record['matched'], record['share']) == (0, 0)


def test_masks(same_detections):
    from pycocotools import mask as coco_mask
    one, other = np.zeros((2, 8, 8), np.uint8)
    one[:4], other[:4, 1:] = 1, 1
    encoded = [[coco_mask.encode(np.asfortranarray(mask))] for mask in (one, other)]
    record = same_detections.compare(*([sample(BOX, [0.5], [1], masks=masks)] for masks in encoded))
    assert record['mask_pixels'] == dict(inside=32, different=4)


def test_deviation_from_a_line():
    pytest.importorskip('matplotlib')
    deviation = load_benchmark('growth').deviation
    assert deviation([dict(pixels=x, seconds=3 * x) for x in (1, 2, 5)], 'seconds') == pytest.approx(0)
    bent = [dict(pixels=1, seconds=seconds) for seconds in (1.1, 0.9)]
    assert deviation(bent, 'seconds') == pytest.approx(0.109, abs=1e-3)
