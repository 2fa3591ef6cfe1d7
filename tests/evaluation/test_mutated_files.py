"""Tests that commands end with a result or one line of error for damaged annotations and results."""

from __future__ import annotations

import copy
import io
import itertools
import json
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import pytest

pytest.importorskip('pycocotools')
pytest.importorskip('ijson')
pytest.importorskip('mmdet')
from pycocotools import mask

from hrnet_plugin.cli import record
from hrnet_plugin.data_checks.annotations import scan_annotations
from hrnet_plugin.evaluation.coco_evaluation import read_annotations

cli = sys.modules['hrnet_plugin.cli.main']  # the package has a function of this name

SQUARE = [[4, 4, 34, 4, 34, 44, 4, 44]]
RLE = mask.merge(mask.frPyObjects(SQUARE, 60, 80))
KEYPOINTS = ['nose', 'tail']
TRUTH = dict(
    info={}, licenses=[],
    images=[dict(id=k, file_name=f'{k}.jpg', height=60, width=80, license=1) for k in (1, 2)],
    categories=[dict(id=1, name='cat', supercategory='pet', keypoints=KEYPOINTS, skeleton=[[1, 2]]),
                dict(id=7, name='a')],
    annotations=[dict(id=k, image_id=k, category_id=1, bbox=[4, 4, 30, 40], area=1200, iscrowd=0, segmentation=SQUARE,
                      keypoints=[5, 5, 2, 30, 40, 1], num_keypoints=2, caption='a cat') for k in (1, 2)])
SHAPES = dict(bbox=dict(bbox=[4, 4, 30, 40]),
              segm=dict(segmentation=dict(size=RLE['size'], counts=RLE['counts'].decode())),
              keypoints=dict(keypoints=[5, 5, 2, 30, 40, 1]))
REMOVED = object()
VALUES = {
    'removed': REMOVED, 'null': None, 'true': True, 'text': 'a', 'number as text': '1', 'empty text': '', 'zero': 0,
    'one': 1, 'negative': -5, 'float': 1.0, 'fraction': 1.5, 'huge': 10**400, 'large': 2**63, 'infinity': float('inf'),
    'not a number': float('nan'), 'empty list': [], 'empty object': {}, 'list': [1], 'lists': [[1, 2]],
    'nulls': [None] * 4, 'texts': ['a', 'b'], 'object': {'id': 1}, 'objects': [{}, {}], 'control': '\x1b[31m\n',
    'surrogate': '\ud800', 'nested': json.loads('[' * 400 + ']' * 400)}


def places(value, path=()):
    """Yield the path of each value in parsed JSON, of each list only the first element."""
    yield path
    items = value.items() if isinstance(value, dict) else [(0, value[0])] if isinstance(value, list) and value else []
    for key, inner in items:
        yield from places(inner, (*path, key))


def changed(content, path, value):
    content = copy.deepcopy(content)
    if not path:
        return None if value is REMOVED else value
    *parents, last = path
    parent = content
    for key in parents:
        parent = parent[key]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return content


def twice(content, path):
    """Return the content as text with the object or element at a path repeated, or with its key twice."""
    text = json.dumps(changed(content, path, '@'))
    inner = content
    for key in path:
        inner = inner[key]
    word = json.dumps(inner)
    return text.replace('"@"', f'{word}, {word}' if isinstance(path[-1], int) else
                        f'{word}, {json.dumps(path[-1])}: {word}')


def mutations(content):
    """Yield damaged copies as text."""
    for path in places(content):
        for value in VALUES.values():
            yield json.dumps(changed(content, path, value))
        if path:
            yield twice(content, path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in this process and checks how it ends."""
    monkeypatch.setattr(record, 'find_config', lambda name: SimpleNamespace(default_scope='mmdet'))
    monkeypatch.setattr(record, 'host_of_config', lambda config: record.MMDET)
    monkeypatch.setattr(record, '_record', lambda config, data, scores, args: json.dumps(
        [scores.metrics, scores.classes], allow_nan=False))
    monkeypatch.setattr(record, 'ResultStore', lambda path: SimpleNamespace(append=len))
    caught = []
    one_line = cli.one_line
    monkeypatch.setattr(cli, 'one_line', lambda error: caught.append(error) or one_line(error))

    def run_command(*words):
        caught.clear()
        errors, start = io.StringIO(), time.process_time()
        with redirect_stderr(errors), redirect_stdout(io.StringIO()):
            code = cli.run(list(map(str, words)))
        assert time.process_time() - start < 5
        assert code == (2 if caught else 0)
        lines = [line for line in errors.getvalue().splitlines() if not line.endswith(' ...')]  # without the progress
        assert len(lines) == len(caught), lines
        assert all(isinstance(error, ValueError) for error in caught), caught
        assert all(len(line) < 1000 for line in lines), lines
        return code
    return run_command


def run_all(run, folder, kind, chosen):
    """Run all commands that read COCO files, with damaged annotations and then with damaged results."""
    truth, good, bad = folder / 'truth.json', folder / 'results.json', folder / 'damaged.json'
    results = [dict(image_id=image, category_id=1, score=.5, **SHAPES[kind]) for image in (1, 2)]
    truth.write_text(json.dumps(TRUTH))
    good.write_text(json.dumps(results))
    options = ['--draws', 2, '--kind', kind, *(['--sigmas', .1, .1] if kind == 'keypoints' else [])]
    codes = []
    for content, annotated, other in ((TRUTH, bad, good), (results, truth, bad)):
        for text in itertools.islice(mutations(content), *chosen):
            bad.write_text(text)
            codes.append(run('compare', other, good, '--annotations', annotated, *options))
            codes.append(run('submission', 'check', other, '--images', annotated))
            if kind != 'keypoints':
                codes.append(run('record', '--config', 'a', '--results', other, '--annotations', annotated))
            if annotated == bad:
                assert all('\n' not in finding.message for finding in scan_annotations(bad).findings)
    assert {0, 2} <= set(codes)


@pytest.mark.parametrize('kind', SHAPES)
def test_damaged_files(run, tmp_path, kind):
    run_all(run, tmp_path, kind, (0, None, 41))


@pytest.mark.slow
@pytest.mark.parametrize('kind', SHAPES)
def test_many_damaged_files(run, tmp_path, kind):
    run_all(run, tmp_path, kind, (1, None, 5))


@pytest.mark.parametrize(('change', 'words'), [
    (lambda truth: truth.pop('images'), 'got none of images'),
    (lambda truth: truth.update(annotations=[dict(id=1, image_id=1, caption='a cat')]),
     r"annotation 1: category_id must be an ID of 'categories', got the keys \['caption', 'id', 'image_id'\]"),
    (lambda truth: truth['annotations'][1].update(image_id=None), "annotation 2: image_id must be an ID of 'images'"),
    (lambda truth: truth['images'][0].update(id=True), "id of each of 'images' must be an integer .* got True"),
    (lambda truth: truth['images'][0].update(id='1'), "id of 'images' must be all integers or all text"),
    (lambda truth: truth['categories'][0].pop('id'), "id of each of 'categories' must .* got None at position 0"),
    (lambda truth: truth['images'][0].update(id=(2**61 - 1) * 9), 'must be an integer of 64 bits or text'),
])
def test_annotations_are_named(tmp_path, change, words):
    truth = copy.deepcopy(TRUTH)
    change(truth)
    file = tmp_path / 'truth.json'
    file.write_text(json.dumps(truth))
    with pytest.raises(ValueError, match=rf'truth\.json.*{words}'):
        read_annotations(file)


def test_a_key_twice_is_refused(tmp_path):
    file = tmp_path / 'truth.json'
    file.write_text(twice(TRUTH, ('annotations', )))
    with pytest.raises(ValueError, match=r"truth\.json must be JSON, got the key 'annotations' twice in an object"):
        read_annotations(file)
