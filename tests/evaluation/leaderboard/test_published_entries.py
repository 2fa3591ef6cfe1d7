"""Published rows: cells read off the publications once more, and what all rows have."""

from __future__ import annotations

import pytest

from hrnet_plugin.evaluation.counting import paper_rows
from hrnet_plugin.evaluation.counting.paper import FASTER, OTHERS, WITHOUT_REGIONS
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

ENTRIES = published_entries()
FRCNN, CRCNN, MRCNN, CMRCNN = 'Faster R-CNN', 'Cascade R-CNN', 'Mask R-CNN', 'Cascade Mask R-CNN'
HTC, W18, W32, W48 = 'Hybrid Task Cascade', 'HRNetV2p-W18', 'HRNetV2p-W32', 'HRNetV2p-W48'
R50, R101, X101 = 'ResNet-50-FPN', 'ResNet-101-FPN', 'ResNeXt-101-64x4d-FPN'


def one(**words):
    found = [entry for entry in ENTRIES if all(getattr(entry, name) == word for name, word in words.items())]
    assert len(found) == 1, f'{len(found)} rows with {words}'
    return found[0]


# Table 7: sizes, of whatever row of the paper has them
@pytest.mark.parametrize(('method', 'backbone', 'params', 'gflops', 'unit'), [
    (FRCNN, R50, 39.8, 172.3, FASTER),
    (FRCNN, W18, 26.2, 159.1, FASTER),
    (FRCNN, X101, 94.9, 381.8, FASTER),
    (FRCNN, W48, 79.4, 399.1, FASTER),
    (CRCNN, R101, 88.4, 298.7, OTHERS),
    (CRCNN, W32, 74.9, 300.8, OTHERS),
    ('FCOS', R50, 32.0, 190.0, OTHERS),
    ('FCOS', W32, 37.3, 273.3, OTHERS),
    ('CenterNet', 'Hourglass-104', 210.1, 388.4, WITHOUT_REGIONS),
    ('CenterNet', 'HRNetV2-W64', 127.7, 318.5, WITHOUT_REGIONS),
    (MRCNN, R101, 63.4, 338.8, OTHERS),
    (CMRCNN, X101, 135.2, 653.7, OTHERS),
    (HTC, W48, 121.9, 717.0, OTHERS),
])
def test_sizes(method, backbone, params, gflops, unit):
    rows = [entry for entry in ENTRIES if (entry.source, entry.method, entry.backbone) == ('paper', method, backbone)]
    assert rows
    for row in rows:
        assert (row.params, row.gflops, row.unit) == (params, gflops, unit.text)


# Tables 8 to 11: what the header says, in its order
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
    assert {name: row.metrics.get(name) for name in cells} == cells
    assert row.split == ('test-dev2017' if place == 'table 11' else 'val2017')


def test_other_sources():
    row = one(source='mmdet', method=FRCNN, backbone='HRNetV2p-W40', schedule='1x')
    assert (row.metrics['AP'], row.ms, row.training_memory) == (41.2, 95.24, 10.4)
    assert one(source='mmdet', method=HTC, backbone='HRNetV2p-W40').metrics == {'AP': 46.4, 'mask AP': 40.8}
    # the authors' page has box and mask of this row in each other's column
    row = one(source='official', method=MRCNN, backbone=W48, schedule='2x')
    assert row.metrics == {'AP': 42.9, 'mask AP': 38.3}
    row = one(source='paper', task='pose', backbone='HRNetV1-W32', split='val2017', size='256x192', note='')
    assert (row.metrics['AP'], row.metrics['AR'], row.params, row.gflops) == (74.4, 79.8, 28.5, 7.1)
    assert (row.ms, row.memory, row.training_memory) == (57, 0.13, 5.7)
    row = one(source='mmpose', backbone='HRNetV1-W48', data='COCO', size='384x288', note='')
    assert row.metrics == dict(AP=76.7, AP50=91.1, AP75=83.2, AR=81.7, AR50=94.7)
    row = one(source='paper', task='segmentation', backbone='HRNetV2-W48', place='table 3', method='HRNetV2 head')
    assert (row.metrics, row.params, row.gflops, row.ms) == (dict(mIoU=81.1), 65.9, 696.2, 150.2)
    row = one(source='mmseg', method='OCR', backbone='HRNetV2-W48', schedule='160k', data='Cityscapes', test='')
    assert row.metrics == dict(mIoU=81.35)
    assert one(source='mmdet', method=CRCNN, backbone=X101, schedule='20e').metrics == dict(AP=44.5)
    # the metafile calls the network of this row ResNet-50; its weights and its page do not
    row = one(source='mmseg', method='DeepLabv3+', data='PASCAL-Context 60', schedule='80k', test='')
    assert (row.backbone, row.metrics) == ('dilated ResNet-101', dict(mIoU=47.23))
    row = one(source='mmseg', method='HRNetV2 head', backbone='HRNetV2-W48', data='Cityscapes', schedule='40k', test='')
    assert row.ms == pytest.approx(1000 / 6.42, abs=0.1)


def test_every_row():
    units = {unit.text for unit in (FASTER, OTHERS, WITHOUT_REGIONS)}
    for entry in ENTRIES:
        assert entry.metrics, entry
        assert all(5 < value < 100 for value in entry.metrics.values()), entry
        assert bool(entry.unit) == (entry.params is not None) == (entry.gflops is not None), entry
        assert not entry.unit or entry.unit in units
        assert bool(entry.machine) == (entry.ms is not None), entry
    same = [(entry.task, entry.source, entry.place, entry.method, entry.backbone, entry.schedule, entry.data,
             entry.split, entry.note, entry.size, entry.test) for entry in ENTRIES]
    assert len(set(same)) == len(same)


def test_baselines_are_there():
    backbones = {entry.backbone for entry in ENTRIES}
    assert {R50, R101, X101, 'Hourglass-104', 'ResNet-152', 'dilated ResNet-101'} <= backbones
    assert {entry.source for entry in ENTRIES} == {'paper', 'official', 'mmdet', 'mmpose', 'mmseg'}


@pytest.mark.slow
def test_sizes_are_those_that_the_package_counts():
    """The same figures stand in the tables of ``count --paper``."""
    titles = {'CenterNet': 'HRNetV2', 'HRNetV2, Cityscapes': 'HRNetV2'}
    compared = set()
    for row in paper_rows():
        name = f'{titles.get(row.framework, "HRNetV2p")}-W{row.width[1:]}'
        method = 'HRNetV2 head' if row.framework == 'HRNetV2, Cityscapes' else row.framework
        for entry in ENTRIES:
            if (entry.source, entry.method, entry.backbone) == ('paper', method, name) and entry.unit:
                assert (entry.params, entry.gflops) == (row.paper_params, row.paper_gflops)
                compared.add((method, name))
    assert len(compared) == 20


def test_common_units():
    row = one(source='paper', place='table 8', method=FRCNN, backbone=W32, schedule='1x')
    assert row.macs_in_billions == pytest.approx(245.3 * 2**30 / 1e9)
    assert row.weights_in_millions == pytest.approx(45.0 * 2**20 / 1e6)
    row = one(source='paper', place='table 9', method='FCOS', backbone=W32)
    assert (row.macs_in_billions, row.weights_in_millions) == (pytest.approx(273.3), pytest.approx(37.3))


def test_widths():
    assert one(source='official', task='segmentation', backbone='HRNetV2-W18-small-v1').width == 'W18-small-v1'
    assert {entry.width for entry in ENTRIES if 'ResNet' in entry.backbone or 'Hourglass' in entry.backbone} == {''}


def test_boards_of_published_rows_are_of_one_split_each():
    boards = rank(ENTRIES)
    assert [board.title for board in boards][:3] == [
        'detection, COCO val2017', 'detection, COCO test-dev2017', 'pose, COCO val2017']
    assert all(board.whole for board in boards)
    assert sum(len(board.entries) for board in boards) == len(ENTRIES)
