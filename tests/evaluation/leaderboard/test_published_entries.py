"""Tests of published rows against cells of the publications, and of all rows for consistency."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from hrnet_plugin.checkpoints.published import published
from hrnet_plugin.config_files import list_configs
from hrnet_plugin.evaluation.counting.paper import FASTER, OTHERS, WITHOUT_ROIS
from hrnet_plugin.evaluation.leaderboard.published import FOLDER, published_costs, published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

ENTRIES = published_entries()
FRCNN, CRCNN, MRCNN, CMRCNN = 'Faster R-CNN', 'Cascade R-CNN', 'Mask R-CNN', 'Cascade Mask R-CNN'
HTC, W18, W32, W48 = 'Hybrid Task Cascade', 'HRNetV2p-W18', 'HRNetV2p-W32', 'HRNetV2p-W48'
R50, R101, X101 = 'ResNet-50-FPN', 'ResNet-101-FPN', 'ResNeXt-101-64x4d-FPN'


def one(**words):
    found = [entry for entry in ENTRIES if words.items() <= entry.columns.items()]
    assert len(found) == 1, f'{len(found)} rows with {words}'
    return found[0]


# table 7
@pytest.mark.parametrize(('method', 'backbone', 'params', 'gflops', 'unit'), [
    (FRCNN, R50, 39.8, 172.3, FASTER),
    (FRCNN, W18, 26.2, 159.1, FASTER),
    (FRCNN, X101, 94.9, 381.8, FASTER),
    (FRCNN, W48, 79.4, 399.1, FASTER),
    (CRCNN, R101, 88.4, 298.7, OTHERS),
    (CRCNN, W32, 74.9, 300.8, OTHERS),
    ('FCOS', R50, 32.0, 190.0, OTHERS),
    ('FCOS', W32, 37.3, 273.3, OTHERS),
    ('CenterNet', 'Hourglass-104', 210.1, 388.4, WITHOUT_ROIS),
    ('CenterNet', 'HRNetV2-W64', 127.7, 318.5, WITHOUT_ROIS),
    (MRCNN, R101, 63.4, 338.8, OTHERS),
    (CMRCNN, X101, 135.2, 653.7, OTHERS),
    (HTC, W48, 121.9, 717.0, OTHERS),
])
def test_sizes(method, backbone, params, gflops, unit):
    rows = [entry for entry in ENTRIES if (entry.source, entry.model.method, entry.model.backbone) == (
        'paper', method, backbone)]
    assert rows
    for row in rows:
        assert (row.cost.params, row.cost.gflops, row.cost.unit) == (params, gflops, unit.text)


# tables 8 to 11
@pytest.mark.parametrize(('place', 'method', 'backbone', 'schedule', 'cells'), [
    ('table 8', FRCNN, R50, '1x', dict(AP=36.7, AP50=58.3, AP75=39.9, APs=20.9, APm=39.8, APl=47.9)),
    ('table 8', FRCNN, W18, '2x', dict(AP=38.0, AP75=41.5, APs=22.6)),
    ('table 8', FRCNN, X101, '2x', dict(AP=40.8, APs=23.2, APl=53.7)),
    ('table 8', FRCNN, W48, '2x', dict(AP=41.8, AP50=62.8, APl=54.6)),
    ('table 8', CRCNN, W18, '20e', dict(AP=41.3, APs=23.7)),
    ('table 8', CRCNN, W48, '20e', dict(AP=44.6, APm=48.1)),
    ('table 9', 'FCOS', W18, '2x', dict(AP=37.7, AP50=55.3)),
    ('table 9', 'FCOS', R101, '2x', dict(AP=41.4, APs=25.0)),
    ('table 9', 'CenterNet', 'HRNetV2-W48', '', dict(AP=43.4, AP75=45.6, APl=59.3)),
    ('table 9', 'CenterNet', 'Hourglass-52', '', dict(AP=41.3, APm=43.8)),
    ('table 10', MRCNN, W18, '1x', {'AP': 37.1, 'APs': 21.9, 'mask AP': 33.8, 'mask APl': 49.8}),
    ('table 10', MRCNN, R101, '2x', {'AP': 41.0, 'mask AP': 36.7, 'mask APm': 39.5}),
    ('table 10', CMRCNN, W32, '20e', {'AP': 44.5, 'APl': 58.5, 'mask APs': 18.9}),
    ('table 10', HTC, X101, '28e', {'AP': 46.8, 'mask AP': 40.7, 'mask APs': 20.0}),
    ('table 10', HTC, W48, '28e', {'AP': 47.0, 'APs': 28.8, 'mask AP': 41.0, 'mask APl': 59.9}),
    ('table 11', FRCNN, W32, '1x', dict(AP=39.5, AP50=61.2, APl=49.1)),
    ('table 11', FRCNN, 'HRNetV2p-W40', '2x', dict(AP=42.1, AP75=46.1)),
    ('table 11', CRCNN, X101, '~1.6x', dict(AP=44.9, APs=25.9)),
    ('table 11', 'FCOS', R50, '2x', dict(AP=37.3, AP50=56.4, APl=47.5)),
    ('table 11', 'FCOS', W32, '2x', dict(AP=40.5, APm=42.6)),
    ('table 11', 'CenterNet', 'HRNetV2-W48', '', dict(AP=43.5, APs=22.2)),
    ('table 11', CMRCNN, W48, '~1.6x', dict(AP=46.1, AP75=50.3)),
    ('table 11', HTC, R101, '~1.6x', dict(AP=45.1, APs=25.2)),
    ('table 11', HTC, W48, '~2.3x', dict(AP=47.3, APl=59.8)),
])
def test_cells(place, method, backbone, schedule, cells):
    row = one(source='paper', place=place, method=method, backbone=backbone, schedule=schedule)
    assert {name: row.scores.metrics.get(name) for name in cells} == cells
    assert row.data.split == ('test-dev2017' if place == 'table 11' else 'val2017')


def test_other_sources():
    row = one(source='mmdet', method=FRCNN, backbone='HRNetV2p-W40', schedule='1x')
    assert (row.scores.metrics['AP'], row.conditions.ms, row.conditions.training_memory) == (41.2, 95.24, 10.4)
    assert one(source='mmdet', method=HTC, backbone='HRNetV2p-W40').scores.metrics == {'AP': 46.4, 'mask AP': 40.8}
    # the authors' page swaps box and mask AP of this row
    row = one(source='official', method=MRCNN, backbone=W48, schedule='2x')
    assert row.scores.metrics == {'AP': 42.9, 'mask AP': 38.3}
    row = one(source='paper', task='pose', backbone='HRNetV1-W32', split='val2017', size='256x192', note='')
    assert (row.scores.metrics['AP'], row.scores.metrics['AR']) == (74.4, 79.8)
    assert (row.cost.params, row.cost.gflops) == (28.5, 7.1)
    assert (row.conditions.ms, row.conditions.memory, row.conditions.training_memory) == (57, 0.13, 5.7)
    row = one(source='mmpose', backbone='HRNetV1-W48', data='COCO', size='384x288', note='')
    assert row.scores.metrics == dict(AP=76.7, AP50=91.1, AP75=83.2, AR=81.7, AR50=94.7)
    row = one(source='paper', task='segmentation', backbone='HRNetV2-W48', place='table 3', method='HRNetV2 head')
    assert (row.scores.metrics, row.conditions.ms) == (dict(mIoU=81.1), 150.2)
    assert (row.cost.params, row.cost.gflops) == (65.9, 696.2)
    row = one(source='mmseg', method='OCR', backbone='HRNetV2-W48', schedule='160k', data='Cityscapes', test='')
    assert row.scores.metrics == dict(mIoU=81.35)
    assert one(source='mmdet', method=CRCNN, backbone=X101, schedule='20e').scores.metrics == dict(AP=44.5)
    # the metafile has ResNet-50 here, but checkpoint and README have ResNet-101
    row = one(source='mmseg', method='DeepLabv3+', data='PASCAL-Context 60', schedule='80k', test='')
    assert (row.model.backbone, row.scores.metrics) == ('dilated ResNet-101', dict(mIoU=47.23))
    row = one(source='mmseg', method='HRNetV2 head', backbone='HRNetV2-W48', data='Cityscapes', schedule='40k', test='')
    assert row.conditions.ms == pytest.approx(1000 / 6.42, abs=0.1)


def test_every_row():
    units = {unit.text for unit in (FASTER, OTHERS, WITHOUT_ROIS)}
    for entry in ENTRIES:
        assert entry.scores.metrics, entry
        assert all(5 < value < 100 for value in entry.scores.metrics.values()), entry
        assert bool(entry.cost.unit) == (entry.cost.params is not None) == (entry.cost.gflops is not None), entry
        assert not entry.cost.unit or entry.cost.unit in units
        assert bool(entry.conditions.machine) == (entry.conditions.ms is not None), entry
    same = [tuple(entry.columns[name] for name in (
        'task', 'source', 'place', 'method', 'backbone', 'schedule', 'data', 'split', 'note', 'size', 'test'))
        for entry in ENTRIES]
    assert len(set(same)) == len(same) == 639


def read(name):
    with (FOLDER / f'{name}.csv').open(newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_costs_match_the_model_of_the_row():
    used = set()
    for task in ('detection', 'pose', 'segmentation'):
        for row in read(task):
            if row['cost']:
                words = [row['backbone'], row['size']] if task == 'pose' else [row['method'], row['backbone']]
                assert row['cost'].startswith(' '.join(words)), row
                assert ('six levels' in row['cost']) == ('six levels' in row['note']), row
                used.add(row['cost'])
    costs = read('costs')
    assert len({row['key'] for row in costs}) == len(costs) == len(published_costs())
    assert {row['key'] for row in costs} - used == {row['key'] for row in costs if row['key'].endswith('-C')}


def test_costs_are_not_repeated():
    """Check that costs of the authors' repositories are listed only if they differ from the paper."""
    costs = published_costs()
    for key, cost in costs.items():
        same = costs.get(key.removesuffix(', official')) if key.endswith(', official') else None
        assert same is None or (same.params, same.gflops) != (cost.params, cost.gflops)


def test_training_memory_is_given_once_per_checkpoint():
    for task in ('detection', 'segmentation'):
        files = [row['weights'] for row in read(task) if row['training_memory'] and row['weights']]
        assert len(set(files)) == len(files)
    shared = [entry.conditions.training_memory for entry in ENTRIES
              if entry.weights == 'fcn_hr18s_512x1024_40k_cityscapes_20200601_014216-93db27d0.pth']
    assert shared == [1.7, 1.7]


def test_unranked_results_have_a_config_or_checkpoint():
    rows = read('unranked')
    assert all(row['config'] or row['key'] for row in rows)
    same = [tuple(row[name] for name in row if name != 'value') for row in rows]
    assert len(set(same)) == len(same)
    assert all(0 < float(row['value']) < 100 for row in rows)


@pytest.mark.parametrize(('words', 'links', 'config'), [
    (dict(source='mmdet', place='configs/hrnet', method=FRCNN, backbone=W32, schedule='1x'), dict(
        source='https://github.com/open-mmlab/mmdetection/tree/main/configs/hrnet',
        paper='https://arxiv.org/abs/1908.07919',
        checkpoint='https://download.openmmlab.com/mmdetection/v2.0/hrnet/faster_rcnn_hrnetv2p_w32_1x_coco/'
                   'faster_rcnn_hrnetv2p_w32_1x_coco_20200130-6e286425.pth'), ''),
    (dict(source='paper', place='table 8', method=FRCNN, backbone=W32, schedule='1x'), dict(
        source='https://arxiv.org/abs/1908.07919', paper='https://arxiv.org/abs/1908.07919'),
     'faster-rcnn_hrnetv2p-w32_1x_coco'),
    (dict(source='official', place='HRNet-Object-Detection', method='Mask R-CNN', backbone=W18, schedule='1x', note=''),
     dict(source='https://github.com/HRNet/HRNet-Object-Detection', paper='https://arxiv.org/abs/1908.07919',
          checkpoint='https://1drv.ms/u/s!AiWjZ1Lamlxzcfh06SXd2GR1zKw'), ''),
    (dict(source='mmpose', place='resnet_coco', backbone='ResNet-50', size='256x192', note=''), dict(
        source='https://github.com/open-mmlab/mmpose/blob/main/configs/body_2d_keypoint/topdown_heatmap/coco/'
               'resnet_coco.md'), '')])
def test_links(words, links, config):
    row = one(**words)
    assert row.links == links
    if config:
        assert row.config == config


def test_all_rows_have_links_to_existing_places():
    assert all(row.links['source'] and all(link.startswith('https://') for link in row.links.values())
               for row in ENTRIES)
    assert {row.links['source'] for row in ENTRIES if row.place == 'HRNet-OCR'} == {
        'https://github.com/HRNet/HRNet-Semantic-Segmentation/tree/HRNet-OCR'}
    linked = {row.links['checkpoint'] for row in ENTRIES if 'checkpoint' in row.links}
    assert len(linked) > 100
    assert all(any(address == row.address for row in published()) for address in linked)
    assert all(row.config in list_configs() for row in ENTRIES if row.config)


@pytest.mark.parametrize(('host', 'repository', 'suffix'), [
    ('mmdet', 'mmdetection/tree/main/', ''), ('mmseg', 'mmsegmentation/tree/main/', ''),
    ('mmpose', 'mmpose/blob/main/', '.md')])
def test_linked_folders_are_those_of_the_host(host, repository, suffix):
    """Compare with the configs in the installed package."""
    pytest.importorskip(host)
    for row in ENTRIES:
        if row.source == host:
            path = row.links['source'].removeprefix(f'https://github.com/open-mmlab/{repository}').removesuffix(suffix)
            assert (files(host) / '.mim' / f'{path}{".yml" if suffix else ""}').exists(), row.links


def grouped(split='val2017', data='COCO'):
    groups = {}
    for row in ENTRIES:
        if (row.data.data, row.data.split) == (data, split):
            groups.setdefault((row.task, row.group), []).append(row)
    return {key: rows for key, rows in groups.items() if len(rows) > 1}


def test_groups_of_the_same_model_by_several_sources():
    groups = grouped()
    faster = next(rows for rows in groups.values() if rows[0].model.method == FRCNN and (
        rows[0].model.backbone, rows[0].model.schedule) == (W32, '1x'))
    assert [row.source for row in faster] == ['paper', 'official', 'official', 'mmdet']
    assert {row.model.note for row in faster} == {''}  # not that of SyncBN or several scales in training
    assert len(groups) == 53
    for rows in groups.values():
        places = [(row.source, row.place) for row in rows]
        assert len(set(places)) == len(places)  # one row per source, no variants
        values = [row.scores.metrics['AP'] for row in rows]
        assert max(values) - min(values) <= 1.8, rows  # table 9 has FCOS W32 2x with 41.9, table 25 with 40.3


def test_other_augmentation_is_another_group():
    rows = [row for rows in grouped('val', 'Cityscapes').values() for row in rows]
    assert rows
    first = next(row for row in ENTRIES if row.conditions.test == 'scales, flip' and row.source == 'mmseg')
    assert first.group not in {row.group for row in ENTRIES if row.conditions.test != 'scales, flip'}


def test_published_operations_have_an_image_size():
    for task, method, backbone, size in (('detection', FRCNN, W32, '800x1216'),
                                         ('detection', 'CenterNet', 'HRNetV2-W64', '511x511'),
                                         ('segmentation', 'HRNetV2 head', 'HRNetV2-W40', '1024x2048')):
        row = next(row for row in ENTRIES if (row.task, row.model.method, row.model.backbone, row.source) == (
            task, method, backbone, 'paper'))
        assert row.cost.counted_at == size
    board = next(board for board in rank(ENTRIES) if (board.data, board.split) == ('COCO', 'val2017'))
    notes = {(row.model.method, board.size_note(row, 'gflops')) for row in board.entries if row.cost.gflops}
    assert {method for method, note in notes if note} == {'CenterNet'}
    assert ('CenterNet', 'at 511x511') in notes
    pose = [row for row in ENTRIES if row.task == 'pose' and row.cost.gflops]
    assert {row.cost.counted_at == row.model.size for row in pose} == {True}


def test_baselines():
    backbones = {entry.model.backbone for entry in ENTRIES}
    assert {R50, R101, X101, 'Hourglass-104', 'ResNet-152', 'dilated ResNet-101'} <= backbones
    assert {entry.source for entry in ENTRIES} == {'paper', 'official', 'mmdet', 'mmpose', 'mmseg'}


def test_common_units():
    row = one(source='paper', place='table 8', method=FRCNN, backbone=W32, schedule='1x')
    assert row.cost.macs_in_billions == pytest.approx(245.3 * 2**30 / 1e9)
    assert row.cost.weights_in_millions == pytest.approx(45.0 * 2**20 / 1e6)
    row = one(source='paper', place='table 9', method='FCOS', backbone=W32)
    assert (row.cost.macs_in_billions, row.cost.weights_in_millions) == (pytest.approx(273.3), pytest.approx(37.3))


def test_widths():
    assert one(source='official', task='segmentation', backbone='HRNetV2-W18-small-v1').model.width == 'W18-small-v1'
    assert {entry.model.width for entry in ENTRIES
            if 'ResNet' in entry.model.backbone or 'Hourglass' in entry.model.backbone} == {''}


def test_boards_of_published_rows():
    boards = rank(ENTRIES)
    assert [board.title for board in boards][:3] == [
        'detection, COCO val2017', 'detection, COCO test-dev2017', 'pose, COCO val2017']
    assert all(board.whole for board in boards)
    assert sum(len(board.entries) for board in boards) == len(ENTRIES)
