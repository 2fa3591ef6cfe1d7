"""Tests that the AP from matches equals the COCO API's for any image weights, and of the bootstrap."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from hrnet_plugin.evaluation.coco_evaluation import run_evaluation
from hrnet_plugin.evaluation.comparison.bootstrap import paired_interval
from hrnet_plugin.evaluation.comparison.matches import class_matches
from hrnet_plugin.evaluation.comparison.precisions import MeanPrecision, image_precisions, mean_precision

IMAGES = 8


def scene(tmp_path, images=range(IMAGES)):
    """Write annotations with crowds, and return detections with errors. An image depends only on its number."""
    truth, detections = [], []
    for place, image in enumerate(images, 1):
        rng = np.random.default_rng(image)
        for _ in range(rng.integers(1, 7)):
            box = [*rng.uniform(0, 200, 2), *rng.uniform(10, 150, 2)]
            label = int(rng.integers(1, 4))
            truth.append(dict(id=len(truth) + 1, image_id=place, category_id=label, bbox=box, area=box[2] * box[3],
                              iscrowd=int(rng.random() < 0.1)))
            for _ in range(rng.integers(0, 3)):
                near = [float(x) for x in np.array(box) + rng.normal(0, 6, 4)]
                detections.append(dict(image_id=place, category_id=label if rng.random() < 0.8 else 1, bbox=near,
                                       score=float(rng.uniform())))
    path = tmp_path / f'truth{len(list(tmp_path.iterdir()))}.json'
    path.write_text(json.dumps(dict(
        images=[dict(id=k, width=400, height=400, file_name=f'{k}.jpg') for k in range(1, len(images) + 1)],
        categories=[dict(id=k, name=name) for k, name in enumerate(('ant', 'bee', 'cow', 'dog'), 1)],
        annotations=truth)))
    return path, detections


def test_ap_equals_the_api(tmp_path):
    evaluation = run_evaluation(*scene(tmp_path))
    matches = class_matches(evaluation)
    assert len(matches) == 4
    assert np.isnan(matches[3].precision()).all()  # there are no dogs
    assert mean_precision(matches) == pytest.approx(evaluation.stats[0], abs=1e-12)
    assert 0.05 < evaluation.stats[0] < 0.95
    for match, precision in zip(matches[:3], evaluation.eval['precision'][:, :, :, 0, -1].transpose(2, 0, 1)):
        np.testing.assert_allclose(match.precision(), precision.mean(1), atol=1e-12)


@pytest.mark.parametrize('drawn', [[0, 0, 1, 5, 5, 5, 7, 2], [3] * 8, [6, 5, 4]])
def test_weights_are_copies_of_images(tmp_path, drawn):
    matches = class_matches(run_evaluation(*scene(tmp_path)))
    weights = np.bincount(drawn, minlength=IMAGES).astype(float)
    copies = run_evaluation(*scene(tmp_path, drawn))
    assert mean_precision(matches, weights) == pytest.approx(copies.stats[0], abs=1e-12)


def test_image_scores_equal_ap_on_one_image(tmp_path):
    matches = class_matches(run_evaluation(*scene(tmp_path)))
    found = image_precisions(matches)
    compared = 0
    for image in range(IMAGES):
        truth, detections = scene(tmp_path, [image])
        alone = run_evaluation(truth, detections)
        named = {d['category_id'] for d in detections} - {a['category_id'] for a in alone.cocoGt.anns.values()}
        if not named and alone.stats[0] >= 0:
            assert found[image] == pytest.approx(alone.stats[0], abs=1e-12)
            compared += 1
    assert compared > 3


def test_false_positives_lower_image_scores(tmp_path):
    truth, _ = scene(tmp_path, [0, 1])
    content = json.loads(truth.read_text())
    content['annotations'] = [a for a in content['annotations'] if a['image_id'] == 1 and not a['iscrowd']]
    truth.write_text(json.dumps(content))
    right = [dict(a, score=0.9) for a in content['annotations']]
    wrong = [dict(image_id=2, category_id=k, bbox=[1, 2, 30, 40], score=score)
             for k, score in ((4, .25), (4, .2), (3, .5))]
    for detections, wanted in ((right, [1, 1]), ([*right, *wrong], [1, (.75 + .5) / 2]), ([], [0, 1])):
        found = image_precisions(class_matches(run_evaluation(truth, detections)))
        assert list(found) == pytest.approx(wanted)


def test_empty_results(tmp_path):
    truth, _ = scene(tmp_path)
    matches = class_matches(run_evaluation(truth, []))
    assert mean_precision(matches) == 0


def worse(detections, share):
    """Drop a random share of the detections."""
    rng = np.random.default_rng(0)
    return [d for d in copy.deepcopy(detections) if rng.random() > share]


def test_identical_files_do_not_differ(tmp_path):
    truth, detections = scene(tmp_path, range(20))
    matches = class_matches(run_evaluation(truth, detections))
    interval = paired_interval(MeanPrecision(matches), MeanPrecision(matches), 50)
    assert (interval.difference, interval.low, interval.high) == (0, 0, 0)
    assert (interval.better, interval.equal) == (0, 1)


def test_the_interval_depends_on_the_seed_only(tmp_path):
    truth, detections = scene(tmp_path, range(40))
    first, second = (class_matches(run_evaluation(truth, worse(detections, share))) for share in (0.5, 0))
    interval = paired_interval(MeanPrecision(first), MeanPrecision(second), 200, seed=3)
    assert 0 < interval.low < interval.difference < interval.high
    assert interval.better > 0.97
    # the same draws, computed independently
    generator = np.random.default_rng(3)
    draws = [generator.multinomial(40, [1 / 40] * 40).astype(float) for _ in range(200)]
    differences = [mean_precision(second, draw) - mean_precision(first, draw) for draw in draws]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))
    assert interval.difference == pytest.approx(mean_precision(second) - mean_precision(first))
    assert paired_interval(MeanPrecision(first), MeanPrecision(second), 200, seed=3) == interval
    assert paired_interval(MeanPrecision(first), MeanPrecision(second), 200, seed=4) != interval
    back = paired_interval(MeanPrecision(second), MeanPrecision(first), 200, seed=3)
    assert (back.low, back.high) == (pytest.approx(-interval.high), pytest.approx(-interval.low))


def test_draws_are_checked(tmp_path):
    truth, detections = scene(tmp_path)
    matches = class_matches(run_evaluation(truth, detections))
    for given, draws in ((matches, 0), ([], 5)):
        with pytest.raises(ValueError, match='draws must be at least 1, of at least one object'):
            paired_interval(MeanPrecision(given), MeanPrecision(given), draws)


def test_draws_without_an_object_are_drawn_again(tmp_path):
    truth, _ = scene(tmp_path, range(40))
    content = json.loads(truth.read_text())
    content['annotations'] = [a for a in content['annotations'] if a['image_id'] == 7 and not a['iscrowd']]
    truth.write_text(json.dumps(content))
    right = [dict(annotation, score=.5) for annotation in content['annotations']]
    one, other = (class_matches(run_evaluation(truth, detections)) for detections in ([], right))
    interval = paired_interval(MeanPrecision(one), MeanPrecision(other), 60)
    assert (interval.low, interval.high, interval.better) == pytest.approx((1, 1, 1))
