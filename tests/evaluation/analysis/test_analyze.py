"""Tests of analyses against the COCO API and plain loops."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from coco_scenes import CLASSES, as_coco, person_scene, random_scene, run, run_coco_api
from pycocotools import mask

from hrnet_plugin.evaluation.analysis.analysis import (
    PRECISION_UNIT,
    decode_precision,
    decode_scores,
    encode_precision,
    encode_scores,
)
from hrnet_plugin.evaluation.analysis.analyze import analyze
from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


def analysis_of(content, detections, kind='bbox', **options):
    return analyze(run(ArrayEvaluation(as_coco(content), detections, kind), kind), **options)


def slow_confusions(content, detections, kind, score):
    """Count confusions by loops over images, detections and objects."""
    counts = [[0] * (len(CLASSES) + 1) for _ in range(len(CLASSES) + 1)]
    for image in content['images']:
        objects = [a for a in content['annotations'] if a['image_id'] == image['id']]
        found = [d for d in detections if d['image_id'] == image['id'] and d['score'] >= score]
        found.sort(key=lambda d: (-d['score'], d['category_id']))  # stable
        free = [a for a in objects if not a['iscrowd']]
        for detection in found:
            best, chosen = .5, None
            for thing in free:
                overlap = slow_iou(detection, thing, kind)
                if overlap >= best:  # the last one of equal overlaps
                    best, chosen = overlap, thing
            if chosen is not None:
                free = [thing for thing in free if thing is not chosen]
                counts[chosen['category_id'] - 1][detection['category_id'] - 1] += 1
            elif not any(thing['iscrowd'] and thing['category_id'] == detection['category_id']
                         and slow_iou(detection, thing, kind) >= .5 for thing in objects):
                counts[-1][detection['category_id'] - 1] += 1
        for thing in free:
            counts[thing['category_id'] - 1][-1] += 1
    return counts


def slow_iou(detection, thing, kind):
    if kind == 'segm':
        one, other = (mask.decode(each['segmentation']).astype(bool) for each in (detection, thing))
        common, area, total = (one & other).sum(), one.sum(), (one | other).sum()
    else:
        (x, y, w, h), (left, top, width, height) = detection['bbox'], thing['bbox']
        common = max(0, min(x + w, left + width) - max(x, left)) * max(0, min(y + h, top + height) - max(y, top))
        area, total = w * h, w * h + width * height - common
    return common / (area if thing['iscrowd'] else total) if common else 0


@pytest.mark.parametrize(('kind', 'seed'), [('bbox', 0), ('bbox', 1), ('bbox', 2), ('segm', 3)])
def test_confusions_equal_plain_loops(kind, seed):
    content, detections = random_scene(seed, kind)
    for score in (.3, .75):
        found = analysis_of(content, detections, kind, score=score).confusion
        assert found.counts == slow_confusions(content, detections, kind, score)
        assert (found.overlap, found.score) == (.5, score)
    counts = np.array(analysis_of(content, detections, kind).confusion.counts)
    assert counts[:3, :4].sum() > np.trace(counts) > 0  # confusions of classes
    assert counts[-1].any()
    assert counts[:, -1].any()


def test_confusions_leave_out_objects_that_ap_leaves_out():
    """Each row adds up to the objects of AP, even if the areas of others are invalid."""
    content, detections = random_scene(2)
    whole = analysis_of(content, detections).objects
    for annotation, area in zip(content['annotations'], (-1, 1e11) * 9):
        annotation['area'] = area
    found = analysis_of(content, detections)
    assert [sum(row) for row in found.confusion.counts[:-1]] == found.objects
    assert sum(found.objects) < sum(whole)


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_curves_equal_the_api(kind):
    content, detections = random_scene(4, kind)
    api = run_coco_api(as_coco(content), detections, kind)
    found = analysis_of(content, detections, kind)
    precision, scores = (api.eval[name][:, :, :, 0, -1] for name in ('precision', 'scores'))
    assert found.curves.thresholds == pytest.approx(list(api.params.iouThrs))
    for k, text in enumerate(found.curves.precision):
        assert (text is None) == (precision[0, 0, k] < 0)
        if text is not None:
            np.testing.assert_allclose(decode_precision(text), precision[:, :, k], atol=.5001 / PRECISION_UNIT)
            np.testing.assert_array_equal(decode_scores(found.curves.scores[k]), scores[0, :, k].astype('f4'))
            assert found.precision[k] == pytest.approx(precision[:, :, k].mean(), abs=1e-12)
    defined = precision[:, :, [text is not None for text in found.curves.precision]]
    np.testing.assert_allclose(decode_precision(found.curves.mean), defined.mean(2), atol=.5001 / PRECISION_UNIT)
    assert found.precision[3:] == [None, None]


def test_histograms_equal_plain_loops():
    content, detections = random_scene(5)
    api = run_coco_api(as_coco(content), detections, 'bbox')
    found = analysis_of(content, detections)
    edges = found.histograms.edges
    wanted = {True: np.zeros((5, 20), int), False: np.zeros((5, 20), int)}
    for record in api.evalImgs:
        if record is not None and record['aRng'] == api.params.areaRng[0]:
            for match, ignored, score in zip(record['dtMatches'][0], record['dtIgnore'][0], record['dtScores']):
                if not ignored:
                    wanted[bool(match)][record['category_id'] - 1, min(bisect_right(edges, score) - 1, 19)] += 1
    assert found.histograms.true_positives == wanted[True].tolist()
    assert found.histograms.false_positives == wanted[False].tolist()
    assert found.predictions == (wanted[True] + wanted[False]).sum(1).tolist()
    assert found.objects == [sum(a['category_id'] == k and not a['iscrowd'] for a in content['annotations'])
                             for k in range(1, 6)]
    assert wanted[True].any()
    assert wanted[False].any()


def test_scores_outside_the_bins_count_in_the_first_or_last_bin():
    content, _ = random_scene(0)
    box = dict(image_id=1, category_id=1, bbox=[200., 200., 5., 5.])
    found = analysis_of(content, [dict(box, score=score) for score in (-3., 0., .05, 1., 7.)])
    assert found.histograms.false_positives[0] == [2, 1, *[0] * 17, 2]


def test_keypoints(tmp_path):
    truth, detections = person_scene(1, tmp_path)
    api = run_coco_api(truth, detections, 'keypoints')
    found = analyze(run(ArrayEvaluation(truth, detections, 'keypoints'), 'keypoints'), 0)
    precision = api.eval['precision'][:, :, 0, 0, 0]
    np.testing.assert_allclose(decode_precision(found.curves.mean), precision, atol=.5001 / PRECISION_UNIT)
    records = [each for each in api.evalImgs if each is not None and each['aRng'] == api.params.areaRng[0]]
    (hits, missed), (false, _) = found.confusion.counts
    # with one class, the matches of the confusion matrix are those of the API
    assert hits == sum(np.count_nonzero((each['dtMatches'][0] > 0) & ~each['dtIgnore'][0].astype(bool))
                       for each in records)
    assert false == sum(np.count_nonzero(each['dtMatches'][0] == 0) for each in records)
    assert hits + missed == found.objects[0] == sum(np.count_nonzero(each['gtIgnore'] == 0) for each in records)
    assert hits > 3 < false


def test_codes():
    values = np.linspace(0, 1, 202).reshape(2, 101)
    np.testing.assert_allclose(decode_precision(encode_precision(values)), values, atol=.5001 / PRECISION_UNIT)
    np.testing.assert_array_equal(decode_scores(encode_scores(values[0])), values[0].astype('f4'))


def test_scores_of_any_size_are_finite_in_files():
    values = np.array([1e300, -1e300, 1e-300, .5])
    content, _ = random_scene(0)
    box = content['annotations'][0]
    found = analysis_of(content, [dict(box, score=score) for score in values])
    assert np.isfinite(decode_scores(found.curves.scores[box['category_id'] - 1])).all()


def test_80_classes_take_less_than_half_a_megabyte():
    content, detections = random_scene(6)
    content['categories'] = [dict(id=k, name=f'class {k}') for k in range(1, 81)]
    for k, annotation in enumerate(content['annotations']):
        annotation['category_id'] = k % 80 + 1
    assert len(json.dumps(asdict(analysis_of(content, detections)))) < 2**19
