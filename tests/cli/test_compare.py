"""The subcommand ``compare``."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from itertools import chain

import pytest

pytest.importorskip('pycocotools')

import numpy as np
from comparison_data import SIGMAS, persons_with_errors, write_json, write_persons
from output_commands import write_results
from paths import ROOT, SHARED
from PIL import Image

from hrnet_plugin.cli import compare
from hrnet_plugin.cli.leaderboard import read_comparison
from hrnet_plugin.evaluation.comparison.validity import check_comparison

FIXTURES = SHARED / 'data' / 'coco_eval_fixtures'


@pytest.fixture
def files(tmp_path):
    write_results(tmp_path)
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


def test_confusions(files, tmp_path, capsys):
    """Write the confusions of the classes, above the score threshold."""
    results, annotations = files
    content = json.loads((tmp_path / 'good.json').read_text())
    content[0]['category_id'] = 3
    (tmp_path / 'bad.json').write_text(json.dumps(content))
    words = [*results, *annotations, '--draws', '2', '--names', 'A', 'B', '--out', str(tmp_path / 'out')]
    compare.main(words)
    out = capsys.readouterr().out
    assert 'predicted as another class with scores of at least 0.3.' in out
    assert '| dog\\| | cat | 1 | 0 | -1 |' in out
    assert (tmp_path / 'out/confusion.csv').read_text().splitlines() == [
        'model,truth,predicted,number', 'A,cat,cat,2', 'A,dog|,cat,1', 'A,dog|,dog|,1', 'B,cat,cat,2', 'B,dog|,dog|,2']
    compare.main([*words, '--score-threshold', '0.95'])
    assert 'Most frequent confusions' not in capsys.readouterr().out
    assert 'A,cat,(background),2' in (tmp_path / 'out/confusion.csv').read_text()
    for wrong in ('nan', 'inf', 'x'):
        with pytest.raises(SystemExit):
            compare.parse_args([*words, '--score-threshold', wrong])


def test_comparisons_of_strangers_are_checked(files, tmp_path):
    results, annotations = files
    compare.main([*results, *annotations, '--draws', '2', '--out', str(tmp_path / 'out')])
    content = json.loads((tmp_path / 'out/comparison.json').read_text())
    check_comparison(content)
    one, other = content['analyses']
    changed_counts = dict(other, confusion=dict(other['confusion'], counts=[]))
    for analyses, words in (
            ([one], 'analyses must be a list of two'), ([one, 3], 'analysis must be an object with classes'),
            (None, 'analyses must be a list of two, got None'),
            ([one, dict(other, kind='segm')], 'analyses must be of bbox and have the same classes, got bbox and segm'),
            ([one, dict(other, classes=['x', 'y'])], 'analyses must be of bbox and have the same classes'),
            ([one, changed_counts], r'confusion must be 3 x 3 counts, got \[\]')):
        with pytest.raises(ValueError, match=words):
            check_comparison(dict(content, analyses=analyses))
    without = {name: value for name, value in content.items() if name != 'interval'}
    for wrong, words in (([], 'comparison must be an object whose kind'), (dict(content, kind=[]), 'whose kind is one'),
                         (without, "the fields of bbox, got others: .'interval'"),
                         (dict(content, more=1), "the fields of bbox, got others: .'more'")):
        with pytest.raises(ValueError, match=words):
            check_comparison(wrong)
    file = tmp_path / 'changed.json'
    file.write_text(json.dumps(dict(content, analyses=[one, changed_counts])))
    with pytest.raises(ValueError, match=r'changed.json: confusion must be 3 x 3 counts'):
        read_comparison(file)
    numbers = content['errors'][0]
    for name, values in dict(
            names=[None, [1, 2], ['a'], 'ab'], images=['7', -1, True],
            metrics=[None, {'AP': [0.5]}, {'AP': [math.nan, 1]}],
            interval=[None, {}, dict(content['interval'], low='<b>')], classes=[[], {'cat': None}],
            differing=[None, [['a']], [[1, [0, 1]]], [['a', [0, math.inf]]]], covered=[[1]],
            errors=[None, [numbers], [numbers, {}], [numbers, dict(numbers, costs={'missed': 0.})],
                    [numbers, dict(numbers, numbers={**numbers['numbers'], '__proto__': 1})]]).items():
        for value in values:
            with pytest.raises(ValueError, match=f'{name} of the comparison must have values of their type'):
                check_comparison({**content, name: value})


def test_no_difference(files, capsys):
    results, annotations = files
    compare.main([results[1], results[1], *annotations, '--draws', '5'])
    assert '**+0.0**, 95 % interval +0.0 to +0.0' in capsys.readouterr().out


def test_no_negative_zero(files, capsys):
    results, annotations = files
    for words in ([results[1], results[1]], results, results[::-1]):
        compare.main([*words, *annotations, '--draws', '5'])
        assert '-0.0' not in capsys.readouterr().out


def test_images_of_the_tests(files, tmp_path, capsys):
    """Evaluate the images of a test of a subset, unless others are given."""
    _, annotations = files
    for name in ('A', 'B'):
        log = tmp_path / name / '20250101_000000'
        log.mkdir(parents=True)
        (log / 'results.bbox.json').write_text((tmp_path / 'bad.json').read_text())
        (log / 'results.images.json').write_text('[3, 4]')
    folders = [str(tmp_path / name) for name in 'AB']
    compare.main([*folders, *annotations, '--draws', '5'])
    out = capsys.readouterr().out
    assert 'Boxes in 2 images' in out
    assert '| AP | 100.0 | 100.0 | +0.0 |' in out
    assert 'no detections' not in out
    compare.main([*folders, *annotations, '--draws', '5', '--subset', 'all'])
    out = capsys.readouterr().out
    assert 'Boxes in 4 images' in out
    assert '| AP | 75.2 | 75.2 | +0.0 |' in out
    assert 'Neither has any in 1 images. They count in all metrics.' in out
    (tmp_path / 'one.json').write_text('[1]')
    compare.main([*folders, *annotations, '--draws', '5', '--subset', str(tmp_path / 'one.json')])
    assert '| AP | 0.0 | 0.0 | +0.0 |' in capsys.readouterr().out


def test_kinds(tmp_path, capsys):
    persons, detect = persons_with_errors(3)
    truth = write_persons(tmp_path / 'truth.json', persons, range(1, 13))
    file = write_json(tmp_path / 'found.json', [{**d, 'bbox': [1, 1, 9, 9]} for d in detect(3, 1)])
    words = [str(file), str(file), '--annotations', str(truth), '--draws', '2']
    compare.main([*words, '--sigmas', *map(str, SIGMAS), '--out', str(tmp_path / 'out')])
    out = capsys.readouterr().out
    assert 'Keypoints in 12 images' in out
    assert '## Labeled keypoints by type' in out
    assert '| left_hip |' in out
    assert 'has no predictions in' in out
    assert 'no detections' not in out
    found = json.loads((tmp_path / 'out/comparison.json').read_text())
    check_comparison(found)
    assert set(found['errors'][0]['numbers']) == {'good', 'jitter', 'inversion', 'swap', 'miss', 'undetected'}
    compare.main([*words, '--kind', 'bbox'])
    assert 'Boxes in 12 images' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        compare.parse_args([*words, '--kind', 'bbox', '--masks'])


def test_label_maps(tmp_path, capsys):
    for name, labels in (('truth', [[0, 1, 1]]), ('A', [[0, 1, 1]]), ('B', [[0, 0, 1]])):
        (tmp_path / name).mkdir()
        Image.fromarray(np.array(labels, np.uint8)).save(tmp_path / name / 'a.png')
    words = [str(tmp_path / name) for name in 'AB'] + ['--annotations', str(tmp_path / 'truth'), '--draws', '2']
    compare.main([*words, '--classes', 'sky', 'road', '--names', 'A', 'B', '--out', str(tmp_path / 'out')])
    out = capsys.readouterr().out
    assert 'Label maps in 1 images. mIoU of B minus mIoU of A: **-50.0**' in out
    assert '| sky | 100.0 | 50.0 | -50.0 |' in out
    check_comparison(json.loads((tmp_path / 'out/comparison.json').read_text()))
    assert {file.name for file in (tmp_path / 'out').iterdir()} == {
        'comparison.md', 'comparison.json', 'classes.csv', 'confusion.csv'}
    assert '| road | sky | 0 | 1 | +1 |' in out
    compare.main([*words, '--ignore-index', '1'])
    assert '| 0 | 100.0 | 100.0 | +0.0 |' in capsys.readouterr().out


@pytest.mark.parametrize(('kind', 'words'), [
    ('semantic', ['--subset', 'all']), ('semantic', ['--sigmas', '1']), ('bbox', ['--sigmas', '1']),
    ('bbox', ['--classes', 'a']), ('bbox', ['--reduce-zero-label']), ('bbox', ['--ignore-index', '0']),
    ('bbox', ['--suffixes', 'a', 'b']), ('bbox', ['--config', 'fcn_hrnetv2-w18-small-v1_sample']),
    ('keypoints', ['--classes', 'a'])])
@pytest.mark.parametrize('is_given', [False, True])
def test_options_of_another_kind(files, tmp_path, kind, words, is_given):
    """Refuse options without effect, whether the kind is given or found in the files."""
    if '--config' in words:
        pytest.importorskip('mmseg')
    results, annotations = files
    if kind == 'semantic':
        (tmp_path / 'maps').mkdir()
        Image.fromarray(np.zeros((1, 1), np.uint8)).save(tmp_path / 'maps/a.png')
        results, annotations = [str(tmp_path / 'maps')] * 2, ['--annotations', str(tmp_path / 'maps')]
    if kind == 'keypoints':
        persons, detect = persons_with_errors(3)
        results = [str(write_json(tmp_path / 'found.json', detect(3, 1)))] * 2
        annotations = ['--annotations', str(write_persons(tmp_path / 'persons.json', persons, range(1, 13)))]
    chosen = ['--kind', kind] if is_given else []
    with pytest.raises(ValueError, match=rf'{words[0]}\b.* only, got results of kind {kind}\. Remove it'):
        compare.main([*results, *annotations, '--draws', '1', *words, *chosen])


def test_options_of_a_config_of_mmseg(tmp_path):
    """Read classes, labels and names of files from the dataset of a config."""
    pytest.importorskip('mmseg')
    (tmp_path / 'cityscapes.py').write_text(
        "default_scope = 'mmseg'\ntest_dataloader = dict(dataset=dict(type='CityscapesDataset'))\n")
    options = compare.label_options(compare.parse_args(
        ['A', 'B', '--annotations', 'gt', '--config', str(tmp_path / 'cityscapes.py'), '--ignore-index', '3']))
    assert options.suffixes == ('_leftImg8bit.png', '_gtFine_labelTrainIds.png')
    assert (options.classes[0], len(options.classes), options.ignore_index) == ('road', 19, 3)
    assert (options.reduce_zero_label, options.label_map) == (False, {})
    (tmp_path / 'ade.py').write_text(
        "default_scope = 'mmseg'\ntest_dataloader = dict(dataset=dict(type='ADE20KDataset', "
        "metainfo=dict(classes=('sky', 'wall'))))\n")
    options = compare.label_options(compare.parse_args(
        ['A', 'B', '--annotations', 'gt', '--config', str(tmp_path / 'ade.py')]))
    assert (options.suffixes, options.reduce_zero_label, options.classes) == (('.png', '.png'), True, ('sky', 'wall'))
    # the wall is label 0 of ADE20K, the building 1, the sky 2
    assert [options.label_map[k] for k in range(4)] == [1, 255, 0, 255]
    (tmp_path / 'pose.py').write_text("default_scope = 'mmpose'\n")
    with pytest.raises(ValueError, match='--config must be a config of mmsegmentation, got one of mmpose'):
        compare.label_options(compare.parse_args(
            ['A', 'B', '--annotations', 'gt', '--config', str(tmp_path / 'pose.py')]))


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
from hrnet_plugin.cli.leaderboard import read_comparison
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
