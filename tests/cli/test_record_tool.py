"""The subcommand ``record``."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.cli import record
from hrnet_plugin.config_files import list_configs
from hrnet_plugin.evaluation.leaderboard.store import ResultStore

pytest.importorskip('pycocotools')
SAMPLE = str(list_configs()['faster-rcnn_hrnetv2p-w18-small-v1_sample'])


@pytest.fixture
def run(tmp_path):
    """Record a mask, and return the error."""
    pytest.importorskip('mmdet')

    def run_tool(rle, segmentation):
        files = {name: tmp_path / f'{name}.json' for name in ('masks', 'truth')}
        files['masks'].write_text(json.dumps([dict(image_id=1, category_id=1, score=.9, segmentation=rle)]))
        files['truth'].write_text(json.dumps(dict(
            images=[dict(id=1, height=48, width=64)], categories=[dict(id=1, name='a')],
            annotations=[dict(id=17, image_id=1, category_id=1, bbox=[10, 10, 20, 20], area=400,
                              segmentation=segmentation)])))
        with pytest.raises(ValueError, match='segmentation') as caught:
            record.main(['--store', str(tmp_path / 'store.sqlite'), '--config', SAMPLE, '--results',
                         str(files['masks']), '--annotations', str(files['truth'])])
        assert not (tmp_path / 'store.sqlite').exists()
        return str(caught.value).replace(f'{tmp_path}/', '')
    return run_tool


def test_masks_on_which_the_api_would_hang_or_crash(run):
    square, good = [[10, 10, 30, 10, 30, 30, 10, 30]], dict(size=[48, 64], counts='0T3ll2')
    assert run(dict(good, size=[0, 0]), square) == (
        'results (masks.json), detection 0: segmentation must have the size of its image, [48, 64], got [0, 0]')
    assert run(good, [[0, 0, 1e9, 0, 1e9, 1e9]]) == (
        'annotations (truth.json), annotation 17: segmentation must have finite coordinates near its image '
        'of 64 x 48 and outlines of at most 77824 pixels, got [0, 0, 1000000000.0, 0, 1000000000.0, 1000000000.0]')


@pytest.fixture
def tested(tmp_path):
    """Write the work directory of a test of two datasets, and return the arguments that record it."""
    pytest.importorskip('mmdet')
    folder = tmp_path / 'work' / '20260101_000000'
    (folder / 'vis_data').mkdir(parents=True)
    (folder / 'vis_data' / 'config.py').write_text(f"""
_base_ = [{SAMPLE!r}]
test_evaluator = dict(_delete_=True, type='MultiDatasetsEvaluator', dataset_prefixes=['a', 'b'],
                      metrics=[dict(type='CocoMetric', metric='bbox'), dict(type='VOCMetric')])
""")
    (folder / f'{folder.name}.json').write_text(json.dumps({
        'a/coco/bbox_mAP': .25, 'b/pascal_voc/mAP': .5, 'time': 1.}))
    return ['--work-dir', str(tmp_path / 'work'), '--store', str(tmp_path / 'store.sqlite')]


def test_an_earlier_test_of_two_datasets(tested, tmp_path):
    record.main([*tested, '--data', 'cells', 'VOC', '--split', 'val_a', 'test', '--images', '8', '12'])
    records = ResultStore(tmp_path / 'store.sqlite').read()
    assert [(one.data.data, one.data.split, one.data.images, one.scores.metrics) for one in records] == [
        ('cells', 'val_a', 8, {'AP': .25}), ('VOC', 'test', 12, {'pascal_voc/mAP': .5})]


@pytest.mark.parametrize(('content', 'words'), [
    ('[]', 'must be the metrics of a test, got a list'), ('{"a": ', 'got invalid JSON'),
    (json.dumps({'a/coco/bbox_mAP': 10**400}), 'must have integers of 64 bits'), ('', 'got no text'),
    ('[' * 100_000, 'more than 64')])
def test_damaged_metrics_have_one_line(tested, tmp_path, content, words):
    file = tmp_path / 'work/20260101_000000/20260101_000000.json'
    file.write_text(content)
    with pytest.raises(ValueError, match=rf'^{file} .*{words}'):
        record.main([*tested, '--data', 'cells', 'VOC', '--split', 'val_a', 'test', '--images', '8', '12'])


def test_each_dataset_needs_its_values(tested):
    with pytest.raises(ValueError, match=r'--split must have one value per tested dataset \(a/coco, b/pascal_voc\)'):
        record.main([*tested, '--data', 'x', 'y', '--split', 'val', '--images', '8', '12'])
