"""Matching of detections, deviation from linear growth, and flatness of memory in benchmarks/."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import load_benchmark
from paths import ROOT


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


@pytest.fixture(scope='module')
def flatness():
    return load_benchmark('flatness')


def memory(leak: float, number: int = 4000, seed: int = 0):
    """Return memory in MB: caches that fill, jumps of single operations, and a leak in MB per operation."""
    random = np.random.default_rng(seed)
    steps = np.arange(number)
    return 1000 + 300 * (1 - np.exp(-steps / 200)) + random.choice([0, 0, 0, 80], number) + 5 * random.normal(
        size=number) + leak * steps


@pytest.mark.parametrize('seed', range(5))
def test_planted_leak_is_detected(flatness, seed):
    """0.05 MB per operation are 150 MB after the warm-up, 11 % of the memory."""
    found = flatness.fit_slope(memory(0.05, seed=seed))
    assert not found.is_flat
    assert found.per_operation == pytest.approx(0.05, abs=2 * found.margin)


@pytest.mark.parametrize('seed', range(5))
def test_filling_caches_and_jumps_are_flat(flatness, seed):
    assert flatness.fit_slope(memory(0, seed=seed)).is_flat


def test_flatness_of_few_samples_is_refused(flatness):
    with pytest.raises(ValueError, match='at least 27 entries, got 25'):
        flatness.fit_slope([1.] * 25)


def test_leaking_file_descriptors_are_detected(flatness):
    assert flatness.has_constant_level([10] * 50 + [12, 11] * 100)
    assert not flatness.has_constant_level([10 + k // 20 for k in range(400)])


@pytest.mark.slow  # starts three hosts
def test_soak_runs(tmp_path):
    for host in ('mmdet', 'mmpose', 'mmseg', 'onnxruntime', 'openvino'):
        pytest.importorskip(host)
    out = tmp_path / 'soak.json'
    done = subprocess.run([sys.executable, 'benchmarks/soak.py', '--minutes', '0.2', '--out', out], cwd=ROOT,
                          env=os.environ | dict(PYTHONPATH=str(ROOT)), capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr  # the caches fill during such a short run
    assert 'MB per 1,000 operations' in done.stdout
    assert out.exists()
