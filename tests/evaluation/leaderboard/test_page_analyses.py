"""Tests of training runs and analyses of comparisons on the HTML page, in a browser."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import numpy as np
import pytest
from leaderboard_rows import make_entry
from page_actions import choose, fresh, phone, plot_by_id, run, texts
from page_fixtures import comparisons

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank
from hrnet_plugin.evaluation.leaderboard.trends import Trend

pytest_plugins = 'page_fixtures'

RUNS = [Trend(name='<b>long</b>', unit='epoch', steps=(1, 2, 4), values={'AP': (10., None, 30.), 'NME': (5., 4., 3.)},
              titles={'AP': 'AP', 'NME': 'NME (%)'}, lower=('NME', )),
        Trend(name='short', unit='iteration', steps=(500, ), values={'AP': (20., )}, titles={'AP': 'AP'}, lower=())]


def encode(values, kind):
    return base64.b64encode(np.asarray(values, kind).tobytes()).decode()


def analysis(kind, factor):
    """Return an analysis of two classes, of which the second has no objects."""
    precision = np.stack([np.linspace(factor, 0, 101), np.linspace(factor / 2, 0, 101)]) * 10_000
    curves = dict(thresholds=[0.5, 0.75], precision=[encode(precision, '<u2'), None], mean=encode(precision, '<u2'),
                  scores=[encode(np.linspace(1, 0, 101), '<f4'), None])
    histograms = dict(overlap=0.5, edges=[0., 0.5, 1.], true_positives=[[1, 2], [0, 0]],
                      false_positives=[[3, 4], [5, 6]])
    is_semantic = kind == 'semantic'
    return dict(kind=kind, images=7, classes=['cat', '<i>dog</i>'], precision=[factor / 2, None], objects=[4, 0],
                predictions=[10, 11], confusion=dict(overlap=0.5, score=0.3, counts=[[3, 0, 1], [0, 0, 0], [6, 2, 0]]),
                curves=None if is_semantic else curves, histograms=None if is_semantic else histograms)


@pytest.fixture(scope='module')
def analyses_page(tmp_path_factory):
    pytest.importorskip('plotly')
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    target = tmp_path_factory.mktemp('analyses') / 'page.html'
    compared = [{**one, 'analyses': [analysis(one['kind'], 1.), analysis(one['kind'], 0.5)]} for one in comparisons()]
    write_page(rank(published_entries()), target, comparisons=compared, trends=RUNS)
    return target


@pytest.fixture
def shown(browser, analyses_page):
    return fresh(browser, analyses_page)


def test_training_runs(shown):
    long, short = plot_by_id(shown, 'plot-trends')
    assert (long['x'], long['y']) == ([1, 2, 4], [10, None, 30])
    assert (short['x'], short['y']) == ([500], [20])
    assert run(shown, 'document.getElementById("plot-trends").layout.xaxis.title.text') == 'epoch or iteration'
    assert texts(shown, '#plot-trends .legendtext') == ['<b>long</b>', 'short']
    choose(shown, '#trend', 'NME (%)')
    assert [trace['y'] for trace in plot_by_id(shown, 'plot-trends')] == [[5, 4, 3]]
    assert run(shown, 'document.getElementById("plot-trends").layout.yaxis.title.text') == 'NME (%) (lower is better)'
    assert run(shown, 'location.hash') == '#trend=NME'
    assert not shown.get_log('browser')


def test_a_page_without_training_runs(opened):
    assert opened.find_element('id', 'trends').is_displayed() is False
    assert opened.find_element('id', 'comparison-analyses').is_displayed() is False


def test_precision_recall_curves(shown):
    first, second = plot_by_id(shown, 'comparison-analyses-curves')
    assert first['y'] == pytest.approx(np.linspace(1, 0, 101), abs=1e-4)
    assert second['y'] == pytest.approx(np.linspace(0.5, 0, 101), abs=1e-4)
    assert (first['x'][0], first['x'][-1]) == (0, 1)
    choose(shown, '#comparison-analyses [data-part=class]', 'cat')
    first, _ = plot_by_id(shown, 'comparison-analyses-curves')
    assert first['text'][0] == '<br>score 1.00'
    choose(shown, '#comparison-analyses [data-part=overlap]', '0.75')
    first, _ = plot_by_id(shown, 'comparison-analyses-curves')
    assert first['y'] == pytest.approx(np.linspace(0.5, 0, 101), abs=1e-4)
    title = run(shown, 'document.getElementById("comparison-analyses-curves").layout.title.text')
    assert title == 'Precision and recall at IoU 0.75, cat'


def test_confusion_matrices_are_normalized_by_row(shown):
    matrix, = plot_by_id(shown, 'comparison-analyses-confusion-0')
    assert matrix['z'] == [[0.75, 0, 0.25], [0, 0, 0], [0.75, 0.25, 0]]
    assert [[cell[0] for cell in row] for row in matrix['customdata']] == [[3, 0, 1], [0, 0, 0], [6, 2, 0]]
    assert matrix['customdata'][1][2] == [0, '&lt;i>dog&lt;/i>', '(background)']
    axes = run(shown, '(({ xaxis, yaxis }) => [xaxis, yaxis])(document.getElementById('
               '"comparison-analyses-confusion-0").layout)')
    assert [axis['ticktext'] for axis in axes] == [['cat', '&lt;i>dog&lt;/i>', '(background)']] * 2
    assert axes[0]['title']['text'] == 'predicted class (score ≥ 0.30, IoU ≥ 0.50)'


def test_confusion_matrices_have_the_classes_that_occur(browser, tmp_path):
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    boxes, *_ = comparisons()
    one, other = analysis('bbox', 1.), analysis('bbox', 1.)
    one['confusion']['counts'] = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
    other['confusion']['counts'] = [[0, 0, 0], [0, 4, 0], [0, 1, 0]]
    write_page(rank(published_entries()), tmp_path / 'page.html', comparisons=[{**boxes, 'analyses': [one, other]}])
    fresh(browser, tmp_path / 'page.html')
    assert plot_by_id(browser, 'comparison-analyses-confusion-0')[0]['z'] == [[0, 0], [0, 0]]
    matrix, = plot_by_id(browser, 'comparison-analyses-confusion-1')
    dog = '&lt;i>dog&lt;/i>'
    assert matrix['customdata'][0] == [[4, dog, dog], [0, dog, '(background)']]


@pytest.fixture
def long_page(tmp_path):
    """Write a page of a comparison with long names and 80 classes, some with the same name."""
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    boxes, *_ = comparisons()
    one = analysis('bbox', 1.)
    names = [f'a long name of a class {number % 79}' for number in range(80)]
    counts = (np.eye(81, dtype=int) * 5).tolist()
    curves = dict(one['curves'], precision=[None] * 80, scores=[None] * 80)
    histograms = dict(one['histograms'], true_positives=[[1, 2]] * 80, false_positives=[[3, 4]] * 80)
    one.update(classes=names, precision=[0.5] * 80, objects=[5] * 80, predictions=[5] * 80, curves=curves,
               histograms=histograms, confusion=dict(one['confusion'], counts=counts))
    compared = {**boxes, 'names': [f'{"results_of_a_model/" * 5}{end}' for end in ('first.json', 'second.json')],
                'classes': {name: [0.5, 0.6] for name in names}, 'analyses': [one, one]}
    write_page(rank(published_entries()), tmp_path / 'page.html', comparisons=[compared])
    return tmp_path / 'page.html'


@pytest.mark.parametrize('width', [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_long_names_and_many_classes(browser, long_page, width):
    with phone(browser, width):
        fresh(browser, long_page)
        matrix, = plot_by_id(browser, 'comparison-analyses-confusion-1')
        assert (len(matrix['z']), len(matrix['z'][0])) == (81, 81)
        for axis in ('x', 'y'):
            boxes = run(browser, f'[...document.querySelectorAll("#comparison-analyses-confusion-1 .{axis}tick text")]'
                        '.map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.top, r.bottom])')
            assert 10 < len(boxes) <= 81
            assert len({tuple(box) for box in boxes}) == len(boxes)
            if axis == 'y':
                tops = sorted(box[1:] for box in boxes)
                assert all(above[1] <= below[0] + 3 for above, below in pairwise(tops))
        for name in ('curves', 'scores', 'precision'):
            plot_by_id(browser, f'comparison-analyses-{name}')
        assert all(len(text) < 45 for text in texts(browser, '#comparison-analyses-precision .legendtext'))
        assert run(browser, 'document.documentElement.scrollWidth') <= width
        assert not browser.get_log('browser')


@pytest.fixture
def pair_page(tmp_path):
    """Write a page of local results with analyses, which are read from their files."""
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    rows = []
    for number in range(1, 13):
        file = tmp_path / f'{number}.analysis.json'
        file.write_text(json.dumps(dict(bbox=analysis('bbox', 1 / number), segm=analysis('segm', 1.))))
        rows.append(make_entry(task='detection', source='own', place='mine', data='sample', split='val', store='board',
                               number=number, whole=False, images=7, metrics={'AP': 50. - number}, analysis=str(file)))
    write_page(rank(rows), tmp_path / 'page.html')
    return tmp_path / 'page.html'


def test_analyses_of_two_rows(browser, pair_page):
    fresh(browser, pair_page)
    first, second = plot_by_id(browser, 'pair-analyses-precision')
    assert (first['name'], second['name']) == ('first, board 1', 'second, board 2')
    assert (first['x'], second['x']) == ([50], [25])
    choose(browser, '#second', texts(browser, '#second option')[2])
    assert plot_by_id(browser, 'pair-analyses-precision')[1]['x'] == [pytest.approx(100 / 6)]
    assert len(texts(browser, '#second option')) == 10  # files of more rows would make the page too large
    choose(browser, '#pair-analyses [data-part=kind]', 'Masks')
    assert plot_by_id(browser, 'pair-analyses-precision')[1]['x'] == [50]
    assert not browser.get_log('browser')


def test_score_histograms(shown):
    traces = plot_by_id(shown, 'comparison-analyses-scores')
    assert [trace['y'] for trace in traces[:2]] == [[1, 2, 2], [8, 10, 10]]  # sums of the classes
    assert [trace['name'] for trace in traces] == [
        'old &lt;/script>, true positives', 'old &lt;/script>, false positives', 'new, true positives',
        'new, false positives']


def test_precision_of_each_class(shown):
    first, second = plot_by_id(shown, 'comparison-analyses-precision')
    assert (first['x'], second['x'], first['y']) == ([50], [25], ['cat'])


def test_label_maps_have_no_curves(shown):
    choose(shown, '#comparison', 'c and d (label maps, 7 images)')
    assert shown.find_element('id', 'comparison-analyses-curves').is_displayed() is False
    assert shown.find_element('id', 'comparison-analyses-scores').is_displayed() is False
    matrix, = plot_by_id(shown, 'comparison-analyses-confusion-1')
    assert 'pixels' in matrix['hovertemplate']
    assert not shown.get_log('browser')
