"""Tests of the inputs of comparisons: kinds of results, and work directories."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.evaluation.comparison.inputs import find_kind, find_results, is_label_maps, is_semantic

BOX, MASK, POINTS = dict(bbox=[]), dict(segmentation={}), dict(keypoints=[])


@pytest.mark.parametrize(('results', 'kind'), [
    ([[BOX], [BOX]], 'bbox'), ([[MASK], [MASK]], 'segm'), ([[{**MASK, **BOX}], [MASK]], 'segm'),
    ([[{**MASK, **BOX}], [BOX]], 'bbox'), ([[{**POINTS, **BOX}], [POINTS]], 'keypoints'),
    ([[], [POINTS]], 'keypoints'), ([[MASK], []], 'segm'), ([[], []], 'bbox')])
def test_kinds(results, kind):
    assert find_kind(results) == kind


@pytest.mark.parametrize(('results', 'words'), [
    ([[BOX], [MASK]], 'bbox and segm'), ([[BOX], [POINTS]], 'bbox and keypoints'), ([[3], [BOX]], 'none and bbox'),
    ([[{}], [{}]], 'none and none')])
def test_results_without_a_common_kind(results, words):
    with pytest.raises(ValueError, match=f'results must have boxes, masks or keypoints in common, got {words}'):
        find_kind(results)


@pytest.fixture
def work_dir(tmp_path):
    """Make a work directory with an older test and a newer one."""
    for run, names in (('20250101_000000', ['results.keypoints.json']),
                       ('20250203_101112', ['results.bbox.json', 'results.segm.json', 'results.images.json'])):
        (tmp_path / run).mkdir()
        for name in names:
            (tmp_path / run / name).write_text(json.dumps([]))
    (tmp_path / 'other').mkdir()
    (tmp_path / 'epoch_1.pth').touch()
    return tmp_path


def test_newest_log_folder_of_a_work_directory(work_dir):
    newest = work_dir / '20250203_101112'
    assert find_results(work_dir) == find_results(work_dir, 'bbox') == newest / 'results.bbox.json'
    assert find_results(work_dir, 'segm') == newest / 'results.segm.json'
    assert find_results(newest / 'results.segm.json') == newest / 'results.segm.json'
    assert not is_label_maps(work_dir)
    (newest / 'results.bbox.json').unlink()
    assert find_results(work_dir) == newest / 'results.segm.json'


def test_work_directories_without_results(work_dir):
    with pytest.raises(FileNotFoundError, match=r'newest log folder must have results\*\.keypoints\.json, got none in '
                                                r'.*20250203_101112\. Test with `hrnet test \.\.\. --record`'):
        find_results(work_dir, 'keypoints')
    (work_dir / '20250203_101112/results1.bbox.json').write_text('[]')
    with pytest.raises(ValueError, match=r'20250203_101112 must have one results\*\.bbox\.json, got 2\. Name the file'):
        find_results(work_dir)
    with pytest.raises(FileNotFoundError, match='must be a work directory with a log folder'):
        find_results(work_dir / 'other')
    with pytest.raises(FileNotFoundError, match=r'results must be an existing file or work directory, got .*nothing'):
        find_results(work_dir / 'nothing')


def test_forms(work_dir):
    """Results and annotations are both files of objects, or both label maps. Errors name both forms."""
    log, maps, objects = work_dir / '20250203_101112', work_dir / 'other', work_dir / 'objects.json'
    results = log / 'results.bbox.json'
    (work_dir / 'found.pkl').touch()
    objects.touch()
    assert not is_semantic(objects, [work_dir, results])
    assert not is_semantic(objects, [work_dir, results], 'segm')
    assert is_semantic(maps, [maps, work_dir / 'found.pkl'])
    assert is_semantic(maps, [work_dir, work_dir], 'semantic')  # test_evaluator.output_dir may be any folder
    forms = r'\. Compare results in COCO format, .* --record`, .*COCO format\. Or .* test_evaluator\.output_dir '
    for truth, paths, kind, words in (
            (maps, [results, results], None, 'annotations must be a file in COCO format for .*, got the folder'),
            (maps, [work_dir, work_dir], None, 'annotations must be a file in COCO format'),
            (maps, [results, results], 'bbox', 'annotations must be a file in COCO format'),
            (objects, [maps, maps], None, 'annotations must be a folder of label maps for .*, got the file .*objects'),
            (objects, [maps, maps], 'semantic', 'annotations must be a folder of label maps'),
            (objects, [maps, results], None, r'results must have the same form, got .*other and .*results\.bbox\.json'),
            (maps, [work_dir, maps], None, 'results must have the same form')):
        with pytest.raises(ValueError, match=f'{words}.*{forms}'):
            is_semantic(truth, paths, kind)
    with pytest.raises(FileNotFoundError, match=f'must be a work directory .*, got none{forms}'):
        find_results(maps, 'bbox')
    with pytest.raises(FileNotFoundError, match=r'must be an existing file or work directory, got .*nothing'):
        is_semantic(maps, [maps, work_dir / 'nothing'])


def test_work_directories_of_segmentation(work_dir):
    for file in (work_dir / '20250203_101112').iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r'For segmentation, name the folder of test_evaluator\.output_dir\.'):
        find_results(work_dir)


def test_label_maps(work_dir):
    assert is_label_maps(work_dir / 'other')
    (work_dir / 'found.pkl').touch()
    assert is_label_maps(work_dir / 'found.pkl')
    assert not is_label_maps(work_dir / 'nothing.pkl')
    assert not is_label_maps(work_dir / '20250203_101112/results.bbox.json')
