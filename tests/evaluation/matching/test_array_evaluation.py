"""Tests that evaluations on arrays equal the COCO API's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from coco_scenes import as_coco, person_scene, random_scene, run, run_coco_api

from hrnet_plugin.evaluation.analysis.analyze import analyze
from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


def assert_equal(found, wanted):
    for name in ('precision', 'recall', 'scores'):
        np.testing.assert_array_equal(found.eval[name], wanted.eval[name], name)


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
@pytest.mark.parametrize('seed', range(6))
def test_boxes_and_masks(kind, seed):
    content, detections = random_scene(seed, kind)
    for options in ({}, dict(most=[1, 2, 4]), dict(images=[2, 3, 5, 11]), dict(classes=[1, 3, 4])):
        wanted = run_coco_api(as_coco(content), detections, kind, **options)
        found = run(ArrayEvaluation(as_coco(content), detections, kind), kind, **options)
        assert_equal(found, wanted)
    wanted = run_coco_api(as_coco(content), detections, kind)
    wanted.summarize()
    found = run(ArrayEvaluation(as_coco(content), detections, kind), kind)
    found.summarize()
    np.testing.assert_array_equal(found.stats, wanted.stats)
    assert .1 < found.stats[0] < .9
    matches = zip(wanted.params.areaRng, found.matches)
    for place, (_, matched) in enumerate(matches):  # the matches, too
        records = [record for record in wanted.evalImgs if record is not None
                   and list(record['aRng']) == list(wanted.params.areaRng[place])]
        hits, counted = matched.hits_and_counted(slice(None))
        assert hits.sum() == sum(np.count_nonzero(record['dtMatches']) for record in records)
        assert (~counted).sum() == sum(np.count_nonzero(record['dtIgnore']) for record in records)


@pytest.mark.parametrize('boxes', [False, True])
@pytest.mark.parametrize('seed', range(4))
def test_keypoints(seed, boxes, tmp_path):
    truth, detections = person_scene(seed, tmp_path, boxes)
    wanted = run_coco_api(truth, detections, 'keypoints')
    found = run(ArrayEvaluation(truth, detections, 'keypoints'), 'keypoints')
    assert_equal(found, wanted)
    assert (found.eval['precision'] > 0).any()
    assert found.objects.ignored.any()


@pytest.mark.filterwarnings('error::RuntimeWarning')
def test_keypoints_far_outside_have_no_similarity(tmp_path):
    truth, detections = person_scene(0, tmp_path)
    far = dict(detections[0], keypoints=[1e200, -1e200, 1.] * (len(detections[0]['keypoints']) // 3))
    far['keypoints'][0] = -1e308
    found = run(ArrayEvaluation(truth, [far, *detections[1:]], 'keypoints'), 'keypoints')
    assert found.eval['recall'][0, 0, 0, 0] > 0


@pytest.mark.parametrize('places', [(0, 4), (4, 0)])
def test_the_last_of_two_equal_overlaps_precedes(places):
    """Detect the middle of two boxes first, and the right one second, which only has an object if it is left."""
    content, _ = random_scene(0)
    content['annotations'] = [dict(id=k, image_id=1, category_id=1, bbox=[x, 0., 10., 10.], area=100., iscrowd=0)
                              for k, x in enumerate(places, 1)]
    detections = [dict(image_id=1, category_id=1, bbox=[x, 0., 10., 10.], score=score)
                  for x, score in ((2, .9), (4, .8))]
    found = run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox')
    assert_equal(found, run_coco_api(as_coco(content), detections, 'bbox'))
    assert found.eval['recall'][0, 0, 0, -1] == (1 if places[-1] == 0 else .5)


@pytest.mark.parametrize('thresholds', [[.05, .5], [0.], [.1, .3]])
def test_low_thresholds(thresholds):
    """Find pairs down to the lowest threshold, even without overlap."""
    content, detections = random_scene(1)
    options = dict(thresholds=np.array(thresholds))
    found = run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox', **options)
    assert_equal(found, run_coco_api(as_coco(content), detections, 'bbox', **options))


def test_ids_of_any_size():
    """Keep IDs that are not exact as 64-bit floats or integers."""
    content, detections = random_scene(2)
    large = {k: k + 2**63 if k % 2 else -k for k in range(1, 13)}
    wanted = run_coco_api(as_coco(content), detections, 'bbox')
    for image in content['images']:
        image['id'] = large[image['id']]
    for one in (*content['annotations'], *detections):
        one['image_id'] = large[one['image_id']]
    found = run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox')
    np.testing.assert_array_equal(found.eval['recall'], wanted.eval['recall'])
    assert found.params.imgIds == sorted(large.values())


def test_evaluation_without_classes_is_refused():
    content, detections = random_scene(0)
    evaluation = ArrayEvaluation(as_coco(content), detections, 'bbox')
    evaluation.params.useCats = 0
    with pytest.raises(ValueError, match='p must be None, got other parameters'):
        evaluation.accumulate(evaluation.params)
    with pytest.raises(ValueError, match='useCats must be 1, got 0'):
        evaluation.evaluate()


def test_no_detections_and_no_objects():
    content, detections = random_scene(0)
    without = dict(content, annotations=[])
    for truth, results in ((content, []), (without, detections), (without, [])):
        found = run(ArrayEvaluation(as_coco(truth), results, 'bbox'), 'bbox')
        wanted = run_coco_api(as_coco(truth), results, 'bbox') if results else None
        if wanted is not None:
            assert_equal(found, wanted)
        found.summarize()
        assert found.stats[0] == (0 if truth is content else -1)


def test_no_classes():
    """Select nothing by an empty list, which selects all annotations in ``COCO.getAnnIds``."""
    content, detections = random_scene(0)
    found = run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox', classes=[])
    found.summarize()
    assert set(found.stats) == {-1}
    analysis = analyze(found)
    assert (analysis.classes, analysis.objects, analysis.confusion.counts) == ([], [], [[0]])
