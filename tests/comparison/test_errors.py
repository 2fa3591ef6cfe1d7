"""Each kind of error is told from the others, and costs what it costs."""

from __future__ import annotations

import json

import pytest

pytest.importorskip('pycocotools')

from hrnet_plugin.comparison.errors import KINDS, count_errors
from hrnet_plugin.leaderboard.coco_evaluation import run_api

CAT, DOG = [10., 10., 40., 40.], [100., 100., 60., 30.]
RIGHT = [dict(image_id=1, category_id=1, bbox=CAT, score=0.9), dict(image_id=1, category_id=2, bbox=DOG, score=0.8)]
FAR = [200., 200., 30., 30.]


@pytest.fixture
def truth(tmp_path):
    """A cat, a dog, and another image with a dog; a crowd of cats."""
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
    'nothing wrong': ([*RIGHT, SECOND], {}),
    'classification': ([RIGHT[0], SECOND, detection(1, 1, DOG)], dict(classification=1)),
    'localisation': ([*RIGHT, detection(2, 2, [100., 115., 60., 30.])], dict(localisation=1)),
    'both': ([*RIGHT, SECOND, detection(2, 1, [100., 115., 60., 30.])], dict(both=1)),
    'duplicate': ([*RIGHT, SECOND, detection(1, 1, [11., 10., 40., 40.], 0.7)], dict(duplicate=1)),
    'background': ([*RIGHT, SECOND, detection(1, 2, FAR)], dict(background=1)),
    'missed': (RIGHT, dict(missed=1)),
    'on a crowd': ([*RIGHT, SECOND, detection(2, 1, [210., 10., 60., 60.])], {}),
    'where nothing is': ([*RIGHT, detection(2, 1, FAR)], dict(background=1, missed=1)),
    'nothing at all': ([], dict(missed=3)),
}


@pytest.mark.parametrize('name', CASES)
def test_kinds(name, truth):
    detections, wanted = CASES[name]
    evaluation = run_api(truth, detections)
    errors = count_errors(evaluation)
    assert dict(errors.numbers) == {kind: wanted.get(kind, 0) for kind in KINDS}
    # without its one kind of error the model is perfect
    ap50 = evaluation.stats[1]
    for kind in KINDS:
        if list(wanted) == [kind] and detections:
            assert ap50 + errors.costs[kind] == pytest.approx(1)
            assert errors.costs[kind] > 0 or name == 'duplicate'  # one below the last object costs nothing
        else:
            assert errors.costs[kind] >= (-1e-12)
    if not wanted:
        assert ap50 == pytest.approx(1)


def test_only_the_surest_of_two_is_repaired(truth):
    """Two dogs of the wrong name on one dog: one would be right, the other one a duplicate."""
    detections = [RIGHT[0], SECOND, detection(1, 1, DOG, 0.5), detection(1, 1, DOG, 0.6)]
    errors = count_errors(run_api(truth, detections))
    assert errors.numbers['classification'] == 2
    assert run_api(truth, detections).stats[1] + errors.costs['classification'] == pytest.approx(1)


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
    assert dict(count_errors(run_api(truth, detections, 'segm')).numbers) == dict(
        classification=1, localisation=1, both=0, duplicate=0, background=1, missed=0)
