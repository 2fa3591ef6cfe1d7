"""Tests of the plots and comparisons of the HTML page, in a browser."""

from __future__ import annotations

from itertools import pairwise

import pytest
from leaderboard_rows import MARKUP
from page_actions import COCO, choose, fresh, plot, requested_addresses, run, shown_rows, texts

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest_plugins = 'page_fixtures'

COSTS = {'macs_in_billions': lambda row: row.cost.macs_in_billions, 'ms': lambda row: row.conditions.ms,
         'weights_in_millions': lambda row: row.cost.weights_in_millions}


def pareto(rows, cost):
    """Return the Pareto front of cost and AP, by ascending cost."""
    known = [row for row in rows if cost(row) is not None]
    best = [row for row in known if not any(
        (cost(other), -other.scores.metrics['AP']) != (cost(row), -row.scores.metrics['AP'])
        and cost(other) <= cost(row) and other.scores.metrics['AP'] >= row.scores.metrics['AP'] for other in known)]
    return sorted({(cost(row), row.scores.metrics['AP']) for row in best})


def test_plots_and_pareto_fronts(coco):
    rows = rank(published_entries())[0].entries
    for name, cost in COSTS.items():
        front_line = plot(coco, name)[-1]
        assert run(coco, f'document.querySelectorAll("#plot-{name} .scatterlayer .point").length') == sum(
            cost(row) is not None for row in rows)
        front = pareto(rows, cost)
        assert front_line['x'] == pytest.approx([x for x, _ in front])
        assert front_line['y'] == [ap for _, ap in front]


def test_precision_by_object_size(coco):
    rows = {}
    for place, row in enumerate(rank(published_entries())[0].entries, 1):
        if {'APs', 'APm', 'APl'} & set(row.scores.metrics):
            rows.setdefault(row.group, (place, row))  # the best of each model
    best = list(rows.values())[:12]
    traces = plot(coco, 'sizes')
    assert [trace['name'] for trace in traces] == ['small', 'medium', 'large']
    for trace, metric in zip(traces, ('APs', 'APm', 'APl')):
        assert trace['x'] == [row.scores.metrics.get(metric) for _, row in best]
    place, row = best[1]
    first, second = run(coco, 'document.getElementById("plot-sizes").layout.yaxis.ticktext[1]').split('<br>')
    assert first == f'{place}. {row.model.method}'
    assert second.startswith(f'{row.model.backbone} · {row.model.schedule}')
    labels = run(coco, '[...document.querySelectorAll("#plot-sizes .ytick text")].map((e) => e.getBoundingClientRect())'
                 '.map((r) => [r.top, r.bottom])')
    assert all(above[1] <= below[0] + 2 for above, below in pairwise(labels))


def test_plots_show_the_filtered_rows(coco):
    choose(coco, '[data-filter=width]', 'W32')
    choose(coco, '[data-filter=source]', 'paper')
    points, *_ = plot(coco, 'weights_in_millions')
    known = [row for row in rank(published_entries())[0].entries
             if (row.model.width, row.source) == ('W32', 'paper') and row.cost.params is not None]
    assert len(points['x']) == len(known) <= shown_rows(coco)


def test_plots_wait_until_they_are_in_sight(browser, page):
    coco = fresh(browser, page, '#board=detection,+COCO+val2017')
    assert run(coco, 'document.getElementById("plotly") !== null')  # the library has not run yet
    assert run(coco, 'document.querySelectorAll(".main-svg").length') == 0
    plot(coco, 'ms')
    assert run(coco, 'document.getElementById("plotly") === null')


def test_legends_separate_source_and_network(coco):
    items = [(trace['legend'], trace['name']) for trace in plot(coco, 'ms') if trace.get('x') == [None]]
    assert {name for legend, name in items if legend == 'legend'} == {'paper', 'official', 'mmdet'}
    assert [name for legend, name in items if legend == 'legend2'] == ['HRNet', 'other']
    assert len(texts(coco, '#plot-ms .legend .legendtext')) == 3
    assert texts(coco, '#plot-ms .legend2text') == ['HRNet', 'other', 'Pareto front']


def test_cost_axes(coco):
    def axis(name):
        plot(coco, name)
        return run(coco, f'document.getElementById("plot-{name}").layout.xaxis.type')

    assert axis('macs_in_billions') == 'linear'  # 171 to 717
    assert axis('weights_in_millions') == 'log'  # 18 to 210
    choose(coco, '#axes', 'logarithmic')
    assert axis('macs_in_billions') == 'log'
    choose(coco, '#axes', 'linear')
    assert axis('weights_in_millions') == 'linear'


def test_labels_of_the_pareto_front(coco):
    for name in COSTS:
        plot(coco, name)
        boxes = run(coco, f'[...document.querySelectorAll("#plot-{name} .annotation")].map((e) => '
                    'e.getBoundingClientRect()).map((r) => [r.left, r.right, r.top, r.bottom])')
        assert len(boxes) >= 2
        for place, one in enumerate(boxes):
            assert not any(one[0] < other[1] and other[0] < one[1] and one[2] + 4 < other[3] and other[2] + 4 < one[3]
                           for other in boxes[place + 1:])
    labels = texts(coco, '#plot-macs_in_billions .annotation')
    assert 'Hybrid Task Cascade, W48' in labels


@pytest.mark.slow
def test_export_as_png(coco, tmp_path):
    coco.execute_cdp_cmd('Browser.setDownloadBehavior', dict(behavior='allow', downloadPath=str(tmp_path)))
    plot(coco, 'ms')
    buttons = run(coco, '[...document.querySelectorAll("#plot-ms .modebar-btn")].map((e) => e.dataset.title)')
    assert len(buttons) == 4
    coco.execute_script('document.querySelector("#plot-ms .modebar-btn").click()')
    coco.execute_async_script('setTimeout(arguments[0], 2500)')
    file = tmp_path / 'detection-coco-val2017-ap-over-ms-per-image.png'
    assert file.read_bytes()[:4] == b'\x89PNG'
    assert not coco.get_log('browser')


def test_ranking_by_an_error(browser, errors_page):
    fresh(browser, errors_page)
    front = plot(browser, 'macs_in_billions')[-1]
    assert (front['x'], front['y']) == ([1, 4, 5], [4, 3, 0])
    axis = run(browser, 'document.getElementById("plot-macs_in_billions").layout.yaxis.title.text')
    assert axis == 'NME (lower is better)'


def test_texts_of_records_are_escaped(browser, errors_page):
    fresh(browser, errors_page)
    for name in ('sizes', 'classes', 'macs_in_billions'):
        plot(browser, name)
    assert texts(browser, '#plot-sizes .ytick text')[0].startswith('1. <a href=')
    assert run(browser, 'document.querySelector("#plot-classes .ytick text").textContent') == MARKUP
    assert any(text.startswith('<a href=') for text in texts(browser, '#plot-macs_in_billions .annotation'))
    assert run(browser, 'document.querySelectorAll("svg a, svg tspan[style]").length') == 0
    assert not [address for address in requested_addresses(browser) if 'nowhere.invalid' in address]
    assert not browser.get_log('browser')


def test_comparison_of_two_rows(opened):
    assert opened.find_element('id', 'pair').is_displayed()
    drawn, = plot(opened, 'classes')
    assert dict(zip(drawn['y'], drawn['x'])) == {'cat': 5, 'dog': -10}  # the best row has 45, 40
    names = run(opened, '[...document.querySelectorAll("#pictures img")].map((i) => i.alt.split(",")[0])')
    assert names[::2] == names[1::2]
    assert sorted(names[::2]) == ['0.png', '1.png', '2.png']
    opened.execute_script('document.getElementById("pictures").scrollIntoView()')
    opened.execute_async_script('Promise.all([...document.querySelectorAll("#pictures img")].map((i) => i.decode()))'
                                '.then(arguments[0])')
    assert run(opened, '[...document.querySelectorAll("#pictures img")].map((i) => i.naturalWidth)') == [640] * 6
    choose(opened, '#first', run(opened, 'document.getElementById("second").selectedOptions[0].textContent'))
    assert set(plot(opened, 'classes')[0]['x']) == {0}
    choose(opened, '#board', COCO)
    assert opened.find_element('id', 'pair').is_displayed() is False


def test_a_comparison(opened):
    text = opened.find_element('id', 'comparison-text').text
    assert text == ('Boxes in 7 images. AP of new minus AP of old </script>: \u221210.0, 95 % interval \u221220.0 '
                    'to +5.0 (paired bootstrap, 99 draws): no significant difference. new has the higher AP in '
                    '20 % of the draws.')
    assert opened.find_element('id', 'comparison-title').text == 'old </script> and new: boxes, 7 images'
    assert texts(opened, '#comparison-errors tbody td') == ['missed', '3', '1', '+30.0', '+10.0']
    assert texts(opened, '#comparison-metrics tbody td') == ['AP', '50.0', '40.0', '\u221210.0', 'APm', '', '30.0', '']
    drawn, = plot(opened, 'comparison')
    assert dict(zip(drawn['y'], drawn['x'])) == {'dog': pytest.approx(-30), 'cat': pytest.approx(10)}
    assert '1.jpg (+50.0)' in opened.find_element('id', 'comparison-images').text


def test_comparisons_are_apart_from_the_ranking(opened):
    choose(opened, '#board', 'pose, MPII val')
    assert 'independent of the dataset chosen above' in opened.find_element('id', 'comparisons').text
    assert opened.find_element('id', 'comparison-title').text == 'old </script> and new: boxes, 7 images'
    assert run(opened, 'document.querySelector("main").lastElementChild.id') == 'comparisons'


def test_comparisons_of_keypoints_and_label_maps(opened):
    choose(opened, '#comparison', 'a and b (keypoints, 7 images)')
    text = opened.find_element('id', 'comparison-text').text
    assert text.startswith('Keypoints in 7 images. AP of b minus AP of a: ')
    assert texts(opened, '#comparison-errors td') == ['missed', '3', '1', '30.0', '10.0']
    assert 'mean OKS lost (%)' in opened.find_element('css selector', '#comparison-errors thead').text
    assert texts(opened, '#comparison-keypoints td') == ['nose', '50.0', '70.0', '+20.0']
    choose(opened, '#comparison', 'c and d (label maps, 7 images)')
    text = opened.find_element('id', 'comparison-text').text
    assert text.startswith('Label maps in 7 images. mIoU of d minus mIoU of c: ')
    assert 'd has the higher mIoU in 20 %' in text
    assert texts(opened, '#comparison-metrics td') == ['mIoU', '40.0', '40.0', '+0.0']
    assert texts(opened, '#comparison-errors td') == texts(opened, '#comparison-keypoints td') == []
