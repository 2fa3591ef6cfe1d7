"""Tests of error types and their cost in AP50."""

from __future__ import annotations

import json

import pytest
from paths import SHARED

pytest.importorskip('pycocotools')

from hrnet_plugin.evaluation.coco_evaluation import run_evaluation
from hrnet_plugin.evaluation.comparison.errors import ERROR_TYPES, count_errors

FIXTURES = SHARED / 'data' / 'coco_eval_fixtures'
CAT, DOG = [10., 10., 40., 40.], [100., 100., 60., 30.]
RIGHT = [dict(image_id=1, category_id=1, bbox=CAT, score=0.9), dict(image_id=1, category_id=2, bbox=DOG, score=0.8)]
FAR = [200., 200., 30., 30.]


@pytest.fixture
def truth(tmp_path):
    """Write annotations of an image with a cat and a dog, and one with a dog and a crowd of cats."""
    path = tmp_path / 'truth.json'
    boxes = [(1, 1, CAT, 0), (1, 2, DOG, 0), (2, 2, DOG, 0), (2, 1, [200., 0., 90., 90.], 1)]
    path.write_text(json.dumps(dict(
        images=[dict(id=k, width=300, height=300) for k in (1, 2)],
        categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        annotations=[dict(id=n, image_id=image, category_id=label, bbox=box, area=box[2] * box[3], iscrowd=crowd)
                     for n, (image, label, box, crowd) in enumerate(boxes, 1)])))
    return path


def detection(image, label, box, score=0.95):
    return dict(image_id=image, category_id=label, bbox=box, score=score)


SECOND = detection(2, 2, DOG, 0.85)
CASES = {
    'no errors': ([*RIGHT, SECOND], {}),
    'classification': ([RIGHT[0], SECOND, detection(1, 1, DOG)], dict(classification=1)),
    'localization': ([*RIGHT, detection(2, 2, [100., 115., 60., 30.])], dict(localization=1)),
    'both': ([*RIGHT, SECOND, detection(2, 1, [100., 115., 60., 30.])], dict(both=1)),
    'duplicate': ([*RIGHT, SECOND, detection(1, 1, [11., 10., 40., 40.], 0.7)], dict(duplicate=1)),
    'background': ([*RIGHT, SECOND, detection(1, 2, FAR)], dict(background=1)),
    'missed': (RIGHT, dict(missed=1)),
    'on a crowd': ([*RIGHT, SECOND, detection(2, 1, [210., 10., 60., 60.])], {}),
    'on background': ([*RIGHT, detection(2, 1, FAR)], dict(background=1, missed=1)),
    'no detections': ([], dict(missed=3)),
    'a missed class': ([RIGHT[0]], dict(missed=2)),
}


@pytest.mark.parametrize('name', CASES)
def test_error_types(name, truth):
    detections, wanted = CASES[name]
    evaluation = run_evaluation(truth, detections)
    errors = count_errors(evaluation)
    assert dict(errors.numbers) == {kind: wanted.get(kind, 0) for kind in ERROR_TYPES}
    # fixing the only error gives AP50 = 1, and an error type without errors costs nothing
    for kind in ERROR_TYPES:
        if kind in wanted and len(wanted) == 1:
            assert errors.costs[kind] == pytest.approx(1 - evaluation.stats[1])
        elif kind not in wanted:
            assert errors.costs[kind] == pytest.approx(0)


def test_cost_of_a_duplicate_before_a_true_positive(truth):
    detections = [*RIGHT, detection(1, 2, [101., 100., 60., 30.], 0.79), {**SECOND, 'score': 0.5}]
    evaluation = run_evaluation(truth, detections)
    errors = count_errors(evaluation)
    assert errors.numbers['duplicate'] == 1
    assert errors.costs['duplicate'] == pytest.approx(1 - evaluation.stats[1])
    assert errors.costs['duplicate'] > 0.05


def beside(box, overlap):
    """Shift a box sideways so that its IoU with the original is ``overlap``."""
    x, y, w, h = box
    return [x + w * (1 - overlap) / (1 + overlap), y, w, h]


@pytest.mark.parametrize(('label', 'overlap', 'kind'), [
    (2, 0.49, 'localization'), (2, 0.11, 'localization'), (2, 0.09, 'background'),
    (1, 0.51, 'classification'), (1, 0.49, 'both'), (1, 0.11, 'both'), (1, 0.09, 'background')])
def test_thresholds(label, overlap, kind, truth):
    errors = count_errors(run_evaluation(truth, [*RIGHT, detection(2, label, beside(DOG, overlap))]))
    assert errors.numbers[kind] == 1
    assert sum(errors.numbers.values()) - errors.numbers['missed'] == 1


def test_the_first_rule_applies(truth):
    """Prefer localization to classification errors, and classification errors to duplicates."""
    content = json.loads(truth.read_text())
    content['annotations'].append(dict(content['annotations'][2], id=9, category_id=1))  # a cat with the dog's box
    truth.write_text(json.dumps(content))
    with_cat = [*RIGHT, SECOND, detection(2, 1, DOG, 0.6)]
    again = detection(2, 1, DOG, 0.3)  # a second detection of the cat, and the wrong class for the dog
    errors = count_errors(run_evaluation(truth, [*with_cat, again]))
    assert (errors.numbers['classification'], errors.numbers['duplicate']) == (1, 0)
    content['annotations'][-1]['bbox'] = beside(DOG, 0.4)
    truth.write_text(json.dumps(content))
    errors = count_errors(run_evaluation(truth, [*RIGHT, SECOND, again]))  # near the cat, and on the dog
    assert (errors.numbers['localization'], errors.numbers['classification']) == (1, 0)


def test_errors_on_detected_objects_are_dropped(truth):
    """Drop a classification error on an object that has a true positive."""
    detections = [*RIGHT, SECOND, detection(2, 1, DOG)]
    evaluation = run_evaluation(truth, detections)
    errors = count_errors(evaluation)
    assert errors.numbers['classification'] == 1
    assert errors.costs['classification'] == pytest.approx(1 - evaluation.stats[1])


@pytest.mark.skipif(not FIXTURES.is_dir(), reason='COCO\'s example is missing')
@pytest.mark.parametrize(('kind', 'numbers'), [('bbox', (83, 1, 0, 1, 0, 97)), ('segm', (76, 82, 7, 0, 4, 109))])
def test_numbers_equal_tide(kind, numbers):
    """Compare with the output of TIDE 1.0.1 for COCO's example."""
    evaluation = run_evaluation(FIXTURES / 'instances_val2014_100.json',
                         FIXTURES / f'instances_val2014_fake{kind}100_results.json', kind)
    assert tuple(count_errors(evaluation).numbers.values()) == numbers


def test_only_the_highest_score_of_two_is_corrected(truth):
    """Correct one of two classification errors on an object, since the other would be a duplicate."""
    detections = [RIGHT[0], SECOND, detection(1, 1, DOG, 0.5), detection(1, 1, DOG, 0.6)]
    errors = count_errors(run_evaluation(truth, detections))
    assert errors.numbers['classification'] == 2
    assert run_evaluation(truth, detections).stats[1] + errors.costs['classification'] == pytest.approx(1)


def test_masks(truth):
    from pycocotools import mask
    content = json.loads(truth.read_text())
    for annotation in content['annotations']:
        x, y, w, h = annotation['bbox']
        annotation['segmentation'] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    content['annotations'] = content['annotations'][:3]
    truth.write_text(json.dumps(content))

    def of(image, label, box):
        rle, = mask.frPyObjects([[box[0], box[1], box[0] + box[2], box[1], box[0] + box[2], box[1] + box[3], box[0],
                                  box[1] + box[3]]], 300, 300)
        segmentation = {**rle, 'counts': rle['counts'].decode()}
        return dict(image_id=image, category_id=label, score=0.5, segmentation=segmentation)

    detections = [of(1, 1, CAT), of(1, 2, [100., 115., 60., 30.]), of(2, 1, DOG), of(2, 2, FAR)]
    assert dict(count_errors(run_evaluation(truth, detections, 'segm')).numbers) == dict(
        classification=1, localization=1, both=0, duplicate=0, background=1, missed=0)
