"""Tests of names and content of the archive."""

from __future__ import annotations

import json
import zipfile

import pytest

from hrnet_plugin.evaluation.submission.archive import archive_path, check_split, write_archive
from hrnet_plugin.evaluation.submission.images import SplitImages

pytest.importorskip('ijson')
BOXES = [dict(image_id=k, category_id=1, bbox=[0.1, 2.25, 1e-07, 4], score=0.123456789012345) for k in range(1000)]


def write(folder, detections, kind='bbox'):
    results = folder / 'results.json'
    results.write_text(json.dumps(detections))
    target = archive_path(folder / 'new', kind, 'test-dev2017', 'HRNetV2p-W32')
    write_archive(results, kind, target)
    return target


def test_names_and_layout(tmp_path):
    target = write(tmp_path, BOXES)
    assert target == tmp_path / 'new' / 'detections_test-dev2017_HRNetV2p-W32_results.zip'
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ['detections_test-dev2017_HRNetV2p-W32_results.json']
        assert json.loads(archive.read(archive.namelist()[0])) == BOXES
        assert archive.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    assert [file.name for file in target.parent.iterdir()] == [target.name]


def test_boxes_of_masks_are_left_out(tmp_path):
    """Remove the boxes that mmdet writes, from which the COCO API would take the areas of masks."""
    rle = dict(size=[3, 4], counts='02')
    target = write(tmp_path, [dict(image_id=1, category_id=1, bbox=[0, 0, 9, 9], segmentation=rle, score=1)], 'segm')
    with zipfile.ZipFile(target) as archive:
        detection, = json.loads(archive.read(archive.namelist()[0]))
    assert detection == dict(image_id=1, category_id=1, segmentation=rle, score=1)


def test_keypoints(tmp_path):
    """Use the server's name for keypoints, and remove the boxes that mmpose writes, which change the areas."""
    person = dict(image_id=1, category_id=1, keypoints=[1.5, 2, 0.5] * 17, score=1)
    target = write(tmp_path, [{**person, 'bbox': [0, 0, 9, 9], 'area': 81, 'segmentation': {}}], 'keypoints')
    assert target.name == 'person_keypoints_test-dev2017_HRNetV2p-W32_results.zip'
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ['person_keypoints_test-dev2017_HRNetV2p-W32_results.json']
        assert json.loads(archive.read(archive.namelist()[0])) == [person]


def test_nothing_is_overwritten(tmp_path):
    write(tmp_path, BOXES)
    with pytest.raises(FileExistsError, match=r"name must be new in the folder, got 'HRNetV2p-W32'"):
        archive_path(tmp_path / 'new', 'bbox', 'test-dev2017', 'HRNetV2p-W32')


def test_incomplete_archives_are_deleted(tmp_path):
    target = archive_path(tmp_path / 'new', 'bbox', 'val2017', 'a')
    (tmp_path / 'half.json').write_text(json.dumps(BOXES)[:-10])
    for name in ('nothing.json', 'half.json'):
        with pytest.raises((FileNotFoundError, ValueError)):
            write_archive(tmp_path / name, 'bbox', target)
    assert not any(tmp_path.glob('new/*'))


@pytest.mark.parametrize(('split', 'name', 'words'), [
    ('test2017', 'a', 'split must be one of test-dev2017, val2017'),
    ('val2017', 'my net', "letters, digits, dots and hyphens, got 'my net'"),
    ('val2017', 'a_b', "got 'a_b'"), ('val2017', '../a', 'got'), ('val2017', '', "got ''")])
def test_invalid_names(tmp_path, split, name, words):
    with pytest.raises(ValueError, match=words):
        archive_path(tmp_path, 'bbox', split, name)


def test_images_of_another_split():
    check_split('val2017', SplitImages(dict.fromkeys(range(5000), (1, 1)), {}))
    with pytest.raises(ValueError, match='images must be the 20288 images of test-dev2017, got 5000'):
        check_split('test-dev2017', SplitImages(dict.fromkeys(range(5000), (1, 1)), {}))
