"""Tests of comparisons of keypoints against computations from the definitions."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from comparison_data import (
    NAMES,
    SIGMAS,
    detected_person,
    persons_with_errors,
    slow_ap,
    slow_oks,
    write_json,
    write_persons,
)

from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections, run_evaluation
from hrnet_plugin.evaluation.coco_keypoints import COCO_SIGMAS
from hrnet_plugin.evaluation.comparison.compare import compare
from hrnet_plugin.evaluation.comparison.keypoint_errors import count_keypoint_errors
from hrnet_plugin.evaluation.comparison.text import as_markdown

IMAGES = range(1, 13)


@pytest.fixture
def files(tmp_path):
    """Write annotations without crowds, and two results of which the second is better."""
    persons, detect = persons_with_errors(3)
    persons = [(*person[:3], 0) for person in persons]
    results = [detect(5, 1, 9), detect(2, 2, 9)]
    truth = write_persons(tmp_path / 'truth.json', persons, IMAGES)
    paths = [write_json(tmp_path / f'{k}.keypoints.json', found) for k, found in enumerate(results)]
    return truth, paths, persons, results


def test_ap_and_interval_equal_plain_loops(files):
    truth, paths, persons, results = files
    # of unlabeled persons, the API ignores matched detections; the loops know labeled persons only
    unlabeled = {image for image, points, _, _ in persons if not (points[:, 2] > 0).any()}
    images = [image for image in IMAGES if image not in unlabeled]
    assert len(images) > 6
    subset = write_json(truth.with_name('subset.json'), images)
    found = compare(truth, *paths, sigmas=SIGMAS, draws=6, seed=5, subset=subset)
    assert found.metrics['AP'] == pytest.approx([slow_ap(persons, each, images) for each in results], abs=1e-9)
    assert 0.05 < found.metrics['AP'][0] < found.metrics['AP'][1] < 0.95
    labeled = [sum(person[0] == image for person in persons) for image in images]
    generator = np.random.default_rng(5)
    differences = []
    while len(differences) < 6:
        counts = generator.multinomial(len(images), [1 / len(images)] * len(images))
        drawn = np.repeat(images, counts)
        if np.dot(counts, labeled):
            first, second = (slow_ap(persons, each, drawn) for each in results)
            differences.append(second - first)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(differences, [.025, .975])))
    assert (found.kind, found.images) == ('keypoints', len(images))


@pytest.mark.parametrize('with_boxes', [False, True])
def test_metrics_equal_mmposes_api(tmp_path, with_boxes):
    """Compare with xtcocotools on persons with crowds, without labels, and with the order of detections shuffled."""
    theirs = pytest.importorskip('xtcocotools.cocoeval')
    from xtcocotools.coco import COCO
    persons, detect = persons_with_errors(8)
    truth, found = write_persons(tmp_path / 'truth.json', persons, IMAGES), detect(6, 1)
    for d in found if with_boxes else ():
        d['bbox'] = [10, 10, 20 * d['score'], 90]
    path = write_json(tmp_path / 'found.json', found)
    with contextlib.redirect_stdout(io.StringIO()):
        api = COCO(str(truth))
        evaluation = theirs.COCOeval(api, api.loadRes(str(path)), 'keypoints', np.array(SIGMAS), True)
        evaluation.params.useSegm = None
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ours = evaluate_detections(truth, path, 'keypoints', sigmas=SIGMAS)
    names = ('AP', 'AP50', 'AP75', 'APm', 'APl', 'AR', 'AR50', 'AR75', 'ARm', 'ARl')
    assert ours.metrics == {name: None if value < 0 else value for name, value in zip(names, evaluation.stats)}
    assert 0.1 < ours.metrics['AP'] < 0.9
    assert ours.classes == {'person': pytest.approx(ours.metrics['AP'])}


def test_identical_files_do_not_differ(files):
    truth, paths, _, _ = files
    found = compare(truth, paths[0], paths[0], sigmas=SIGMAS, draws=20)
    interval = found.interval
    assert (interval.difference, interval.low, interval.high, interval.equal) == (0, 0, 0, 1)
    assert found.differing == []
    assert found.errors[0] == found.errors[1]
    text = as_markdown(found)
    assert '-0.0' not in text
    assert '**+0.0**, 95 % interval +0.0 to +0.0' in text


def test_only_the_20_best_detections_of_an_image_count(tmp_path):
    points = [[100 + 9 * k, 100 + 5 * k, 2] for k in range(5)]
    truth = write_persons(tmp_path / 'truth.json', [(1, points, 4000, 0)], [1])
    far = [detected_person(1, np.array(points) + 300, 0.9) for _ in range(20)]
    right = detected_person(1, points, 0.5)
    for wrong, wanted in ((far, 0), (far[:19], 1 / 20)):
        found = evaluate_detections(truth, [right, *wrong], 'keypoints', sigmas=SIGMAS)
        assert found.metrics['AP'] == pytest.approx(wanted)


# nose, left eye, right eye, left hip, right hip of two persons; 4000 is the area
FIRST = np.array([[100, 100, 2], [130, 90, 2], [160, 90, 1], [110, 200, 2], [170, 200, 2]], float)
SECOND = FIRST + [300, 0, 0]
AREA = 4000


def moved(points, place, to):
    points = points.copy()
    points[place, :2] = to
    return points


def at_similarity(place, similarity):
    """Return the location right of a keypoint with a similarity."""
    distance = np.sqrt(-np.log(similarity) * 2 * AREA * (2 * SIGMAS[place]) ** 2)
    return FIRST[place, :2] + [distance, 0]


CASES = {
    'good': (FIRST, {}), 'still good': (moved(FIRST, 0, at_similarity(0, 0.86)), {}),
    'jitter': (moved(FIRST, 0, at_similarity(0, 0.84)), dict(jitter=1)),
    'still jitter': (moved(FIRST, 0, at_similarity(0, 0.51)), dict(jitter=1)),
    'miss': (moved(FIRST, 0, at_similarity(0, 0.49)), dict(miss=1)),
    'inversion': (moved(FIRST, 1, FIRST[2, :2]), dict(inversion=1)),
    'both eyes': (moved(moved(FIRST, 1, FIRST[2, :2]), 2, FIRST[1, :2]), dict(inversion=2)),
    'swap': (moved(FIRST, 0, SECOND[0, :2]), dict(swap=1)),
    'swap of the other side': (moved(FIRST, 3, SECOND[4, :2]), dict(swap=1)),
    'on another part': (moved(FIRST, 0, FIRST[1, :2]), dict(miss=1)),
}


def count(tmp_path, persons, detections, names=NAMES):
    truth = write_persons(tmp_path / 'truth.json', persons, [1, 2], names)
    return count_keypoint_errors(run_evaluation(truth, detections, 'keypoints', sigmas=SIGMAS))


@pytest.mark.parametrize('name', CASES)
def test_error_types(tmp_path, name):
    points, wanted = CASES[name]
    persons = [(1, FIRST, AREA, 0), (1, SECOND, AREA, 0)]
    errors, good = count(tmp_path, persons, [detected_person(1, SECOND, 0.9), detected_person(1, points, 0.8)])
    wanted = {'good': 10 - sum(wanted.values()), 'jitter': 0, 'inversion': 0, 'swap': 0, 'miss': 0, 'undetected': 0,
              **wanted}
    assert dict(errors.numbers) == wanted
    oks = (slow_oks(points, FIRST, AREA) + 1) / 2
    assert sum(errors.costs.values()) == pytest.approx(1 - oks)
    for kind, number in errors.numbers.items():
        assert number or errors.costs[kind] == 0
    assert sum(good.values()) * 2 == pytest.approx(wanted['good'])


def test_costs_add_up_to_the_lost_oks(tmp_path):
    persons, detect = persons_with_errors(4)
    persons = [person for person in persons if person[0] < 3]
    labeled = [person for person in persons if not person[3] and (person[1][:, 2] > 0).any()]
    errors, good = count(tmp_path, persons, [d for d in detect(5, 1) if d['image_id'] < 3])
    assert sum(errors.numbers.values()) == sum((person[1][:, 2] > 0).sum() for person in labeled)
    assert 0 < sum(errors.costs.values()) < 1
    assert all(value is None or 0 <= value <= 1 for value in good.values())
    nothing, good = count(tmp_path, persons, [])
    assert nothing.numbers['undetected'] == sum(nothing.numbers.values())
    assert nothing.costs['undetected'] == pytest.approx(1)
    assert set(good.values()) <= {0, None}


def test_unlabeled_keypoints_are_not_counted(tmp_path):
    hidden = moved(FIRST, 2, [0, 0])
    hidden[2, 2] = 0
    errors, good = count(tmp_path, [(1, hidden, AREA, 0)], [detected_person(1, moved(FIRST, 2, [400, 400]), 0.9)])
    assert errors.numbers['good'] == sum(errors.numbers.values()) == 4
    assert good['right_eye'] is None


def test_keypoints_without_sides_cannot_be_inverted(tmp_path):
    names = ('a', 'b', 'c', 'd', 'e')
    errors, _ = count(tmp_path, [(1, FIRST, AREA, 0)], [detected_person(1, moved(FIRST, 1, FIRST[2, :2]), 0.9)], names)
    assert (errors.numbers['inversion'], errors.numbers['miss']) == (0, 1)


def test_sigmas(tmp_path):
    points = np.array([[100 + 9 * k, 100 + 5 * k, 2] for k in range(17)], float)
    found = [detected_person(1, points + [3, 0, 0], 0.9)]
    coco = write_persons(tmp_path / 'coco.json', [(1, points, 4000, 0)], [1], list(COCO_SIGMAS))
    assert evaluate_detections(coco, found, 'keypoints') == evaluate_detections(
        coco, found, 'keypoints', sigmas=list(COCO_SIGMAS.values()))
    animals = write_persons(tmp_path / 'animals.json', [(1, points, 4000, 0)], [1], [f'part {k}' for k in range(17)])
    with pytest.raises(ValueError, match=r'sigmas must be given for keypoints other than those of COCO, got 17'):
        evaluate_detections(animals, found, 'keypoints')
    for sigmas in ([.1] * 16, [.1] * 16 + [0], [.1] * 16 + [float('nan')]):
        with pytest.raises(ValueError, match='sigmas must be 17 positive numbers, one per keypoint'):
            evaluate_detections(animals, found, 'keypoints', sigmas=sigmas)


def test_gaps_in_annotations(files):
    """Evaluate annotations without area, iscrowd or num_keypoints, and persons without keypoints."""
    truth, paths, _, _ = files
    content = json.loads(truth.read_text())
    for annotation in content['annotations']:
        annotation['area'] = annotation['bbox'][2] * annotation['bbox'][3] * 0.53
    write_json(truth, content)
    wanted = compare(truth, *paths, sigmas=SIGMAS, draws=2)
    for annotation in content['annotations']:
        del annotation['area'], annotation['iscrowd'], annotation['id']
        if annotation.pop('num_keypoints') == 0:
            del annotation['keypoints']
    write_json(truth, content)
    assert compare(truth, *paths, sigmas=SIGMAS, draws=2) == wanted


@pytest.mark.parametrize(('change', 'words'), [
    (dict(keypoints=[1, 2, 3]), 'keypoints must be 5 times x, y and score or visibility, got 3 numbers'),
    (dict(keypoints=None), 'got None'), (dict(keypoints=[float('nan')] * 15), 'keypoints must be finite numbers'),
    (dict(score='1'), 'score must be a finite number'), (dict(image_id='1'), "got '1'. Write 1, as in the")])
def test_invalid_keypoints_are_refused(files, change, words):
    truth, paths, _, results = files
    path = write_json(paths[0].with_name('wrong.json'), [results[0][0], {**results[0][0], **change}])
    with pytest.raises(ValueError, match=rf'results \(.*wrong\.json\), detection 1: .*{words}'):
        compare(truth, path, path, sigmas=SIGMAS)


def test_invalid_annotations_are_refused(files):
    truth, paths, _, _ = files
    content = json.loads(truth.read_text())
    for change, words in ((dict(keypoints=[1, 2]), 'annotation 0: keypoints must be 5 times'),
                          (dict(bbox=None), r'annotation 0: bbox must be \[x, y, width, height\]')):
        first = {**content['annotations'][0], **change}
        write_json(truth, {**content, 'annotations': [first, *content['annotations'][1:]]})
        with pytest.raises(ValueError, match=words):
            compare(truth, *paths, sigmas=SIGMAS)
    for categories in ([dict(id=1, name='person')], [dict(id=1, name='a', keypoints=['x']),
                                                      dict(id=2, name='b', keypoints=['y'])]):
        write_json(truth, {**content, 'categories': categories})
        with pytest.raises(ValueError, match='annotations must have one or more categories with the same list of'):
            compare(truth, *paths, sigmas=SIGMAS)
    write_json(truth, {**content, 'annotations': []})
    with pytest.raises(ValueError, match='annotations must have objects with labeled keypoints, got none'):
        compare(truth, *paths, sigmas=SIGMAS)
