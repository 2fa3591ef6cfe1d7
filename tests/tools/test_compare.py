"""The tool that compares two files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip('pycocotools')

from hrnet_plugin.tools import compare

FIXTURES = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'coco_eval_fixtures'


@pytest.fixture
def files(tmp_path):
    box = [10., 10., 50., 50.]
    truth = dict(images=[dict(id=k, width=99, height=99, file_name=f'{k}.jpg') for k in range(1, 5)],
                 categories=[dict(id=3, name='cat'), dict(id=4, name='dog|')],
                 annotations=[dict(id=k, image_id=k, category_id=3 + k % 2, bbox=box, area=2500, iscrowd=0)
                              for k in range(1, 5)])
    good = [dict(image_id=k, category_id=3 + k % 2, bbox=box, score=0.9) for k in range(1, 5)]
    for name, content in (('truth', truth), ('good', good), ('bad', good[1:])):
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    return [str(tmp_path / f'{name}.json') for name in ('bad', 'good')], ['--annotations', str(tmp_path / 'truth.json')]


def test_text_and_files(files, tmp_path, capsys):
    results, annotations = files
    words = [*results, *annotations, '--draws', '40', '--names', 'old', 'new', '--out', str(tmp_path / 'out')]
    compare.main(words)
    out = capsys.readouterr().out
    assert '# old and new' in out
    assert 'Boxes in 4 images' in out
    assert '| AP | 75.2 | 100.0 | +24.8 |' in out
    assert '| missed | 1 | 0 | -1 |' in out
    assert '| dog\\| | 50.5 | 100.0 | +49.5 |' in out
    assert '| 1.jpg | 0.0 | 100.0 | +100.0 |' in out
    assert '1.jpg' not in out.split('Images that differ')[0]
    assert 'old has no detection in 1 images.' in out
    assert (tmp_path / 'out/comparison.md').read_text() == out[:-1]
    found = json.loads((tmp_path / 'out/comparison.json').read_text())
    assert (found['names'], found['images'], found['interval']['draws']) == (['old', 'new'], 4, 40)
    compare.main(words)
    assert capsys.readouterr().out == out  # the same seed


def test_no_difference(files, capsys):
    results, annotations = files
    compare.main([results[1], results[1], *annotations, '--draws', '5'])
    assert '**+0.0**, 95 % interval +0.0 to +0.0' in capsys.readouterr().out


def test_both_signs(files, capsys):
    results, annotations = files
    compare.main([*results[::-1], *annotations, '--draws', '5'])
    assert '| 1.jpg | 100.0 | 0.0 | -100.0 |' in capsys.readouterr().out


@pytest.mark.parametrize(('option', 'value', 'least'), [('--draws', '0', 1), ('--seed', '-1', 0)])
def test_numbers_are_checked(files, capsys, option, value, least):
    results, annotations = files
    with pytest.raises(SystemExit):
        compare.main([*results, *annotations, option, value])
    assert f'{option} must be at least {least}, got {value}' in capsys.readouterr().err


def test_nothing_to_be_found(files, tmp_path):
    results, _ = files
    (tmp_path / 'none.json').write_text(json.dumps(dict(
        images=[dict(id=k, width=99, height=99) for k in range(1, 5)], annotations=[],
        categories=[dict(id=k, name=str(k)) for k in (3, 4)])))
    with pytest.raises(ValueError, match='annotations must have objects, got none in'):
        compare.main([*results, '--annotations', str(tmp_path / 'none.json')])


@pytest.mark.skipif(not FIXTURES.is_dir(), reason='COCO\'s example is not at hand')
def test_masks_of_cocos_example(capsys):
    results = str(FIXTURES / 'instances_val2014_fakesegm100_results.json')
    truth = str(FIXTURES / 'instances_val2014_100.json')
    compare.main([results, results, '--annotations', truth, '--masks', '--draws', '3'])
    assert '| mask AP | 32.0 | 32.0 | +0.0 |' in capsys.readouterr().out
