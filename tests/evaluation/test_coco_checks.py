"""Tests of the checks of annotations and detections, which the COCO API does not validate."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('pycocotools')
from pycocotools import mask
from pycocotools.coco import COCO

from hrnet_plugin.evaluation.coco_checks import check_image_sizes, result_checker
from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections, read_annotations

HEIGHT, WIDTH = 48, 64
SQUARE = [[10, 10, 30, 10, 30, 30, 10, 30]]
PIXELS = np.zeros((HEIGHT, WIDTH), np.uint8, order='F')
PIXELS[10:30, 10:30] = 1
RLE = mask.encode(PIXELS)
MASK = dict(image_id=1, category_id=1, score=.9, segmentation=dict(size=[HEIGHT, WIDTH], counts=RLE['counts'].decode()))
BOX = dict(image_id=1, category_id=1, score=.9, bbox=[10, 10, 20, 20])
ANNOTATION = dict(id=77, image_id=1, category_id=1, bbox=[10, 10, 20, 20], area=400, iscrowd=0, segmentation=SQUARE)
IMAGE = dict(id=1, file_name='1.jpg', height=HEIGHT, width=WIDTH)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes two annotations and changes the second one and its image."""
    def write_file(changes=(), without='', image=IMAGE):
        changed = {**ANNOTATION, 'id': 5, 'image_id': 2, **dict(changes)}
        changed.pop(without, None)
        path = tmp_path / 'truth.json'
        path.write_text(json.dumps(dict(images=[IMAGE, {**image, 'id': 2}], categories=[dict(id=1, name='thing')],
                                        annotations=[ANNOTATION, changed])))
        return path
    return write_file


WRONG_MASKS = [
    ([1, 2], "segmentation must be an RLE with 'size' and 'counts', got a list"),
    (dict(MASK['segmentation'], size=[0, 0]), r'must have the size of its image, \[48, 64\], got \[0, 0\]'),
    (dict(MASK['segmentation'], counts=[0, 9**9]), 'counts must be compressed text, got a list'),
    (dict(MASK['segmentation'], counts=f'{MASK["segmentation"]["counts"]}0P'), 'must end with a complete number'),
    (dict(MASK['segmentation'], counts='0P' * 10**6), 'must have at most 18444 characters for its image'),
    (dict(MASK['segmentation'], counts='\ud800'), 'must be made of the characters from 0 to o'),
]


@pytest.mark.parametrize('key', ['image_id', 'category_id'])
@pytest.mark.parametrize(('number', 'words'), [
    (True, 'got True'), (1.0, 'got 1.0. Write 1, as in the annotations.'), ('1', "got '1'. Write 1, as in the"),
    ([1], r'got [1]'), (None, 'got None'), (3, 'got 3')])
def test_ids_of_another_type(key, number, words, write):
    wrong = result_checker(read_annotations(write()), 'bbox').error({**BOX, key: number})
    assert f'{key} must be in the annotations, {words}' in wrong


@pytest.mark.parametrize(('segmentation', 'words'), WRONG_MASKS)
def test_wrong_masks_are_refused(segmentation, words, write, tmp_path):
    truth = read_annotations(write())
    assert 'segmentation' in result_checker(truth, 'segm').error({**MASK, 'segmentation': segmentation})
    results = tmp_path / 'masks.json'
    results.write_text(json.dumps([MASK, {**MASK, 'segmentation': segmentation}]))
    with pytest.raises(ValueError, match=rf'^results \(.*masks\.json\), detection 1: .*{words}'):
        evaluate_detections(truth, results, 'segm')


@pytest.mark.parametrize('score', [None, float('nan'), True, '1', [1]])
def test_scores_of_masks(write, score):
    with pytest.raises(ValueError, match=r'^results, detection 0: score must be a finite number, got '):
        evaluate_detections(write(), [{**MASK, 'score': score}], 'segm')


def test_boxes_must_be_lists(write):
    with pytest.raises(ValueError, match=r'detection 0: bbox must be \[x, y, width, height\], got \(10, 10, 20, 20\)'):
        evaluate_detections(write(), [{**BOX, 'bbox': (10, 10, 20, 20)}])


def test_counts_may_be_bytes(write):
    """Evaluate a mask as pycocotools encodes it."""
    truth = write()
    wanted = evaluate_detections(truth, [MASK], 'segm').metrics
    assert evaluate_detections(truth, [{**MASK, 'segmentation': RLE}], 'segm').metrics == wanted
    assert wanted['mask AP'] > 0.4


@pytest.mark.parametrize('segmentation', [
    SQUARE, RLE['counts'].decode(), [490, *[20, 28] * 19, 20, HEIGHT * WIDTH - 490 - 20 * 20 - 28 * 19]])
def test_segmentation_formats(write, segmentation):
    """Evaluate a polygon, compressed RLE and list of runs, twice since the API replaces them with bytes."""
    if segmentation is not SQUARE:
        segmentation = dict(size=[HEIGHT, WIDTH], counts=segmentation)
    truth = read_annotations(write(dict(segmentation=segmentation)))
    for _ in range(2):
        found = evaluate_detections(truth, [MASK, {**MASK, 'image_id': 2}], 'segm')
        assert found.metrics['mask AP'] == pytest.approx(1)


WRONG_SEGMENTATIONS = [
    (None, 'must be polygons or an RLE, got None'), ([], 'must have at least one polygon'),
    ([[0, 0, 1e9, 0, 1e9, 1e9]], 'finite coordinates near its image'), ([[1, 2, 3, 4]], 'at least 3 points'),
    (dict(size=[HEIGHT, WIDTH], counts=[0, 10]), 'add up to the 3072 pixels of the image, got 10'),
    (dict(size=[0, 0], counts='0'), r'size of its image, \[48, 64\], got \[0, 0\]'),
]


@pytest.mark.parametrize(('segmentation', 'words'), WRONG_SEGMENTATIONS)
def test_wrong_segmentations_are_refused(write, segmentation, words):
    truth = write(dict(segmentation=segmentation))
    with pytest.raises(ValueError, match=rf'^annotations \(.*truth\.json\), annotation 5: segmentation.*{words}'):
        evaluate_detections(truth, [MASK], 'segm')
    assert evaluate_detections(truth, [BOX, {**BOX, 'image_id': 2}]).metrics['AP'] == pytest.approx(1)
    with pytest.raises(ValueError, match=r'^annotations, annotation 5: segmentation'):  # read by mmdet
        evaluate_detections(COCO(str(truth)), [MASK], 'segm')


def test_boxes_are_evaluated_without_segmentations(write):
    truth = write(without='segmentation')
    assert evaluate_detections(truth, [BOX, {**BOX, 'image_id': 2}]).metrics['AP'] == pytest.approx(1)
    with pytest.raises(ValueError, match=r"annotation 5: must have segmentation, got \['area', 'bbox', 'category_id'"):
        evaluate_detections(truth, [MASK], 'segm')


def test_only_evaluated_annotations_are_checked(write):
    truth = write(dict(segmentation=[], bbox=None))
    for kind, result in (('segm', MASK), ('bbox', BOX)):
        found = evaluate_detections(truth, [result], kind, images=[1])
        assert found.images == 1
    truth = write(dict(segmentation=[], bbox=None, category_id=9))  # an unknown category
    for kind, result in (('segm', MASK), ('bbox', BOX)):
        assert evaluate_detections(truth, [result], kind).images == 2


@pytest.mark.parametrize(('box', 'words'), [
    ([1, 2, 3], r'\[x, y, width, height\], got \[1, 2, 3\]'), (None, 'x, y, width, height.*, got None'),
    ('abcd', "got 'abcd'"), ([1, 2, float('nan'), 4], r'four finite numbers, got \[1, 2, nan, 4\]'),
    ([1, 2, float('inf'), 4], 'four finite numbers'), (['1', '2', '3', '4'], "four finite numbers, got .'1', '2'"),
    ([1, 2, [3], 4], 'four finite numbers'), ([1, 2, 10**400, 4], 'four finite numbers'),
    ([0, 0, 1e200, 1e200], 'a box of finite area')])
def test_wrong_boxes_are_refused(write, box, words):
    truth = write(dict(bbox=box))
    with pytest.raises(ValueError, match=rf'^annotations \(.*truth\.json\), annotation 5: bbox must be .*{words}'):
        evaluate_detections(truth, [BOX])
    assert evaluate_detections(truth, [MASK, {**MASK, 'image_id': 2}], 'segm').metrics['mask AP'] == pytest.approx(1)


@pytest.mark.parametrize('category', [dict(id=1), dict(id=1, name=5), dict(id=1, name=['a'])])
def test_names_of_classes_are_text(write, category):
    truth = write()
    truth.write_text(json.dumps({**json.loads(truth.read_text()), 'categories': [category]}))
    with pytest.raises(ValueError, match='category 1: name must be text, got'):
        evaluate_detections(truth, [BOX])


def test_annotations_without_an_id_are_counted_from_1(write):
    truth = write(dict(bbox=[]), without='id')
    with pytest.raises(ValueError, match='annotation 2: bbox must be'):
        evaluate_detections(truth, [BOX])
    with pytest.raises(ValueError, match='annotation 5: must have bbox, got'):
        evaluate_detections(write(without='bbox'), [BOX])


@pytest.mark.parametrize('size', [
    {}, dict(height=0, width=0), dict(height='a', width='b'), dict(height=-1, width=5), dict(height=4.5, width=5),
    dict(height=2**31, width=2**31)])
def test_masks_need_the_sizes_of_images(write, size):
    truth = write(image=size)
    with pytest.raises(ValueError, match=r'^annotations \(.*truth\.json\), image 2: height and width must be positive'):
        evaluate_detections(truth, [MASK], 'segm')
    with pytest.raises(ValueError, match=r'^annotations, image 2: height and width'):
        check_image_sizes(COCO(str(truth)))
    assert evaluate_detections(truth, [BOX, {**BOX, 'image_id': 2}]).metrics['AP'] == pytest.approx(1)


def test_sizes_may_be_floats(write):
    truth = write(image=dict(height=float(HEIGHT), width=float(WIDTH)))
    found = evaluate_detections(truth, [MASK, {**MASK, 'image_id': 2}], 'segm')
    assert found.metrics['mask AP'] == pytest.approx(1)


def test_nested_annotations(write):
    """Evaluate nested entries that have no effect, up to the depth that Python reads."""
    plain = write()
    wanted = evaluate_detections(plain, [BOX])
    content = json.loads(plain.read_text())
    for depth in (500, 200000):
        text = json.dumps({**content, 'info': 0}).replace('"info": 0', f'"info": {"[" * depth}{"]" * depth}')
        truth = write()
        truth.write_text(text)
        if depth == 500:
            assert evaluate_detections(truth, [BOX]) == wanted
            continue
        with pytest.raises(ValueError, match=r'truth\.json must be JSON, got more than 512 nested') as caught:
            evaluate_detections(truth, [BOX])
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize('depth', [400, 980, 200000])
def test_nested_results(write, tmp_path, depth):
    results = tmp_path / 'boxes.json'
    text = json.dumps([{**BOX, 'bbox': 0}]).replace('"bbox": 0', f'"bbox": {"[" * depth}{"]" * depth}')
    results.write_text(text)
    with pytest.raises(ValueError, match=r'^results \(.*boxes\.json\)') as caught:
        evaluate_detections(write(), results)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize('changes', [
    dict(area=None), dict(area='400'), dict(area=float('nan')), dict(iscrowd=[1]), dict(iscrowd=2**40),
    dict(iscrowd=-1), dict(iscrowd='0')], ids=str)
def test_invalid_areas_and_crowds(write, changes):
    with pytest.raises(ValueError, match='annotation 5: area must be a finite number and iscrowd 0 or 1, got '):
        evaluate_detections(write(changes), [BOX])


def test_other_keys_of_a_detection_are_ignored(write):
    """Evaluate boxes with keys from which the API would infer another type of results."""
    boxes = [{**BOX, 'image_id': image, 'caption': 'a', 'keypoints': []} for image in (1, 2)]
    assert evaluate_detections(write(), boxes).metrics['AP'] == pytest.approx(1)


@pytest.mark.parametrize('missing', ['area', 'iscrowd'])
def test_missing_areas_and_crowds(write, missing):
    """Compute the area from the segmentation, or from the box if the segmentation is missing or invalid."""
    wanted = evaluate_detections(write(dict(area=400)), [BOX]).metrics
    assert wanted['APs'] > 0.4
    for changes in ({}, dict(segmentation=[]), dict(segmentation=None)):
        for truth in (write(changes, without=missing), COCO(str(write(changes, without=missing)))):
            assert evaluate_detections(truth, [BOX]).metrics == wanted
    assert evaluate_detections(write(without=missing), [MASK], 'segm').metrics['mask APs'] > 0.4
    with pytest.raises(ValueError, match=r'annotation 5: bbox must be \[x, y, width, height\], got None'):
        evaluate_detections(write(dict(bbox=None, segmentation=None), without=missing), [BOX])


def test_areas_are_those_of_segmentations(write):
    """A triangle has half the area of its box, 50 x 50, and is small. The box is not."""
    triangle = dict(segmentation=[[0, 0, 45, 0, 0, 45]], bbox=[0, 0, 45, 45])
    small = evaluate_detections(write(triangle, without='area'), [BOX]).metrics
    assert (small['APm'], small['APs'] is None) == (None, False)
    box_alone = write({**triangle, 'segmentation': None}, without='area')
    assert evaluate_detections(box_alone, [BOX]).metrics['APm'] is not None
