"""Tests of the check of a file of detections."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from paths import ROOT

from hrnet_plugin.evaluation.submission.check import check_file
from hrnet_plugin.evaluation.submission.images import SplitImages

pytest.importorskip('ijson')
mask = pytest.importorskip('pycocotools.mask')

IMAGES = SplitImages({1: (40, 60), 7: (50, 30)}, {1: 'person', 18: 'dog', 90: 'toothbrush'})
EXTRA = 'detections have {}, which changes how the server evaluates {}. `hrnet submission pack` leaves it out'
BOX = dict(image_id=1, category_id=18, bbox=[5.5, 3., 20.25, 30.], score=0.5)


def encoded(height, width, top=5):
    rle = mask.encode(np.asfortranarray(np.pad(np.ones((top, 4), np.uint8), ((2, height - top - 2), (3, width - 7)))))
    return {**rle, 'counts': rle['counts'].decode()}


MASK = dict(image_id=7, category_id=90, segmentation=encoded(50, 30), score=0.25)


def check(tmp_path, content):
    path = tmp_path / 'results.json'
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return check_file(path, IMAGES)


def test_good_files(tmp_path):
    report = check(tmp_path, [BOX, {**BOX, 'image_id': 7, 'bbox': [0, 0, 30, 50], 'score': 1}])
    assert (report.errors, report.wrong, report.kind, report.detections) == ([], 0, 'bbox', 2)
    assert report.warnings == ['2 of the 3 categories have no detections']
    report = check(tmp_path, [MASK, {**MASK, 'score': 0.5, 'bbox': [0, 0, 1, 1]}])  # as mmdet writes it
    assert (report.errors, report.kind) == ([], 'segm')
    assert report.warnings == [f'1 {EXTRA.format("bbox", "segmentation")}', '1 of the 2 images have no detections',
                               '2 of the 3 categories have no detections']


def changed(base=BOX, without='', **changes):
    made = {**copy.deepcopy(base), **changes}
    made.pop(without, None)
    return [base, made]


def mask_with(**changes):
    return changed(MASK, segmentation={**MASK['segmentation'], **changes})


BROKEN = {
    'a pickle': ('\x80\x04\x95', 'must be a JSON list, got a file that begins with'),
    'one object': (json.dumps(BOX), 'must be a JSON list'),
    'cut off': (json.dumps([BOX, BOX])[:-30], 'must be complete JSON, got an error after 1 detections'),
    'not a number of JSON': (json.dumps([BOX, {**BOX, 'score': float('nan')}]), 'must be complete JSON'),
    'empty': ([], 'must have detections, got an empty list'),
    'no object': ([BOX, [1, 18]], r'detection 1: must be an object, got \[1, 18\]'),
    'no score': (changed(without='score'), 'must have score for an evaluation of boxes, got'),
    'an image of another split': (changed(image_id=2), 'image_id must be one of the 2 in the split, got 2'),
    'a name for an image': (changed(image_id='000000000001'), "image_id must be one of .* '000000000001'. Write 1, as"),
    'a label for a category': (changed(category_id=2), 'category_id must be one of the 3 .* counted from 0'),
    'a fraction for a category': (changed(category_id=18.5), 'category_id must be one of the 3 in the split, got 18.5'),
    'three numbers': (changed(bbox=[1, 2, 3]), r'bbox must be \[x, y, width, height\], got \[1, 2, 3\]'),
    'a negative width': (changed(bbox=[9, 2, -3, 3]), 'a width and height of at least 0, got -3 and 3'),
    'corners': ([BOX, *changed(bbox=[30, 10, 55, 39])[1:] * 3], 'got 3 boxes that extend .* as .x1, y1, x2, y2'),
    'a huge integer': (changed(bbox=[1, 2, 10**400, 3]), 'must be complete JSON|four finite numbers'),
    'of another size of the image': (changed(bbox=[100, 80, 20, 20]), r'must overlap its image of 60 x 40, got \[100'),
    'a score in words': (changed(score='high'), "score must be a finite number, got 'high'"),
    'a mask of another image': (mask_with(size=[40, 60]), r'the size of its image, \[50, 30\], got \[40, 60\]'),
    'a polygon': (changed(MASK, segmentation=[[1, 1, 5, 5, 1, 5]]), "must be an RLE .* got a list"),
    'runs that are not compressed': (mask_with(counts=[0, 1500]), 'must be compressed text, got a list'),
    'runs of another image': (mask_with(counts=encoded(40, 60)['counts']), 'add up to the 1500 pixels .* got 2400'),
    'other characters': (mask_with(counts='~~'), 'must be made of the characters from 0 to o'),
    'half a number': (mask_with(counts=MASK['segmentation']['counts'] + 'P'), 'must end with a complete number'),
    'masks among boxes': ([BOX, MASK], 'must have bbox for an evaluation of boxes, got'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_broken_files(name, tmp_path):
    content, words = BROKEN[name]
    report = check(tmp_path, content)
    assert len(report.errors) == 1
    assert re.search(words, report.errors[0]), report.errors[0]
    assert f'error: {report.errors[0]}' in report.text


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr('hrnet_plugin.evaluation.submission.check.SIZE_LIMIT', 50)
    assert check(tmp_path, [BOX]).errors[0].startswith('the file must have at most 50 bytes, got ')


def test_many_invalid_detections_are_counted(tmp_path):
    report = check(tmp_path, [BOX, *changed(score=None)[1:] * 100])
    assert (len(report.errors), report.wrong, report.detections) == (20, 100, 101)
    assert 'error: and 80 more detections' in report.text


def test_more_than_the_server_evaluates(tmp_path):
    report = check(tmp_path, [BOX] * 101)
    assert report.errors == []
    assert report.warnings[0] == ('1 times, an image has more than 100 detections of a class. Only the 100 with the '
                                  'highest scores are evaluated')
    report = check(tmp_path, [BOX, {**BOX, 'category_id': 1}] * 100)  # two classes
    assert not any('more than' in warning for warning in report.warnings)


EMPTY = mask.encode(np.asfortranarray(np.zeros((50, 30), np.uint8)))['counts'].decode()


@pytest.mark.parametrize(('detections', 'warning'), [
    (changed(bbox=[-4, 30, 20, 20]), '1 boxes extend beyond their images'),  # from detectors that do not clamp
    (changed(bbox=[60.4 - 0.5, 0, 1.5, 5]), '1 boxes extend beyond their images'),
    (changed(bbox=[3, 4, 0, 5]), '1 boxes have zero width or height'),
    (changed(score=1.0000001), '1 scores are outside [0, 1]'),
    (mask_with(counts=EMPTY), '1 masks have no pixels'),  # as Mask R-CNN writes
])
def test_warnings(tmp_path, detections, warning):
    report = check(tmp_path, detections)
    assert report.errors == []
    assert report.warnings[0] == warning


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_repeated_detections(tmp_path, kind):
    one = BOX if kind == 'bbox' else MASK
    others = [{**one, 'score': 0.75}, {**one, 'category_id': 1},
              {**one, 'bbox': [-1, 3, 20, 30]} if kind == 'bbox' else {**one, 'segmentation': encoded(50, 30, 6)},
              {**one, 'image_id': 7, 'bbox': [5, 3, 20, 30]} if kind == 'bbox' else
              {**one, 'image_id': 1, 'segmentation': encoded(40, 60)}]
    words = 'images have each of their detections twice'
    assert f'2 {words}' in check(tmp_path, [one, *others] * 2).warnings
    assert f'1 {words}' in check(tmp_path, [one, *others, *others[:3], one]).warnings  # all images but one
    once = [[one], *([one, other] for other in others), [one, one, others[0]], [one, one, one]]
    if kind == 'bbox':
        once.append([others[2], {**one, 'bbox': [-2, 3, 20, 30]}])  # hash(-1) == hash(-2)
    for detections in once:
        assert not any(words in warning for warning in check(tmp_path, detections).warnings)


def test_images_of_a_split(tmp_path):
    path = tmp_path / 'info.json'
    path.write_text(json.dumps(dict(images=[dict(id=5, height=3, width=4)], categories=[dict(id=1, name='person')])))
    assert SplitImages.read(path) == SplitImages({5: (3, 4)}, {1: 'person'})
    for content in ('{}', '[]', 'x', '{"images": [{"id": 1}], "categories": []}', '[' * 200000, '\xff',
                    '{"images": [{"id": 1, "height": 0, "width": 4}], "categories": []}',
                    '{"images": [{"id": 1, "height": "3", "width": 4}], "categories": []}'):
        path.write_text(content, encoding='latin-1')
        with pytest.raises(ValueError, match=r'(info\.json must be |images \(.*info\.json\), )'):
            SplitImages.read(path)


_LARGE = '''
import resource, sys
from hrnet_plugin.evaluation.submission.check import check_file
from hrnet_plugin.evaluation.submission.images import SplitImages
images = SplitImages({{k: (480, 640) for k in range({images})}}, {{k: str(k) for k in range(1, 91)}})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = check_file({path!r}, images)
print(report.detections, len(report.errors), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
'''


@pytest.mark.slow
def test_memory_for_all_of_test_dev(tmp_path):
    """Check 20,000 images with 100 boxes each, which take gigabytes as Python objects."""
    images, path = 20000, tmp_path / 'large.json'
    line = '{"image_id": %d, "category_id": %d, "bbox": [%.1f, %.1f, 30.5, 40.25], "score": %.4f}'
    with path.open('w') as file:
        for image in range(images):
            rows = (line % (image, 1 + k % 90, k, 2 * k, k / 100) for k in range(100))
            file.write(('[' if image == 0 else ',') + ','.join(rows))
        file.write(']')
    assert path.stat().st_size > 150e6
    done = subprocess.run([sys.executable, '-c', _LARGE.format(images=images, path=str(path))], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    detections, errors, kilobytes = map(int, done.stdout.split())
    assert (detections, errors) == (2000000, 0)
    assert kilobytes < 64 * 1024
