"""Tests of the scan of annotation files, on small files with one problem each."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.data_checks.annotations import scan_annotations

NAN, INF = float('nan'), float('inf')
SQUARE = [[10, 10, 30, 10, 30, 40, 10, 40]]
POINTS = [11, 12, 2, 20, 21, 1, 0, 0, 0]


def dataset():
    """Return a valid dataset: four images of 64 x 48 pixels, two categories, twelve annotations."""
    images = [dict(id=number, file_name=f'{number}.png', height=48, width=64) for number in range(1, 5)]
    notes = [dict(id=number, image_id=1 + number % 4, category_id=1 + number % 2, bbox=[10, 10, 20, 30], area=600,
                  iscrowd=0, segmentation=SQUARE, keypoints=POINTS, num_keypoints=2) for number in range(1, 13)]
    categories = [dict(id=1, name='cat', keypoints=['a', 'b', 'c']), dict(id=2, name='dog', keypoints=['a', 'b', 'c'])]
    return dict(images=images, annotations=notes, categories=categories)


@pytest.fixture
def scan(tmp_path):
    """Return a function that scans a valid dataset after a change of it."""
    def scan_changed(change=lambda data: None, **use):
        data = dataset()
        change(data)
        file = tmp_path / 'data.json'
        file.write_text(json.dumps(data), encoding='utf-8')
        return scan_annotations(file, **use)
    return scan_changed


def third(**values):
    """Return a change of the third annotation, which has ID 3 and belongs to image 4."""
    return lambda data: data['annotations'][2].update(values)


def drop(key, section='annotations'):
    """Return a change that removes a key from the third entry, or the second of a shorter section."""
    return lambda data: data[section][min(2, len(data[section]) - 1)].pop(key)


def image(**values):
    return lambda data: data['images'][1].update(values)


def category(**values):
    return lambda data: data['categories'][1].update(values)


def every(change, section='annotations'):
    """Return a change of all entries of a section."""
    def change_all(data):
        for entry in data[section]:
            change(entry)
    return change_all


def only(report):
    """Return the only finding of a report."""
    assert len(report.findings) == 1, [finding.message for finding in report.findings]
    return report.findings[0]


@pytest.mark.parametrize('use', [{}, dict(masks=True), dict(keypoints=True), dict(masks=True, evaluated=False)])
def test_valid(scan, use):
    report = scan(**use)
    assert report.findings == ()
    assert (report.images, report.annotations, report.names, report.category_ids) == (4, 12, ('cat', 'dog'), (1, 2))
    assert (report.keypoints, report.crowds, report.images_without) == (3, 0, 0)
    assert report.boxes == {'cat': (6, 0, 0), 'dog': (6, 0, 0)}


def test_counts(scan):
    def change(data):
        data['images'].append(dict(id=9, file_name='9.png', height=400, width=400))
        areas = [32**2 - 1, 32**2, 96**2 - 1, 96**2, 600]
        data['annotations'] = [dict(id=number, image_id=1, category_id=2, bbox=[0, 0, 40, 40], area=area, iscrowd=0)
                               for number, area in enumerate(areas, 1)]
        data['annotations'][-1]['iscrowd'] = 1
    report = scan(change)
    assert report.boxes == {'cat': (0, 0, 0), 'dog': (1, 2, 1)}
    assert (report.crowds, report.images_without, report.keypoints) == (1, 4, None)


@pytest.mark.parametrize(('text', 'words'), [
    ('', 'must be JSON'), ('{"images": [', 'must be JSON'), ('\ufeff{}', 'BOM'), ('[' * 100000, 'must be JSON'),
    ('[]', 'got a list. Detections'), ('3', 'got a int'),
    ('{"images": [], "annotations": []}', 'got none of categories'), ('{}', 'none of images, annotations, categories'),
    ('{"images": [], "annotations": null, "categories": []}', "'annotations' must be a list of objects, got None"),
    ('{"images": [5], "annotations": [], "categories": []}', "'images' must be a list of objects, got 5"),
])
def test_format(tmp_path, text, words):
    file = tmp_path / 'data.json'
    file.write_text(text, encoding='utf-8')
    finding = only(scan_annotations(file))
    assert finding.is_error
    assert words in finding.message
    assert str(file) in finding.message


def test_format_of_missing_file(tmp_path):
    assert 'cannot be read' in only(scan_annotations(tmp_path / 'no.json')).message


def test_format_of_binary_file(tmp_path):
    file = tmp_path / 'data.json'
    file.write_bytes(b'\xff\xfe\x00')
    assert 'must be JSON' in only(scan_annotations(file)).message


# change, is_error, words: problems that mmdet and the COCO API have
BOX_CASES = [
    (drop('area'), True, "1 of 12 annotations without area (ID 3; image 4). mmdet raises KeyError: 'area'"),
    (third(area='600'), True, 'whose area is not a number'),
    (third(area=None), True, 'whose area is not a number'),
    (third(area=NAN), True, 'whose area is NaN or infinite'),
    (third(area=0), False, 'with zero or negative area'),
    (third(area=9000), False, 'with an area larger than the box'),
    (drop('iscrowd'), True, "without iscrowd (ID 3; image 4). The COCO API raises KeyError: 'iscrowd'"),
    (third(iscrowd='0'), True, 'whose iscrowd is not 0 or 1'),
    (third(iscrowd=None), True, 'whose iscrowd is not 0 or 1'),
    (third(iscrowd=2), True, 'whose iscrowd is not 0 or 1'),
    (third(ignore=1), False, 'with ignore'),
    (drop('bbox'), True, "without bbox (ID 3; image 4). mmdet raises KeyError: 'bbox'"),
    (third(bbox=[1, 2, 3]), True, 'whose bbox is not four numbers (ID 3; image 4; e.g. [1, 2, 3])'),
    (third(bbox=['1', '2', '3', '4']), True, "not four numbers (ID 3; image 4; e.g. ['1', '2', '3', '4'])"),
    (third(bbox=None), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, None, 3, 4]), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, True, 3, 4]), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, NAN, 3, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[1, 2, INF, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[1, 2, 10**400, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[10, 10, 0, 30], area=1), False, 'with zero or negative width or height'),
    (third(bbox=[30, 10, -20, 30], area=1), False, 'with zero or negative width or height'),
    (third(bbox=[10, 10, .5, 30], area=1), False, 'with a box of less than 1 pixel'),
    (third(bbox=[64, 10, 20, 30]), False, 'with a box outside of the image'),
    (third(bbox=[50, 10, 20, 30]), False, 'with a box that extends over the edge of the image'),
    (third(bbox=[-5, 10, 20, 30]), False, 'with a box that extends over the edge of the image'),
    (drop('id'), True, "without id (position 2; image 4). The COCO API raises KeyError: 'id'"),
    (third(id=1), True, 'with an ID of another one (ID 1; image 4). mmdet raises AssertionError'),
    (third(id=0), False, 'with the ID 0'),
    (third(id='x'), True, 'whose id is text'),
    (third(id=[3]), True, 'whose id is a list or object'),
    (drop('image_id'), True, 'without image_id'),
    (third(image_id=99), False, 'whose image_id is not one of the images (ID 3; image 99)'),
    (third(image_id='2'), True, 'with image_id of another type'),
    (third(image_id={}), True, 'whose image_id is a list or object'),
    (drop('category_id'), True, 'without category_id'),
    (third(category_id=9), False, 'whose category_id is not one of the categories'),
    (third(category_id=1.5), False, 'whose category_id is not one of the categories'),
    (third(category_id=None), False, 'whose category_id is not one of the categories'),
    (third(category_id='1'), True, 'with category_id of another type'),
    (drop('name', 'categories'), True, 'categories without a name'),
    (category(name='cat'), True, "with the name of another one (ID 2; name 'cat')"),
    (drop('file_name', 'images'), True, 'without a file_name'),
    (image(file_name=2), True, 'without a file_name that is text'),
    (image(file_name='1.png'), False, "with the file_name of another one (ID 2; file '1.png')"),
    (image(file_name='/data/2.png'), False, 'with an absolute file_name'),
    (image(file_name='C:/data/2.png'), False, 'with an absolute file_name'),
    (image(file_name='a\\2.png'), False, 'with a backslash in file_name'),
    (image(height=None), True, 'images without valid height and width'),
    (image(width='64'), True, 'images without valid height and width'),
    (image(width=63.5), True, 'images without valid height and width'),
    (image(width=0), True, 'images without valid height and width'),
    (drop('width', 'images'), True, 'images without valid height and width'),
    (lambda data: data['categories'].append(dict(id=7, name='bird')), False,
     "1 of 3 categories without annotations (ID 7; name 'bird')"),
]


@pytest.mark.parametrize(('change', 'is_error', 'words'), BOX_CASES)
def test_boxes(scan, change, is_error, words):
    report = scan(change)
    found = [finding for finding in report.findings if words in finding.message]
    assert len(found) == 1, [finding.message for finding in report.findings]
    assert found[0].is_error == is_error
    assert '\n' not in found[0].message
    if not is_error:
        assert not any(finding.is_error for finding in report.findings)


@pytest.mark.parametrize('change', [third(category_id=1.0), third(category_id=True), third(id=3.0), image(width=64.0),
                                    third(iscrowd=False), third(id='3'), third(bbox=[0, 0, 64, 48]),
                                    third(bbox=[-.5, 10, 20, 38.5]), third(image_id=2.0),
                                    every(lambda entry: entry.update(iscrowd=0.)), drop('segmentation')])
def test_harmless(scan, change):
    """What mmdet and the COCO API accept has no finding."""
    assert scan(change).findings == ()


@pytest.mark.parametrize(('change', 'words'), [
    (lambda data: data.update(images=[]), 'the file has no images'),
    (lambda data: data.update(annotations=[]), 'the file has no annotations'),
    (lambda data: data.update(categories=[]), 'the file has no categories'),
    (every(lambda note: note.update(iscrowd=1)), 'no annotation is usable'),
    (every(lambda note: note.update(image_id=77)), 'no annotation is usable'),
    (every(lambda note: note.update(bbox=[.2, .3, .5, .4])), 'all boxes are in [0, 1], e.g. [0.2, 0.3, 0.5, 0.4]'),
])
def test_whole_file(scan, change, words):
    errors = [finding.message for finding in scan(change).findings if finding.is_error]
    assert any(words in message for message in errors), errors


def test_duplicated_images_and_categories(scan):
    assert any('images with an ID of another one (ID 1;' in finding.message and finding.is_error
               for finding in scan(image(id=1)).findings)
    assert any('categories with an ID of another one (ID 1;' in finding.message and finding.is_error
               for finding in scan(category(id=1)).findings)


def test_text_ids(scan):
    """The COCO API accepts IDs that are text, but it cannot sort text and numbers. mmpose computes with image IDs."""
    def texts(data):
        for entry in data['images']:
            entry['id'] = str(entry['id'])
        for note in data['annotations']:
            note['image_id'] = str(note['image_id'])

    def mixed(data):
        data['images'].append(dict(id='new', file_name='new.png', height=48, width=64))
    assert scan(texts).findings == ()
    assert 'mmpose raises TypeError' in only(scan(texts, keypoints=True)).message
    assert 'when it sorts them' in only(scan(mixed)).message
    assert scan(mixed, evaluated=False).findings == ()


def corners(note, area):
    note.update(bbox=[40, 20, 60, 44], area=area)


def test_corners(scan):
    finding = only(scan(every(lambda note: corners(note, 480))))
    assert finding.is_error
    assert 'boxes look like [x1, y1, x2, y2], e.g. [40, 20, 60, 44]' in finding.message
    assert not scan(every(lambda note: corners(note, 2640))).findings[0].is_error  # width * height: padded boxes, maybe


def test_large_boxes_are_no_corners(scan):
    assert scan(every(lambda note: note.update(bbox=[2, 2, 62, 46], area=2852))).findings == ()


def test_one_finding_per_kind(scan):
    finding = only(scan(every(lambda note: note.pop('iscrowd'))))
    assert '12 of 12 annotations without iscrowd (ID 1, 2, 3, ...; image 2, 3, 4, ...)' in finding.message


def test_training_needs_no_evaluation_keys(scan):
    assert scan(drop('iscrowd'), evaluated=False).findings == ()
    assert scan(third(area=9000), evaluated=False).findings == ()
    assert scan(third(id=0), evaluated=False).findings == ()
    assert scan(drop('area'), evaluated=False).findings[0].is_error  # mmdet reads it


MASK_CASES = [
    (drop('segmentation'), True, "without segmentation (ID 3; image 4). mmdet raises KeyError: 'mask'"),
    (third(segmentation=[]), True, 'without segmentation'),
    (third(segmentation=None), True, 'without segmentation'),
    (third(segmentation=[[1, 2, 3, 4]]), True, 'with a polygon of less than 3 points'),
    (third(segmentation=[[]]), True, 'with a polygon of less than 3 points'),
    (third(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), True, 'with a polygon of less than 3 points or half a point'),
    (third(segmentation=[1, 2, 3, 4, 5, 6]), True, 'with an invalid segmentation'),
    (third(segmentation=[[1, 2, NAN, 4, 5, 6]]), True, 'with an invalid segmentation'),
    (third(segmentation=[['1', '2', '3', '4', '5', '6']]), True, 'with an invalid segmentation'),
    (third(segmentation=[[1.5, 10**400, 3, 4, 5, 6]]), True, 'with an invalid segmentation'),
    (third(segmentation=dict(size=[32, 32], counts=[0, 1024])), True, 'with an RLE of another size'),
    (third(segmentation=dict(size=[48, 64], counts=[1, 2])), True, 'e.g. segmentation.counts must be runs that add up'),
    (third(segmentation=dict(size=[48, 64], counts='~~')), True, 'with an invalid segmentation'),
    (third(segmentation=dict(size=[48, 64], counts=[1, 2, 0, 3, 48 * 64 - 6])), False, 'with a run of 0 pixels'),
    (third(segmentation=dict(counts=[1, 2])), True, 'with an invalid segmentation'),
]


@pytest.mark.parametrize(('change', 'is_error', 'words'), MASK_CASES)
def test_masks(scan, change, is_error, words):
    finding = only(scan(change, masks=True))
    assert finding.is_error == is_error
    assert words in finding.message
    assert scan(change).findings == ()  # not used


def test_short_polygons_in_training(scan):
    """mmdet leaves them out."""
    assert not only(scan(third(segmentation=[[1, 2, 3, 4]]), masks=True, evaluated=False)).is_error


def test_valid_masks(scan):
    crowd = dict(iscrowd=1, segmentation=dict(size=[48, 64], counts=[10, 20, 48 * 64 - 30]))
    assert scan(third(**crowd), masks=True).findings == ()
    assert scan(third(segmentation=[*SQUARE, *SQUARE]), masks=True).findings == ()


KEYPOINT_CASES = [
    (drop('area'), True, "without area (ID 3; image 4). xtcocotools raises KeyError: 'area'"),
    (drop('iscrowd'), False, 'without iscrowd (ID 3; image 4). xtcocotools takes it as 0'),
    (drop('keypoints'), True, 'without keypoints'),
    (third(keypoints=None), True, 'whose keypoints have a wrong length (ID 3; image 4; e.g. no list)'),
    (third(keypoints=POINTS[:6]), True, 'e.g. 6 numbers instead of 9'),
    (third(keypoints=[]), True, 'e.g. 0 numbers instead of 9'),
    (third(keypoints=[*POINTS, 1]), True, 'e.g. 10 numbers instead of 9'),
    (third(keypoints=[str(value) for value in POINTS]), True, 'whose keypoints contain text or null'),
    (third(keypoints=[None, *POINTS[1:]]), True, 'whose keypoints contain text or null'),
    (third(keypoints=[NAN, *POINTS[1:]]), True, 'whose keypoints are NaN or infinite'),
    (third(keypoints=[1, 2, -1, *POINTS[3:]], num_keypoints=1), True, 'with a negative visibility'),
    (third(keypoints=[1, 2, 3, *POINTS[3:]]), False, 'with a visibility other than 0, 1 and 2'),
    (third(keypoints=[1, 2, .5, *POINTS[3:]]), False, 'with a visibility other than 0, 1 and 2'),
    (third(keypoints=[99, 2, 2, *POINTS[3:]]), False, 'with labeled keypoints outside of the image'),
    (third(num_keypoints=0), False, 'whose num_keypoints is not the number of labeled keypoints'),
    (drop('num_keypoints'), False, 'without num_keypoints'),
    (third(keypoints=[0] * 9, num_keypoints=0), False, 'without labeled keypoints'),
    (category(keypoints=[]), False, "categories without names in 'keypoints'"),
]


@pytest.mark.parametrize(('change', 'is_error', 'words'), KEYPOINT_CASES)
def test_keypoints(scan, change, is_error, words):
    finding = only(scan(change, keypoints=True))
    assert finding.is_error == is_error
    assert words in finding.message


def test_keypoints_without_names(scan):
    """The most frequent number is expected if no category has names."""
    def change(data):
        for entry in data['categories']:
            del entry['keypoints']
        data['annotations'][2]['keypoints'] = POINTS[:6]
    assert any('e.g. 6 numbers instead of 9' in finding.message for finding in scan(change, keypoints=True).findings)


def test_no_labeled_keypoints(scan):
    report = scan(every(lambda note: note.update(keypoints=[0] * 9, num_keypoints=0)), keypoints=True)
    assert any('no annotation has labeled keypoints' in finding.message and finding.is_error
               for finding in report.findings)


def test_unlabeled_keypoints_may_be_anywhere(scan):
    assert scan(third(keypoints=[99, 99, 0, *POINTS[3:]], num_keypoints=1), keypoints=True).findings == ()


def test_pose_training(scan):
    """mmpose trains without area and iscrowd, and datasets of faces have center and scale instead of bbox."""
    assert scan(drop('area'), keypoints=True, evaluated=False).findings == ()
    assert scan(drop('iscrowd'), keypoints=True, evaluated=False).findings == ()

    def face(data):
        data['annotations'][2].pop('bbox')
        data['annotations'][2].update(center=[20, 25], scale=.2)
    assert scan(face, keypoints=True, evaluated=False).findings == ()
    assert 'without bbox' in only(scan(face, keypoints=True)).message


@pytest.mark.parametrize('section', ['images', 'annotations', 'categories'])
@pytest.mark.parametrize('value', [None, 'x', -1, 1e300, NAN, [], {}, [[]], {'a': 1}, True, 10**400])
def test_any_value(scan, section, value):
    """No value of a key stops the scan."""
    keys = list(dataset()[section][0])
    for key in keys:
        def change(data, key=key):
            data[section][0][key] = value
        scan(change, masks=True, keypoints=True)
        scan(change, evaluated=False)
