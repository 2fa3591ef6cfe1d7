"""Tests of the images that tests and later evaluations of their results use."""

from __future__ import annotations

import json

import pytest

pytest.importorskip('pycocotools')

from hrnet_plugin.evaluation.coco_evaluation import read_annotations
from hrnet_plugin.evaluation.tested_images import evaluated_images, write_tested_images


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(dict(images=[dict(id=k) for k in (1, 2, 5)], categories=[], annotations=[])))
    return read_annotations(path)


def test_images_beside_results(truth, tmp_path):
    results = [tmp_path / 'a' / f'results.{kind}.json' for kind in ('bbox', 'segm', 'keypoints')]
    assert evaluated_images(truth, results) is None
    write_tested_images(tmp_path / 'a/results', {5, 1})
    assert json.loads((tmp_path / 'a/results.images.json').read_text()) == [1, 5]
    assert evaluated_images(truth, results) == {1, 5}
    assert evaluated_images(truth, results, 'all') is None
    assert evaluated_images(truth, [tmp_path / 'a' / 'other.bbox.json', tmp_path / 'a' / 'results.json']) is None
    write_tested_images(tmp_path / 'a/results', [1, 2, 5])
    assert evaluated_images(truth, results) is None
    write_tested_images(tmp_path / 'a/results', [])
    assert not (tmp_path / 'a/results.images.json').exists()


def test_tests_of_other_images(truth, tmp_path):
    write_tested_images(tmp_path / 'a', [1, 2])
    write_tested_images(tmp_path / 'b', [1, 2])
    files = [tmp_path / f'{name}.bbox.json' for name in 'abc']
    assert evaluated_images(truth, files[:2]) == {1, 2}
    words = r'of the same images, got 2 of .*b\.bbox\.json, 3 of .*c\.bbox\.json\. Choose the images with --subset FILE'
    with pytest.raises(ValueError, match=words):
        evaluated_images(truth, files[1:])


def test_given_images(truth, tmp_path):
    for content in ([5, 2], dict(images=[dict(id=5), dict(id=2)])):
        (tmp_path / 'subset.json').write_text(json.dumps(content))
        assert evaluated_images(truth, [], tmp_path / 'subset.json') == {2, 5}


@pytest.mark.parametrize(('content', 'words'), [
    ('[1, 9]', r'must have IDs of images in the annotations, got \[9\]'), ('[]', r'got \[\]'),
    ('["1"]', r"got \['1'\]"), ('[2, true]', r'annotations, got \[True\]'), ('[1.0]', r'annotations, got \[1\.0\]'),
    ('[null]', r'annotations, got \[None\]'), ('"1"', 'must be a list of image IDs'),
    ('{"images": [{"id": 5.0}]}', r'annotations, got \[5\.0\]'),
    ('{"images": {"id": 1}}', 'must be a list of image IDs'), ('{}', 'got KeyError'),
    ('3', 'must be a list of image IDs'), ('[[1]]', 'must be a list of image IDs'),
    ('', 'must be a list of image IDs'), ('{"images": [1]}', 'must be a list of image IDs')])
def test_invalid_images(truth, tmp_path, content, words):
    (tmp_path / 'subset.json').write_text(content)
    with pytest.raises(ValueError, match=rf'subset\.json {words}' if words[0] == 'm' else words):
        evaluated_images(truth, [], tmp_path / 'subset.json')
    with pytest.raises(FileNotFoundError):
        evaluated_images(truth, [], tmp_path / 'nothing.json')
