"""The subcommand ``compare``."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain

import pytest

pytest.importorskip('pycocotools')

from paths import ROOT, SHARED

from hrnet_plugin.cli import compare

FIXTURES = SHARED / 'data' / 'coco_eval_fixtures'


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
    assert '1.jpg' not in out.split('Images with the largest differences')[0]
    assert 'old has no detections in 1 images.' in out
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


def test_annotations_without_objects(files, tmp_path):
    results, _ = files
    (tmp_path / 'none.json').write_text(json.dumps(dict(
        images=[dict(id=k, width=99, height=99) for k in range(1, 5)], annotations=[],
        categories=[dict(id=k, name=str(k)) for k in (3, 4)])))
    with pytest.raises(ValueError, match='annotations must have objects, got none in'):
        compare.main([*results, '--annotations', str(tmp_path / 'none.json')])


@pytest.mark.skipif(not FIXTURES.is_dir(), reason='COCO\'s example is missing')
def test_masks_of_cocos_example(capsys):
    results = str(FIXTURES / 'instances_val2014_fakesegm100_results.json')
    truth = str(FIXTURES / 'instances_val2014_100.json')
    compare.main([results, results, '--annotations', truth, '--masks', '--draws', '3'])
    assert '| mask AP | 32.0 | 32.0 | +0.0 |' in capsys.readouterr().out


# counts and size. Without a check, the COCO API hangs for minutes, divides by zero, or reports nothing.
MASKS = {
    'too long': ('0PP<', [48, 64]), 'far too long': ('0P`beim0', [48, 64]), 'negative': ('5M7', [48, 64]),
    'many runs': ('111' + '0' * 200000, [48, 64]), 'size zero': ('0:', [0, 0]), 'another size': ('0:', [10, 10]),
    'size of words': ('0:', ['a', 'b']), 'a list': ([0, 153600], [48, 64]), 'null': (None, [48, 64]),
    'half a number': ('`', [48, 64]), 'nothing': ('', [48, 64]), 'lone surrogate': ('\ud800', [48, 64])}
# segmentations of the annotations. Without a check, the COCO API hangs or allocates gigabytes.
SEGMENTATIONS = {
    'gigantic': [[0, 0, 1e9, 0, 1e9, 1e9]], 'NaN': [[0, 0, float('nan'), 0, 5, 5]], 'a box': [[0, 0, 5, 5]],
    'empty': [], 'too short': dict(size=[48, 64], counts=[0, 10]), 'zero size': dict(size=[0, 0], counts='0:'),
    'negative run': dict(size=[48, 64], counts=[5, -3, 3070]), 'compressed': dict(size=[48, 64], counts='0PP<')}
_COMPARE = '''
import sys
from hrnet_plugin.cli import compare
for results, truth in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        compare.main([results, results, '--annotations', truth, '--masks', '--draws', '1'])
    except ValueError as error:
        print(error)
'''


def test_masks_on_which_the_api_would_hang_or_crash(tmp_path):
    square, good = [[10, 10, 30, 10, 30, 30, 10, 30]], ('0T3ll2', [48, 64])

    def write(name, segmentation, counts, size):
        results, truth = tmp_path / f'{name} results.json', tmp_path / f'{name} truth.json'
        results.write_text(json.dumps([dict(image_id=1, category_id=1, score=.9,
                                            segmentation=dict(size=size, counts=counts))]))
        truth.write_text(json.dumps(dict(
            images=[dict(id=1, height=48, width=64)], categories=[dict(id=1, name='thing')],
            annotations=[dict(id=17, image_id=1, category_id=1, bbox=[10, 10, 20, 20], area=400, iscrowd=0,
                              segmentation=segmentation)])))
        return [str(results), str(truth)]

    files = [*(write(name, square, *mask) for name, mask in MASKS.items()),
             *(write(name, segmentation, *good) for name, segmentation in SEGMENTATIONS.items())]
    done = subprocess.run([sys.executable, '-c', _COMPARE, *chain.from_iterable(files)], cwd=ROOT, check=True,
                          timeout=120, capture_output=True, text=True)
    starts = [f'results ({results}), detection 0: segmentation' for results, _ in files[:len(MASKS)]]
    starts += [f'annotations ({truth}), annotation 17: segmentation' for _, truth in files[len(MASKS):]]
    lines = done.stdout.splitlines()
    assert [line[:len(start)] for line, start in zip(lines, starts)] == starts
    assert len(lines) == len(starts)
