"""Tests of the scan of annotation files, on small files with one problem each."""

from __future__ import annotations

import json

import pytest
from broken_datasets import (
    BOX_CASES,
    HARMLESS,
    KEYPOINT_CASES,
    MASK_CASES,
    NAN,
    POINTS,
    SQUARE,
    category,
    dataset,
    drop,
    every,
    image,
    third,
)

from hrnet_plugin.data_checks.annotations import scan_annotations
from hrnet_plugin.evaluation import annotation_files


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


def test_files_of_configs_may_have_any_size(scan, tmp_path, monkeypatch):
    """The annotations of Objects365 take more than 2 GiB."""
    monkeypatch.setattr(annotation_files, 'DATA_BYTES', 100)
    assert not scan().findings
    with pytest.raises(ValueError, match='must be JSON of at most 100 bytes'):
        annotation_files.read_sections(tmp_path / 'data.json')


def test_large_files_of_commands_are_refused(tmp_path):
    file = tmp_path / 'data.json'
    with file.open('wb') as opened:
        opened.truncate(annotation_files.DATA_BYTES + 1)
    with pytest.raises(ValueError, match=r'must be JSON of at most \d+ bytes, got \d+\. Split it, or remove'):
        annotation_files.read_sections(file)


def test_the_last_of_repeated_keys_counts_as_in_the_hosts(scan, tmp_path):
    assert not scan().findings
    file = tmp_path / 'data.json'
    file.write_text('{"info": {"version": 1, "version": 2}, ' + file.read_text(encoding='utf-8')[1:], encoding='utf-8')
    assert not scan_annotations(file).findings
    with pytest.raises(ValueError, match="the key 'version' twice"):
        annotation_files.read_sections(file)


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
    ('', 'must be JSON'), ('{"images": [', 'must be JSON'), ('\ufeff{}', 'Save it as UTF-8 without BOM'),
    ('[' * 100000, 'must be JSON'),
    ('[]', 'got a list. Detections'), ('3', 'got a int'),
    ('{"images": [], "annotations": []}', 'got none of categories'), ('{}', 'none of images, categories'),
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


@pytest.mark.parametrize(('change', 'is_error', 'words'), BOX_CASES)
def test_boxes(scan, change, is_error, words):
    report = scan(change)
    found = [finding for finding in report.findings if words in finding.message]
    assert len(found) == 1, [finding.message for finding in report.findings]
    assert found[0].is_error == is_error
    assert '\n' not in found[0].message
    if not is_error:
        assert not any(finding.is_error for finding in report.findings)


@pytest.mark.parametrize('change', HARMLESS)
def test_harmless(scan, change):
    """What mmdet and the COCO API accept has no finding."""
    assert scan(change).findings == ()


@pytest.mark.parametrize(('change', 'words'), [
    (lambda data: data.update(images=[]), 'the file has no images'),
    (lambda data: data.update(categories=[]), 'the file has no categories'),
    (every(lambda note: note.update(iscrowd=1)), 'no annotation is usable'),
    (every(lambda note: note.update(image_id=77)), 'no annotation is usable'),
    (every(lambda note: note.update(bbox=[.2, .3, .5, .4])), 'all boxes are in [0, 1], e.g. [0.2, 0.3, 0.5, 0.4]'),
])
def test_whole_file(scan, change, words):
    errors = [finding.message for finding in scan(change).findings if finding.is_error]
    assert any(words in message for message in errors), errors


@pytest.mark.parametrize('change', [lambda data: data.update(annotations=[]), lambda data: data.pop('annotations')])
def test_unlabeled_file(scan, change):
    """Files of background or unlabeled images are used in training, beside others."""
    finding = only(scan(change))
    assert 'the file has no annotations' in finding.message
    assert not finding.is_error


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


def test_wrong_length_everywhere(scan):
    """The cause is named once."""
    finding = only(scan(every(lambda note: note.update(keypoints=POINTS[:6])), keypoints=True))
    assert '12 of 12 annotations whose keypoints have a wrong length' in finding.message


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


def test_pose_training_leaves_out_annotations_without_boxes(scan):
    finding = only(scan(drop('bbox'), keypoints=True, evaluated=False))
    assert not finding.is_error
    assert 'without bbox (ID 3; image 4). mmpose leaves them out.' in finding.message
    assert only(scan(drop('bbox'), keypoints=True)).is_error
    assert only(scan(every(lambda note: note.pop('bbox')), keypoints=True, evaluated=False)).is_error


def test_training_takes_null_as_no_crowd(scan):
    assert scan(third(iscrowd=None), evaluated=False).findings == ()
    assert only(scan(third(iscrowd='0'), evaluated=False)).is_error


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
