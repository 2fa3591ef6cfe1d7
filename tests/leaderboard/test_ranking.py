"""Rows are chosen, ranked among what they can be compared with, and written."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from hrnet_plugin.leaderboard.entry import Entry
from hrnet_plugin.leaderboard.own import own_entry
from hrnet_plugin.leaderboard.ranking import pareto, rank, select
from hrnet_plugin.leaderboard.record import Record
from hrnet_plugin.leaderboard.tables import as_csv, markdown, terminal_table


def make(ap=40., **changes):
    values = dict(task='detection', source='paper', place='table 8', method='Faster R-CNN', backbone='HRNetV2p-W32',
                  data='COCO', split='val2017', metrics={'AP': ap})
    return Entry(**{**values, **changes})


OWN = Record(
    task='detection', config='mine', data='sample', split='val2017', images=100, whole=False, number=7,
    metrics={'AP': .451, 'AP50': None, 'mask AP': .3}, classes={'AP': {'cat': .5, 'dog': None}},
    facts=dict(method='Faster R-CNN', backbone='HRNetV2p-W18', schedule='6e', ms=50., params=10., gflops=100.,
               unit='MACs / 1e9; weights / 1e6', versions={}))


def test_ranking():
    rows = [make(40), make(42), make(41, metrics={'mask AP': 35.}), make(50, split='test-dev2017'),
            make(task='pose', data='COCO', metrics={'AP': 75.})]
    boards = rank(rows)
    assert [(board.title, [row.metrics.get('AP') for row in board.entries]) for board in boards] == [
        ('detection, COCO val2017', [42, 40, None]), ('detection, COCO test-dev2017', [50]),
        ('pose, COCO val2017', [75])]
    assert boards[0].metrics == ('AP', 'mask AP')
    assert rank(rows, 'mask AP')[0].entries[0] is rows[2]
    with pytest.raises(ValueError, match="metric must be one of AP, mask AP, got 'APx'"):
        rank(rows, 'APx')
    assert rank([]) == []


def test_a_board_without_its_tasks_metric_has_another():
    board, = rank([make(task='pose', data='MPII', metrics={'PCKh': value}) for value in (88., 90.)])
    assert (board.metric, board.entries[0].metrics['PCKh']) == ('PCKh', 90)


def test_selecting():
    rows = [make(40), make(42, source='own'), make(43, backbone='ResNet-50-FPN')]
    assert select(rows, dict(source=['OWN'], width=[])) == [rows[1]]
    assert select(rows, dict(width=['w32'], source=['paper', 'own'])) == rows[:2]
    with pytest.raises(ValueError, match="width must be one of W32, got 'W99'"):
        select(rows, dict(width=['W99']))


def test_front():
    rows = [make(40, ms=10), make(41, ms=20), make(39, ms=15), make(45, ms=30), make(44, ms=30), make(46)]
    assert pareto(rows, 'AP', 'ms') == [rows[0], rows[1], rows[3]]


def test_own_rows():
    row = own_entry(OWN)
    assert row.metrics == {'AP': pytest.approx(45.1), 'mask AP': pytest.approx(30)}
    assert row.classes == {'cat': 50}
    assert (row.source, row.place, row.number) == ('own', 'mine', 7)
    assert (row.images, row.whole, row.width) == (100, False, 'W18')
    assert (row.ms, row.params, row.weights_in_millions) == (50, 10, 10)
    pose = own_entry(Record(task='pose', config='p', data='COCO', split='val2017', images=5000, whole=True,
                            metrics={'AP': .75, 'PCKh': 90.}))
    assert pose.metrics == {'AP': 75, 'PCKh': 90}
    assert own_entry(Record(task='segmentation', config='s', data='x', split='', images=1, whole=False,
                            metrics={'mIoU': 81.1})).metrics == {'mIoU': 81.1}


def test_tables():
    boards = rank([make(40, schedule='1x', params=45., gflops=245.3, unit='MACs / 2^30; weights / 2^20', ms=80.65),
                   own_entry(OWN), make(38)])
    text = markdown(boards)
    assert '## Detection, COCO val2017' in text
    assert '| 1 | Faster R-CNN, HRNetV2p-W32, 1x | paper, table 8 | 40.0 | 45.0 | 245.3 | 80.7 | MACs / 2^30' in text
    assert '| **Faster R-CNN, HRNetV2p-W18, 6e; only 100 images, not a published split** | own, number 7 |' in text
    rows = list(csv.DictReader(io.StringIO(as_csv(boards))))
    assert [(row['rank'], row['source'], float(row['AP'])) for row in rows] == [
        ('1', 'paper', 40), ('2', 'paper', 38), ('1', 'own', pytest.approx(45.1))]
    assert rows[2]['whole'] == 'False'


def test_the_terminal_shows_the_best_and_all_own_ones():
    rows = [make(50 - k) for k in range(10)] + [make(1, source='own', number=3)]
    console = Console(width=160, file=io.StringIO())
    console.print(terminal_table(rank(rows)[0], top=4))
    text = console.file.getvalue()
    assert text.count('table 8') == 4
    assert 'own, number 3' in text
    assert '11  Faster' in text
