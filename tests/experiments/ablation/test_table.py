"""Table and figure of a study, compared with means, intervals and differences calculated by hand."""

from __future__ import annotations

import csv
import math
from io import StringIO

import cv2
import pytest

from hrnet_plugin.evaluation.counting import Count, ModelCount
from hrnet_plugin.experiments.ablation import Estimate, Result, Study, Variant, as_csv, as_markdown, rows
from hrnet_plugin.experiments.ablation.figure import draw

STUDY = Study('mine', (Variant('all', 'a', {}, {'AP': 73.4}), Variant('final', 'a', {}, {'AP': 70.8}),
                       Variant('product', 'a', {})), {'AP': 'coco/AP'}, 100, (64, 48), 3)
COUNT = ModelCount({'total': Count(1_500_000, 10, 2_500_000_000, 10)}, ())
COUNTS = {variant.name: COUNT for variant in STUDY.variants}
RESULTS = [
    *(Result('all', seed, dict(AP=value), 0.5 + seed, {}) for seed, value in enumerate((50., 52., 57.))),
    *(Result('final', seed, dict(AP=value), 0.25, {}) for seed, value in enumerate((48., 51., 54.))),
]


def test_interval_by_hand():
    """The values 1 to 4 have standard deviation sqrt(5 / 3), and Student's quantile is 3.182446 at three degrees."""
    estimate = Estimate.of([1., 2., 3., 4.])
    assert estimate.mean == 2.5
    assert estimate.margin == pytest.approx(3.182446 * math.sqrt(5 / 3) / 2, rel=1e-6)
    assert str(estimate) == '2.5 ± 2.1'


def test_one_value_has_no_interval():
    assert str(Estimate.of([3.25])) == '3.2'
    assert math.isnan(Estimate.of([3.25]).margin)
    assert str(Estimate.of([])) == '-'


def test_differences_are_those_of_the_same_seed():
    """The interval of -2, -1 and -3 is narrower than that of either mean."""
    _, final, product = rows(STUDY, RESULTS, COUNTS)
    assert final.differences['AP'].mean == -2
    assert final.differences['AP'].margin == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert final.metrics['AP'].margin > final.differences['AP'].margin
    assert product.metrics['AP'].number == product.differences['AP'].number == 0


def test_a_seed_of_one_variant_only_is_in_no_difference():
    table = rows(STUDY, RESULTS[1:], COUNTS)
    assert table[1].metrics['AP'].number == 3
    assert table[1].differences['AP'].number == 2
    assert table[1].differences['AP'].mean == -2


def test_times_of_different_settings_are_not_compared():
    other = Result('product', 0, dict(AP=1.), 0.1, dict(jobs=2))
    assert [row.step_seconds for row in rows(STUDY, RESULTS, COUNTS)][:2] == [0.5, 0.25]
    assert all(math.isnan(row.step_seconds) for row in rows(STUDY, [*RESULTS, other], COUNTS))


def test_markdown():
    lines = as_markdown(STUDY, rows(STUDY, RESULTS, COUNTS)).splitlines()
    assert lines[0].split(' | ')[1:4] == ['AP', 'AP, difference', 'AP, published']
    assert lines[2] == '| all | 53.0 ± 9.0 |  | 73.4 | 3 | 1.500 | 2.500 | 0.500 |'
    assert lines[3] == '| final | 51.0 ± 7.5 | -2.0 ± 2.5 | 70.8 | 3 | 1.500 | 2.500 | 0.250 |'
    assert lines[4] == '| product | - | - |  | 0 | 1.500 | 2.500 | - |'
    assert len({line.count('|') for line in lines}) == 1


def test_csv():
    read = list(csv.DictReader(StringIO(as_csv(STUDY, rows(STUDY, RESULTS, COUNTS)))))
    assert [row['variant'] for row in read] == ['all', 'final', 'product']
    assert float(read[1]['AP difference high']) == pytest.approx(-2 + 4.302653 / math.sqrt(3), rel=1e-6)
    assert float(read[1]['AP low']) < 51 < float(read[1]['AP high'])
    assert (read[1]['seeds'], read[1]['macs'], read[1]['AP published']) == ('3', '2500000000', '70.8')
    assert read[2]['AP'] == 'nan'


def test_figure(tmp_path):
    draw(STUDY, rows(STUDY, RESULTS, COUNTS), tmp_path / 'figure.png')
    image = cv2.imread(str(tmp_path / 'figure.png'))
    # two bars of different colors and no third one
    colors = {tuple(pixel) for pixel in image[image.shape[0] // 2]}
    assert {(180, 119, 31), (14, 127, 255)} <= colors
    assert (44, 160, 44) not in colors
