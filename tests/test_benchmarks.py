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


INTERVAL = 50  # operations between measurements


def memory(leak: float, number: int = 80, seed: int = 0, jumps: float = 4):
    """Return memory in MB of 80 measurements: a cache that fills, jumps, noise, and a leak in MB per operation."""
    random = np.random.default_rng(seed)
    steps = np.arange(number)
    return 1000 + 300 * (1 - np.exp(-steps / 4)) + random.choice([0, 0, 0, jumps], number) + random.normal(
        size=number) + leak * INTERVAL * steps


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('leak', [0.01, 0.006])
def test_planted_leak_is_detected(flatness, leak, seed):
    """The smaller leak is 18 MB after the warm-up, 1.4 % of the memory."""
    found = flatness.fit_slope(memory(leak, seed=seed))
    assert not found.is_below(flatness.LIMITS['allocated'] * INTERVAL)
    assert found.slope == pytest.approx(leak * INTERVAL, abs=2 * found.margin)


@pytest.mark.parametrize('seed', range(5))
def test_filling_caches_and_jumps_are_flat(flatness, seed):
    found = flatness.fit_slope(memory(0, seed=seed))
    assert found.is_below(flatness.LIMITS['allocated'] * INTERVAL)
    assert found.is_stationary


def test_noisy_memory_is_not_shown_to_be_flat(flatness):
    assert not flatness.fit_slope(memory(0, jumps=200)).is_below(flatness.LIMITS['allocated'] * INTERVAL)


def test_growing_peaks_are_detected(flatness):
    assert flatness.fit_slope(memory(0, jumps=200)).is_stationary
    assert not flatness.fit_slope(memory(0.02, jumps=20)).is_stationary


def test_flatness_of_few_samples_is_refused(flatness):
    with pytest.raises(ValueError, match='at least 27 entries, got 25'):
        flatness.fit_slope([1.] * 25)


def test_growing_numbers_of_handles_are_detected(flatness):
    """One new thread per 1,000 operations is a leak. A pool that is full after the warm-up is none."""
    assert flatness.has_constant_level([10] * 10 + [12, 11] * 35)
    assert not flatness.has_constant_level([10 + INTERVAL * k // 1000 for k in range(80)])


def test_measured_memory_contains_native_allocations_and_handles():
    if not sys.platform.startswith('linux'):
        pytest.skip('reads /proc')
    measure = load_benchmark('process_memory').measure_memory
    measure()  # frees what earlier tests have left
    before = measure()
    blocks = [np.ones(12_500) for _ in range(200)]  # of 0.1 MB
    with open(__file__, encoding='utf-8'):
        during = measure()
    assert during.allocated - before.allocated == pytest.approx(20, abs=1)  # other threads allocate and free, too
    assert during.resident - before.resident > 15
    assert during.descriptors == before.descriptors + 1
    assert during.threads == before.threads
    blocks.clear()
    assert measure().allocated - before.allocated < 1


@pytest.mark.slow  # starts three hosts
def test_soak_runs(tmp_path):
    for host in ('mmdet', 'mmpose', 'mmseg', 'onnxruntime', 'openvino'):
        pytest.importorskip(host)
    out = tmp_path / 'soak.json'
    done = subprocess.run([sys.executable, 'benchmarks/soak.py', '--minutes', '0', '--interval', '1', '--out', out],
                          cwd=ROOT, env=os.environ | dict(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
                          timeout=900)
    assert done.returncode in (0, 1), done.stderr  # the caches fill during such a short run
    assert 'per 1,000 operations' in done.stdout
    assert out.exists()
