"""Tests of files of analyses, also from strangers."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from coco_scenes import CLASSES, as_coco, random_scene, run

from hrnet_plugin.evaluation.analysis.analysis import decode_precision
from hrnet_plugin.evaluation.analysis.analyze import analyze
from hrnet_plugin.evaluation.analysis.files import as_tables, read_analyses, write_analyses
from hrnet_plugin.evaluation.analysis.parse import parse_analysis
from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


@pytest.fixture(scope='module')
def analysis():
    content, detections = random_scene(1)
    return analyze(run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox'))


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline='')))


def test_tables(analysis):
    tables = as_tables([('a', analysis), ('b', analysis)])
    assert tables.keys() == {'classes.csv', 'confusion.csv', 'precision_recall.csv', 'scores.csv'}
    classes = rows_of(tables['classes.csv'])
    assert [row['class'] for row in classes] == [*CLASSES] * 2
    assert [int(row['objects']) for row in classes[:5]] == analysis.objects
    assert float(classes[0]['AP']) == pytest.approx(analysis.precision[0], abs=1e-6)
    assert classes[4]['AP'] == ''
    labels = [*CLASSES, '(background)']
    found = np.zeros((6, 6), int)
    for row in rows_of(tables['confusion.csv']):
        if row['model'] == 'b':
            found[labels.index(row['truth']), labels.index(row['predicted'])] = row['number']
    assert found.tolist() == analysis.confusion.counts
    curves = [row for row in rows_of(tables['precision_recall.csv']) if (row['model'], row['class']) == ('a', 'bee')]
    assert [float(row['recall']) for row in curves] == pytest.approx(np.linspace(0, 1, 101))
    assert [float(row['0.75']) for row in curves] == pytest.approx(decode_precision(analysis.curves.precision[1])[5])
    assert curves[0]['score at 0.50'] == '1.0'
    scores = rows_of(tables['scores.csv'])
    for name, values in (('true positives', analysis.histograms.true_positives),
                         ('false positives', analysis.histograms.false_positives)):
        assert [int(row[name]) for row in scores if row['model'] == 'b'] == np.ravel(values).tolist()


def test_tables_have_no_formulas():
    content, detections = random_scene(1)
    content['categories'][0]['name'] = '=1+1\r\n'
    for detection in detections:
        detection['score'] -= 2
    analysis = analyze(run(ArrayEvaluation(as_coco(content), detections, 'bbox'), 'bbox'), -2)
    tables = as_tables([('@a', analysis)])
    for name in ('classes', 'confusion', 'precision_recall', 'scores'):
        for row in rows_of(tables[f'{name}.csv']):
            assert row['model'] == "'@a"
            texts = {key: text for key, text in row.items() if not key.startswith('score')}
            assert not any(text.startswith(('=', '@', '+', '-')) for text in texts.values())
    assert rows_of(tables['classes.csv'])[0]['class'] == "'=1+1  "
    curves = [row for row in rows_of(tables['precision_recall.csv']) if row['class'] == 'bee']
    assert float(curves[0]['score at 0.50']) < 0


def test_files_of_tests(analysis, tmp_path):
    file = tmp_path / 'results.analysis.json'
    assert write_analyses(tmp_path / 'results', dict(bbox=analysis)) == str(file.resolve())
    assert asdict(read_analyses(file)['bbox']) == json.loads(json.dumps(asdict(analysis)))
    assert write_analyses(tmp_path / 'results', {}) == ''
    assert not file.exists()


def changed(content, path, value):
    """Return a copy of nested dicts with another value."""
    key, *rest = path
    return {**content, key: changed(content[key], rest, value) if rest else value}


@pytest.mark.parametrize(('path', 'value', 'words'), [
    (['kind'], 'boxes', 'kind must be one of bbox, segm, keypoints, semantic, got'),
    (['images'], -1, 'images must be a number of images, got -1'),
    (['images'], True, 'images must be a number'), (['classes'], 'ab', 'classes must be a list of names'),
    (['classes'], ['a'], 'precision must be 1 numbers'), (['precision'], [2] * 5, 'precision must be 5 numbers in'),
    (['objects'], [.5] * 5, 'objects must be 5 counts'), (['curves'], None, 'curves and histograms must be set'),
    (['curves', 'mean'], '!', 'curves must be base64 of numbers'),
    (['curves', 'mean'], 7, 'curves.mean must be a text'),
    (['curves', 'mean'], base64.b64encode(b'\xff' * 2020).decode(), 'numbers up to 10000, got 1010 up to 65535'),
    (['curves', 'mean'], '', 'precisions must be rows of 101 numbers'),
    (['curves', 'thresholds'], [.5], 'curves must be encoded values of 1 thresholds'),
    (['curves', 'scores'], ['AAAA', *[None] * 4], 'scores must be|curves must be base64'),
    (['confusion', 'counts'], [[0] * 6] * 5, 'confusion must be 6 x 6 counts'),
    (['confusion', 'counts'], [[2**60] * 6] * 6, 'confusion must be 6 x 6 counts'),
    (['confusion', 'score'], 'x', "score must be a number, got 'x'"),
    (['histograms', 'edges'], [1, 0], 'edges must be ascending'),
    (['histograms', 'true_positives'], [], 'true_positives must be 5 x 20 counts'),
    (['histograms', 'more'], 1, 'histograms must be an object with edges, false_positives, overlap, true_positives'),
])
def test_invalid_files_have_one_line(analysis, tmp_path, path, value, words):
    content = json.loads(json.dumps(asdict(analysis)))
    assert parse_analysis(content).kind == 'bbox'
    wrong = changed(content, path, value)
    with pytest.raises(ValueError, match=words):
        parse_analysis(wrong)
    file = tmp_path / 'a.analysis.json'
    file.write_text(json.dumps(dict(bbox=wrong)))
    with pytest.raises(ValueError, match='must be an analysis of this version') as caught:
        read_analyses(file)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('text', ['', '[]', '[' * 100_000, '{"bbox": 3}', '\xff'])
def test_other_files_have_one_line(tmp_path, text):
    file = tmp_path / 'a.analysis.json'
    file.write_bytes(text.encode('latin-1'))
    with pytest.raises(ValueError, match='must be an analysis of this version') as caught:
        read_analyses(file)
    assert '\n' not in str(caught.value)


def test_large_files_are_not_read(tmp_path):
    file = tmp_path / 'a.analysis.json'
    with file.open('wb') as opened:
        opened.truncate(2**26 + 1)
    with pytest.raises(ValueError, match='must be an analysis of this version of at most 67108864 bytes, got 67108865'):
        read_analyses(file)
