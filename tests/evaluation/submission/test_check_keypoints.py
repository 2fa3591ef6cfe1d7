"""Tests of the check of a file of keypoints."""

from __future__ import annotations

import json
import random
import re

import pytest

from hrnet_plugin.evaluation.submission.check import check_file, file_kind
from hrnet_plugin.evaluation.submission.images import SplitImages

pytest.importorskip('ijson')
IMAGES = SplitImages({1: (40, 60), 7: (50, 30)}, {1: 'person', 18: 'dog'})


def person(image_id=1, shift=0., score=0.5, **changes):
    """Make a person whose keypoints are different points, with scores of any size as the third numbers."""
    keypoints = [number for k in range(17) for number in (3. + k + shift, 20 - k / 2, k - 2.5)]
    return {**dict(image_id=image_id, category_id=1, keypoints=keypoints, score=score), **changes}


def check(tmp_path, content, images=IMAGES):
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(content))
    return check_file(path, images)


def test_a_valid_file(tmp_path):
    report = check(tmp_path, [person(), person(7, score=1), person(shift=0.25)])
    assert (report.errors, report.warnings, report.kind, report.wrong) == ([], [], 'keypoints', 0)
    assert report.text == '3 detections (keypoints)'
    assert file_kind(tmp_path / 'results.json') == 'keypoints'


def at(*numbers):
    return [person(), person(keypoints=list(numbers) * 17)]


KEYPOINTS = person()['keypoints']
BROKEN = {
    'no keypoints': ([person(), dict(image_id=1, category_id=1, score=1)],
                     'must have keypoints for an evaluation of keypoints, got'),
    'boxes among keypoints': ([person(), dict(image_id=1, category_id=1, score=1, bbox=[1, 1, 2, 2])],
                              'must have keypoints for an evaluation of keypoints, got'),
    'another number of keypoints': ([person(), person(keypoints=[1, 2, 3] * 16)],
                                    'must be 17 times x, y and score or visibility, got 48 numbers'),
    'pairs': ([person(), person(keypoints=[[1, 2, 3]] * 17)], 'keypoints must be 17 times .* got 17 numbers'),
    'text': ([person(), person(keypoints='1 2 3')], "keypoints must be 17 times .* got '1 2 3'"),
    'no number': ([person(), person(keypoints=[*KEYPOINTS[:-1], None])], 'keypoints must be finite numbers, got'),
    'a third value that is text': ([person(), person(keypoints=[*KEYPOINTS[:-1], 'visible'])],
                                   'keypoints must be finite numbers, got'),
    'another category': ([person(), person(category_id=18)],
                         'category_id must be one of the 1 with keypoints in the split, got 18'),
    'a label': ([person(), person(category_id=0)], 'got 0. Convert labels, which are counted from 0'),
    'an image of another split': ([person(), person(2)], 'image_id must be one of the 2 in the split, got 2'),
    'a score that is text': ([person(), person(score='0.5')], "score must be a finite number, got '0.5'"),
    'a score that is an array': ([person(), person(score=[0.5])], r'score must be a finite number, got \[0.5\]'),
    'far right': (at(121, 5, 1), 'keypoints must be near their image of 60 x 40, got'),
    'far left': (at(-61, 5, 1), 'keypoints must be near their image'),
    'far below': (at(5, 81, 1), 'keypoints must be near their image'),
    'relative coordinates': ([person(keypoints=[0.2, 0.3, 1, *[0.5, 0.75, 1] * 16]), person(7)] * 2 + [
        person(keypoints=[0, 0.3, 1, *[0.5, 0.75, 1] * 16])], 'must be in pixels, got 3 persons with all x and y betw'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_broken_files(name, tmp_path):
    persons, words = BROKEN[name]
    error, = check(tmp_path, persons).errors
    assert re.search(words, error), error


@pytest.mark.parametrize(('persons', 'warning'), [
    (at(61, 5, 1), '1 persons have all keypoints at one point'),
    ([person(), person(shift=60)], '1 persons have all keypoints outside of their images'),
    ([person(), person(score=1.5)], '1 scores are outside [0, 1]'),
    ([person(bbox=[1, 2, 3, 4]), person(bbox=[1, 2, 3, 4])],
     '2 detections have bbox, which changes how the server evaluates keypoints. `hrnet submission pack` leaves it out'),
    ([person(), person(segmentation={})], '1 detections have segmentation, which changes'),
    ([person(), person(caption='a')], '1 detections have caption, which changes'),
    ([person(shift=k) for k in range(21)], '1 times, an image has more than 20 detections of a class'),
    ([person(), person(shift=1)] * 2, '1 images have each of their detections twice')])
def test_warnings(tmp_path, persons, warning):
    report = check(tmp_path, persons)
    assert report.errors == []
    assert report.warnings[0].startswith(warning)
    assert report.warnings[-1] == '1 of the 2 images have no detections'


def test_harmless_keys_and_twenty_persons_are_accepted(tmp_path):
    """The server counts the area of keypoints again, and ignores other keys."""
    persons = [person(shift=k, area=5, num_keypoints=3, center=[1, 2]) for k in range(20)]
    report = check(tmp_path, [*persons, person(7)])
    assert (report.errors, report.warnings) == ([], [])


def test_annotations_with_keypoint_names(tmp_path):
    file = tmp_path / 'person_keypoints_val.json'
    content = dict(images=[dict(id=1, height=40, width=60)], categories=[
        dict(id=1, name='person'), dict(id=3, name='hand', keypoints=['a', 'b'])])
    file.write_text(json.dumps(content))
    images = SplitImages.read(file)
    assert check(tmp_path, [person(category_id=3, keypoints=[1, 2, 3, 4, 5, 6])], images).errors == []
    report = check(tmp_path, [person(category_id=3), person()], images)
    assert 'keypoints must be 2 times' in report.errors[0]
    assert 'category_id must be one of the 1 with keypoints' in report.errors[1]


def test_the_api_evaluates_keypoints_with_boxes_differently(tmp_path):
    """Compare the AP of large persons with and without boxes, which is why archives omit them."""
    pytest.importorskip('pycocotools')
    from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections
    from hrnet_plugin.evaluation.coco_keypoints import COCO_SIGMAS
    random.seed(0)
    keypoints = [number for _ in range(17) for number in (random.uniform(10, 200), random.uniform(10, 200), 2)]
    other = [k + 300 * (i % 3 == 0) for i, k in enumerate(keypoints)]  # matches no annotation
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps(dict(
        images=[dict(id=1, height=400, width=600)], categories=[dict(id=1, name='person', keypoints=list(COCO_SIGMAS))],
        annotations=[dict(id=1, image_id=1, category_id=1, keypoints=keypoints, area=30000., bbox=[9, 9, 190, 190])])))
    persons = [dict(image_id=1, category_id=1, keypoints=other, score=0.9),
               dict(image_id=1, category_id=1, keypoints=keypoints, score=0.8)]
    values = [evaluate_detections(truth, found, 'keypoints').metrics for found in (
        persons, [{**one, 'bbox': [0, 0, 5, 5]} for one in persons])]
    assert values[0]['AP'] == values[1]['AP']
    assert values[0]['APl'] != values[1]['APl']
