"""Verdicts on tests: figures, tolerance, number of images, and conditions."""

from __future__ import annotations

import pytest
from reproduction_rows import make_record, make_row

from hrnet_plugin.experiments.reproduction import compare

COCO = dict(images=None, data='COCO', split='val2017', expected={'AP': 36.9})
WHOLE = dict(task='detection', data='COCO', split='val2017', images=5000, whole=True)


@pytest.mark.parametrize(('measured', 'verdict'), [
    (50., 'agrees'), (50.1, 'agrees'), (49.9, 'agrees'), (50.11, 'differs'), (49.89, 'differs')])
def test_the_tolerance(measured, verdict):
    assert compare(make_row(), make_record(measured), 0.1)[:2] == (verdict, '')


def test_units_are_those_of_tables():
    """mmdet measures fractions."""
    row = make_row(**COCO)
    assert compare(row, make_record(metrics={'AP': 0.3699}, **WHOLE), 0.1)[0] == 'agrees'
    assert compare(row, make_record(metrics={'AP': 0.3711}, **WHOLE), 0.1)[0] == 'differs'


@pytest.mark.parametrize(('mask', 'small', 'verdict'), [
    (0.34, 0.1, 'agrees'), (0.35, 0.2, 'differs')])
def test_main_metrics_decide_and_others_are_shown(mask, small, verdict):
    row = make_row(**{**COCO, 'expected': {'APs': 20., 'AP': 36.9, 'mask AP': 34.}})
    found, _, figures = compare(row, make_record(metrics={'AP': 0.369, 'mask AP': mask, 'APs': small}, **WHOLE), 0.1)
    assert found == verdict
    assert [figure.metric for figure in figures] == ['AP', 'mask AP', 'APs']
    assert [figure.is_deciding for figure in figures] == [True, True, False]


def test_without_a_main_metric_the_first_one_decides():
    row = make_row(expected={'mAcc': 60., 'aAcc': 10.})
    assert compare(row, make_record(metrics={'mAcc': 60., 'aAcc': 90.}), 0.1)[0] == 'agrees'


@pytest.mark.parametrize(('changes', 'reason'), [
    (dict(images=4999, whole=False), '4999 images of COCO val2017 are not the whole split'),
    (dict(data='sample', whole=False), '5000 images of sample val2017 were tested instead of COCO val2017'),
    (dict(split='minival', whole=False), 'of COCO minival were tested instead of COCO val2017'),
    (dict(note='true boxes'), 'the test has the note "true boxes"'),
    (dict(test='no flip'), "the test-time augmentation was 'no flip' instead of ''"),
    (dict(metrics={'APs': 0.2}), 'the test has no AP'),
    (dict(metrics={'AP': None}), 'the test has no AP'),
])
def test_published_rows_require_the_same_test(changes, reason):
    record = make_record(**{**WHOLE, 'metrics': {'AP': 0.369}, **changes})
    verdict, found, _ = compare(make_row(**COCO), record, 0.1)
    assert verdict == 'not comparable'
    assert reason in found


def test_rows_of_the_user_require_their_number_of_images():
    verdict, reason, _ = compare(make_row(images=3), make_record(), 0.1)
    assert (verdict, reason) == ('not comparable', '2 images of mine val were tested instead of 3 images')
    assert compare(make_row(), make_record(test='no flip', note='true boxes'), 0.1)[0] == 'agrees'
    assert compare(make_row(test='flip'), make_record(), 0.1)[0] == 'not comparable'


@pytest.mark.parametrize(('changes', 'verdict'), [
    (dict(data='mine'), 'agrees'), (dict(split='val'), 'agrees'), (dict(data='mine', split='val'), 'agrees'),
    (dict(data='COCO'), 'not comparable'), (dict(split='test'), 'not comparable'),
    (dict(data='mine', split='test'), 'not comparable')])
def test_dataset_and_split_are_compared_if_the_row_has_them(changes, verdict):
    found, reason, _ = compare(make_row(**changes), make_record(), 0.1)
    assert found == verdict
    assert ('2 images of mine val were tested instead of' in reason) == (verdict != 'agrees')


@pytest.mark.parametrize(('more', 'reason'), [
    ({'mAcc': 60.}, 'the test has no mAcc'), ({'mIuo': 50.}, 'the test has no mIuo. Did you mean mIoU?')])
def test_a_missing_figure_is_no_agreement(more, reason):
    row = make_row(expected={'mIoU': 50., **more})
    assert compare(row, make_record(50.), 0.1)[:2] == ('not comparable', reason)
