"""Tests of selection, ranking and tables of leaderboard rows."""

from __future__ import annotations

import csv
import io
import re

import pytest
from leaderboard_rows import make_entry
from rich.console import Console

from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.local_results import local_entry
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank, select
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.tables import as_csv, markdown, terminal_table


def make(ap=40., **changes):
    values = dict(task='detection', source='paper', place='table 8', method='Faster R-CNN', backbone='HRNetV2p-W32',
                  data='COCO', split='val2017', metrics={'AP': ap})
    return make_entry(**{**values, **changes})


LOCAL_RECORD = Record(
    task='detection', config='mine', number=7, data=DataFacts(data='sample', split='val2017', images=100, whole=False),
    scores=Scores(metrics={'AP': .451, 'AP50': None, 'mask AP': .3}, classes={'AP': {'cat': .5, 'dog': None}}),
    model=ModelFacts(method='Faster R-CNN', backbone='HRNetV2p-W18', schedule='6e'),
    cost=Cost(params=10., gflops=100., unit='MACs / 1e9; weights / 1e6', counted_at='800x1216'),
    conditions=Conditions(ms=50., machine='CPU', batch=4))


def test_ranking():
    rows = [make(40), make(42), make(41, metrics={'mask AP': 35.}), make(50, split='test-dev2017'),
            make(task='pose', data='COCO', metrics={'AP': 75.})]
    boards = rank(rows)
    assert [(board.title, [row.scores.metrics.get('AP') for row in board.entries]) for board in boards] == [
        ('detection, COCO val2017', [42, 40, None]), ('detection, COCO test-dev2017', [50]),
        ('pose, COCO val2017', [75])]
    assert boards[0].metrics == ('AP', 'mask AP')
    assert rank(rows, 'mask AP')[0].entries[0] is rows[2]
    with pytest.raises(ValueError, match="metric must be one of AP, mask AP, got 'APx'"):
        rank(rows, 'APx')
    assert rank([]) == []


def test_a_board_without_the_first_metric_of_its_task():
    board, = rank([make(task='pose', data='MPII', metrics={'PCKh': value}) for value in (88., 90.)])
    assert (board.metric, board.entries[0].scores.metrics['PCKh']) == ('PCKh', 90)


def faces(**metrics):
    """Make local results on WFLW.

    Args:
        **metrics: Metric -> values of the rows, None for missing ones.
    """
    rows = zip(*metrics.values())
    return [make(task='pose', source='own', data='WFLW', split='test', whole=False, images=2500, note=f'row {number}',
                 metrics={name: value for name, value in zip(metrics, row) if value is not None})
            for number, row in enumerate(rows)]


def order(board):
    return [int(row.model.note.removeprefix('row ')) for row in board.entries]


def test_ranking_by_an_error():
    rows = faces(NME=[4., None, 3., 0., 3.], AUC=[60., 50., 70., 55., 65.])
    board, = rank(rows, 'NME')
    assert order(board) == [3, 2, 4, 0, 1]  # 0 is valid, ties keep their order, missing values are last
    assert board.title == 'pose, WFLW test (not a complete published split), by NME (lower is better)'
    assert board.metrics == ('NME', 'AUC')
    text = printed(board, 120)
    assert 'by NME (lower is better)' in text
    assert re.findall(r'(\d) +Faster', text) == ['1', '2', '3', '4']
    assert re.findall(r' (\d\.\d\d) +\d\d\.\d$', text, re.M) == ['0.00', '3.00', '3.00', '4.00']  # two decimals
    lines = markdown([board]).splitlines()
    assert lines[0] == '## Pose, WFLW test (not a complete published split), by NME (lower is better)'
    assert [line.split(' | ')[3].strip() for line in lines[4:]] == ['0.00', '3.00', '3.00', '4.00', '']
    table = list(csv.DictReader(io.StringIO(as_csv([board]))))
    assert [(row['rank'], row['NME']) for row in table] == [
        ('1', '0.0'), ('2', '3.0'), ('3', '3.0'), ('4', '4.0'), ('', '')]
    board, = rank(rows, 'AUC')
    assert order(board) == [2, 4, 0, 3, 1]
    assert 'lower' not in board.title


def test_a_board_without_the_metric_has_no_direction():
    boards = rank([make(40), *faces(NME=[4., 3.])], 'NME')
    assert [board.title for board in boards] == [
        'pose, WFLW test (not a complete published split), by NME (lower is better)', 'detection, COCO val2017']


def test_a_board_without_metrics_of_its_task():
    board, = rank(faces(EPE=[None, 2., None], NME=[4., None, 3.]))
    assert (board.metric, board.metrics, order(board)) == ('NME', ('NME', 'EPE'), [2, 0, 1])
    board, = rank(faces(AUC=[60., 70., 65.], EPE=[5., 3., 4.]))
    assert (board.metric, order(board)) == ('AUC', [1, 2, 0])
    board, = rank(faces(NME=[3., 4.], PCKh=[None, 90.]))  # a metric of published tables has priority
    assert (board.metric, board.metrics, order(board)) == ('PCKh', ('PCKh', 'NME'), [1, 0])
    board, = rank([make(metrics={})])
    assert (board.metric, board.metrics) == ('AP', ())


def test_errors_and_shares_of_records():
    """Check names, units, decimals and order of metrics that only the logs of evaluators have."""
    data = DataFacts(data='x', split='', images=1, whole=False)

    def board_of(task, *metrics):
        return rank(local_entry(Record(task=task, config=f'row {k}', data=data, scores=Scores(metrics=values)), 'board')
                    for k, values in enumerate(metrics))[0]

    def shown(board, name):
        return board.column_title(name), [(row.place[-1], board.metric_text(row, name)) for row in board.entries]

    board = board_of('pose', {'NME': .0512}, {'NME': .0467}, {'EPE': 3.})
    assert shown(board, board.metric) == ('NME', [('1', '4.67'), ('0', '5.12'), ('2', '')])
    board = board_of('pose', {'EPE': 3.456}, {'EPE': 2.})
    assert shown(board, board.metric) == ('EPE (px)', [('1', '2.00'), ('0', '3.46')])
    board = board_of('detection', {'pascal_voc/mAP': .5, 'pascal_voc/AP50': .5}, {'pascal_voc/mAP': .6})
    assert shown(board, board.metric) == ('VOC AP', [('1', '60.0'), ('0', '50.0')])
    assert board.metrics == ('VOC AP', 'VOC AP50')
    board = board_of('detection', {'mine': 3., 'coco/person_precision': .5}, {'mine': 12345.6})
    assert board.metric == 'AP of person'
    board = board_of('detection', {'mine': 3.}, {'mine': 12345.6})
    assert shown(board, board.metric) == ('mine', [('1', '12346'), ('0', '3')])
    assert board.title.endswith(', by mine (unknown direction, highest first)')


def test_boards_with_local_results_are_first():
    rows = [make(40), make(41), make(task='pose', metrics={'AP': 75.}), make(split='test-dev2017'),
            make(task='segmentation', source='own', metrics={'mIoU': 80.}), make(source='own', split='b', whole=False)]
    boards = rank(rows)
    assert [(board.task, board.split, board.has_local) for board in boards] == [
        ('detection', 'b', True), ('segmentation', 'val2017', True), ('detection', 'val2017', False),
        ('detection', 'test-dev2017', False), ('pose', 'val2017', False)]


def test_sizes_of_images_other_than_those_of_most_rows_are_noted():
    rows = [make(40, gflops=245., counted_at='800x1216', ms=50., machine='V100, 800 x 1333'),
            make(39, gflops=250., counted_at='800x1216', ms=60., machine='V100, 800 x 1333'),
            make(38, gflops=217., counted_at='511x511', ms=9., machine='V100, 512 x 512'),
            make(37, gflops=100., ms=20., machine='V100, not said'),
            make(36, counted_at='64x64', machine='CPU, 64 x 64')]
    board, = rank(rows)
    assert [(board.size_note(row, 'gflops'), board.size_note(row, 'ms')) for row in board.entries] == [
        ('', ''), ('', ''), ('at 511x511', 'at 512x512'), ('', ''), ('', '')]
    assert {board.size_note(row, 'params') for row in board.entries} == {''}
    assert '| 217.0 at 511x511 | 9.0 at 512x512 |' in markdown([board])


def test_operations_of_pose_models_are_compared_with_their_input_size():
    rows = [make(70, task='pose', size='256x192', gflops=7., counted_at='256x192'),
            make(71, task='pose', size='256x192', gflops=7., counted_at='256x192'),
            make(72, task='pose', size='384x288', gflops=16., counted_at='384x288'),
            make(73, task='pose', size='384x288', gflops=7., counted_at='256x192')]
    board, = rank(rows)
    assert [board.size_note(row, 'gflops') for row in board.entries] == ['at 256x192', '', '', '']


@pytest.mark.parametrize('text', ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://x")'])
def test_texts_are_no_formulas_in_spreadsheets(text):
    safe = "'" + text.replace('\r', ' ').replace('\n', ' ')  # one line per row
    row, = csv.DictReader(io.StringIO(as_csv(rank([make(-1.5, note=text, ms=-2.)])), newline=''))
    assert (row['note'], row['AP'], row['ms']) == (safe, '-1.5', '-2.0')
    row, = csv.DictReader(io.StringIO(as_csv(rank([make(metrics={text: 1.})])), newline=''))
    assert row[safe] == '1.0'
    assert text not in row


def test_selecting():
    rows = [make(40), make(42, source='own'), make(43, backbone='ResNet-50-FPN')]
    assert select(rows, dict(source=['OWN'], width=[])) == [rows[1]]
    assert select(rows, dict(width=['w32'], source=['paper', 'own'])) == rows[:2]
    with pytest.raises(ValueError, match="width must be one of W32, got 'W99'"):
        select(rows, dict(width=['W99']))


def test_other_images_are_ranked_separately():
    boards = rank([make(40), make(99, source='own', whole=False, images=20)])
    assert [board.title for board in boards] == [
        'detection, COCO val2017 (not a complete published split)', 'detection, COCO val2017']
    assert [row.scores.metrics['AP'] for row in boards[1].entries] == [40]


def test_local_results():
    row = local_entry(LOCAL_RECORD, 'board')
    assert row.scores.metrics == {'AP': pytest.approx(45.1), 'mask AP': pytest.approx(30)}
    assert row.scores.classes == {'AP': {'cat': 50}}
    assert (row.source, row.place, row.store, row.number) == ('own', 'mine', 'board', 7)
    assert row.cost.unit_text == 'MACs / 1e9; weights / 1e6; at 800x1216'
    assert row.conditions.machine_text == 'CPU, batches of 4'
    assert (row.data.images, row.data.whole, row.model.width) == (100, False, 'W18')
    assert (row.conditions.ms, row.cost.params, row.cost.weights_in_millions) == (50, 10, 10)
    data = DataFacts(data='x', split='', images=1, whole=False)
    for task, metrics, shown in (('pose', {'AP': .75, 'PCKh': 90., 'PCKh@0.1': 30., 'EPE': 3.},
                                  {'AP': 75, 'PCKh': 90, 'PCKh@0.1': 30, 'EPE': 3}),
                                 ('pose', {'PCKh': .9, 'NME': .0512}, {'PCKh': 90, 'NME': pytest.approx(5.12)}),
                                 ('segmentation', {'mIoU': 81.1, 'mDice': 90.}, {'mIoU': 81.1, 'mDice': 90}),
                                 ('detection', {'mask AR100': .5}, {'mask AR100': 50})):
        record = Record(task=task, config='c', data=data, scores=Scores(metrics=metrics))
        assert local_entry(record, 'board').scores.metrics == shown


def test_tables():
    boards = rank([make(40, schedule='1x', params=45., gflops=245.3, unit='MACs / 2^30; weights / 2^20', ms=80.65),
                   local_entry(LOCAL_RECORD, 'board'), make(38), make(0, metrics={'mask AP': 30.})])
    text = markdown(boards)
    assert '## Detection, COCO val2017' in text
    assert '| 1 | Faster R-CNN, HRNetV2p-W32, 1x | paper, table 8 | 40.0 |  | 45.0 | 245.3 | 80.7 | MACs / 2^30' in text
    assert '| **Faster R-CNN, HRNetV2p-W18, 6e; only 100 images, not a published split** | own, board 7 |' in text
    rows = list(csv.DictReader(io.StringIO(as_csv(boards))))
    assert [(row['rank'], row['source'], float(row['AP']) if row['AP'] else None) for row in rows] == [
        ('1', 'own', pytest.approx(45.1)), ('1', 'paper', 40), ('2', 'paper', 38), ('', 'paper', None)]
    assert (rows[0]['whole'], rows[0]['store'], rows[0]['number']) == ('False', 'board', '7')


def test_the_terminal_shows_the_best_rows_and_all_local_results():
    rows = [make(50 - k) for k in range(10)] + [make(1, source='own', store='board', number=3)]
    text = printed(rank(rows)[0], 160, top=4)
    assert text.count('table 8') == 4
    assert 'own, board 3' in text
    assert '11 Faster' in text


def printed(board, width, top=None):
    console = Console(width=width, file=io.StringIO())
    console.print(terminal_table(board, top, width))
    return console.file.getvalue()


def test_columns_that_fit():
    """Leave out columns that do not fit, but never the ranking's metric, sizes and times at 80 columns."""
    board = rank(published_entries())[0]
    shown = {}
    for width in (72, 80, 100, 120, 200):
        shown[width] = [str(column.header) for column in terminal_table(board, None, width).columns][3:]
        text = printed(board, width)
        assert max(map(len, text.splitlines())) <= width
        assert all(f'{entry.scores.metrics["AP"]:.1f}' in text for entry in board.entries)
        head = next(line for line in text.splitlines() if 'model' in line)
        assert all(title in head for title in shown[width])
        assert all(f'{entry.cost.gflops:.1f}' in text for entry in board.entries if entry.cost.gflops is not None)
        assert '\u2026' not in text
    assert shown[80][0] == 'AP'
    assert {'params (M)', 'GFLOPs', 'ms'} <= set(shown[80])
    assert shown[200] == ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'mask AP', 'params (M)', 'GFLOPs', 'ms']
    assert len(shown[72]) < len(shown[100]) < len(shown[200])


NASTY = 'see [/docs] [bold]x[/bold] | <b>\n`y`'


def test_notes_are_escaped():
    boards = rank([make(note=NASTY)])
    assert '[/docs]' in printed(boards[0], 200)
    title = markdown(rank([make(data=NASTY)])).splitlines()[0]
    assert title.startswith('## Detection, see \\[/docs] \\[bold]x\\[/bold] \\| \\<b>')
    line = markdown(boards).splitlines()[-1]
    assert line.count(' | ') == 7
    assert '\\[/docs]' in line
    assert '\\<b>' in line
