"""Tests of the table of the HTML page, in a browser."""

from __future__ import annotations

import csv
import io

import pytest
from leaderboard_rows import make_entry
from page_actions import choose, click_head, column, column_names, fresh, phone, run, shown_rows, texts

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest_plugins = 'page_fixtures'

def test_sorting(coco):
    board = rank(published_entries())[0]
    assert column(coco, 'AP') == [f'{row.scores.metrics["AP"]:.1f}' for row in board.entries]
    click_head(coco, 'APs')
    cells = column(coco, 'APs')
    values = [float(text) for text in cells if text]
    assert values == sorted(values, reverse=True)
    assert len(values) > 50
    known = [bool(text) for text in cells]
    assert known == sorted(known, reverse=True)  # missing values are last
    click_head(coco, 'APs')
    cells = column(coco, 'APs')
    values = [float(text) for text in cells if text]
    assert values == sorted(values)
    assert [bool(text) for text in cells] == known
    assert run(coco, '[...document.querySelectorAll("[aria-sort]")].map((h) => h.getAttribute("aria-sort"))') == [
        'ascending']
    click_head(coco, 'model')
    models = column(coco, 'model')
    assert models[0].startswith('Cascade Mask R-CNN')
    methods = [text.splitlines()[0].lower() for text in models]
    assert methods == sorted(methods)


def test_costs_sort_from_low_to_high(coco):
    click_head(coco, 'params')
    values = [float(text) for text in column(coco, 'params') if text]
    assert values == sorted(values)


def test_filtering(coco):
    rows = rank(published_entries())[0].entries
    choose(coco, '[data-filter=width]', 'W32')
    choose(coco, '[data-filter=source]', 'paper')
    wanted = [row for row in rows if (row.model.width, row.source) == ('W32', 'paper')]
    assert column(coco, 'AP') == [f'{row.scores.metrics["AP"]:.1f}' for row in wanted]
    assert coco.find_element('id', 'count').text == f'{len(wanted)} of {len(rows)} rows'
    coco.find_element('id', 'search').send_keys('mask 2X')
    assert shown_rows(coco) == sum('Mask' in row.model.method and row.model.schedule == '2x' for row in wanted)
    coco.find_element('css selector', 'button[type=reset]').click()
    assert shown_rows(coco) == len(rows)
    choose(coco, '#board', 'pose, MPII val')
    assert shown_rows(coco) == sum(row.data.data == 'MPII' for row in published_entries())
    assert coco.find_element('id', 'sizes').is_displayed() is False


def test_first_rows_differ_in_sight(coco):
    for width in (1280, 1920):
        coco.set_window_size(width, 1000)
        names = column_names(coco)
        assert names[:4] == ['#', 'model', 'AP', 'where']
        place = run(coco, 'document.querySelector("[data-column=where]").getBoundingClientRect().right')
        assert place <= width
        assert run(coco, '((e) => e.scrollWidth - e.clientWidth)(document.querySelector("#table"))') == 0
        rows = [row[1:4] for row in run(coco, '[...document.querySelectorAll("#table tbody tr")].slice(0, 3).map('
                                        '(row) => [...row.cells].map((cell) => cell.innerText))')]
        assert len({tuple(row) for row in rows}) == 3
    assert len(names) > 12  # wider screens show more columns


def test_columns_without_values_are_hidden(coco):
    assert {'AP50', 'APs', 'ms'} <= set(column_names(coco))
    rows = [row for row in rank(published_entries())[0].entries if row.source == 'mmdet']
    assert not any({'AP50', 'APs'} & set(row.scores.metrics) for row in rows)
    choose(coco, '[data-filter=source]', 'mmdet')
    assert not {'AP50', 'APs'} & set(column_names(coco))
    assert {'mask AP', 'ms'} <= set(column_names(coco))


def test_choosing_columns(coco):
    coco.find_element('css selector', '#columns summary').click()
    box = coco.find_element('css selector', '#column-list input[value="mask APl"]')
    assert not box.is_selected()
    box.click()
    coco.find_element('css selector', '#column-list input[value="APs"]').click()
    assert 'mask APl' in column_names(coco)
    assert 'APs' not in column_names(coco)
    assert any(column(coco, 'mask APl'))
    coco.find_element('id', 'columns-automatic').click()
    assert 'mask APl' not in column_names(coco)
    assert 'APs' in column_names(coco)
    coco.find_element('id', 'search').click()
    assert coco.find_element('id', 'columns').get_attribute('open') is None  # a click elsewhere closes the menu


def test_rank_and_model_stay_in_sight(coco):
    with phone(coco):
        coco.refresh()
        coco.find_element('css selector', '#columns summary').click()
        for name in ('AP50', 'AP75', 'APs', 'APm'):
            coco.find_element('css selector', f'#column-list input[value="{name}"]').click()
        left = ('[...document.querySelectorAll("#table tbody tr:first-child td")].slice(0, 3).map((cell) => '
                'cell.getBoundingClientRect().left)')
        before = run(coco, left)
        coco.execute_script('document.querySelector("#table").scrollLeft = 150')
        after = run(coco, left)
        assert after[:2] == before[:2]
        assert after[2] == before[2] - 150


def test_directions(browser, errors_page):
    fresh(browser, errors_page)
    heads = {text.split()[0]: text.split()[1:] for text in texts(browser, '#table thead th')}
    assert heads['NME'] == ['↓', 'lower', 'is', 'better']
    assert heads['APm'] == ['↑', 'higher', 'is', 'better']
    assert heads['odd'] == ['?', 'unknown', 'direction']
    assert heads['ms'] == ['↓', 'lower', 'is', 'better']


def test_ranking_by_an_error(browser, errors_page):
    fresh(browser, errors_page)
    values = ['0.00', '3.00', '3.50', '4.00', '5.00', '']
    assert column(browser, 'NME') == values
    assert 'by NME (lower is better)' in browser.find_element('id', 'board').text
    click_head(browser, 'NME')
    assert column(browser, 'NME') == values
    click_head(browser, 'NME')
    assert column(browser, 'NME') == ['5.00', '4.00', '3.50', '3.00', '0.00', '']


def test_results_on_other_images_are_marked(opened):
    assert texts(opened, '#table td.model .partial') == ['only 100 images, not a published split'] * 4
    assert texts(opened, '#table td .badge') == ['your result'] * 4
    assert column(opened, 'config') == ['mine'] * 4


def test_only_near_rows_exist(coco):
    assert run(coco, 'document.querySelectorAll("#table tbody tr[aria-rowindex]").length') < 150
    assert run(coco, 'document.querySelector("#table table").getAttribute("aria-rowcount")') == '227'
    from selenium.webdriver import ActionChains, Keys
    coco.execute_script('document.getElementById("table").focus()')
    ActionChains(coco).send_keys(Keys.END).perform()
    coco.execute_async_script('setTimeout(arguments[0], 600)')
    last = run(coco, 'document.querySelector("#table tbody:last-child tr:last-child").getAttribute("aria-rowindex")')
    assert last == '227'
    assert run(coco, '((e) => e.scrollHeight - e.scrollTop - e.clientHeight)(document.querySelector("#table"))') < 100


# keeps the text of the file that the page saves
SAVED = '''
const [done] = arguments;
const create = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  URL.createObjectURL = create;
  blob.text().then(done);
  return create(blob);
};
document.getElementById('download').click();'''


def test_download_of_what_is_shown(coco):
    choose(coco, '[data-filter=source]', 'mmdet')
    click_head(coco, 'ms')
    rows = list(csv.reader(io.StringIO(coco.execute_async_script(SAVED), newline='')))
    titles = {'#': '#', 'model': 'Model', 'where': 'Source', 'params': 'params (M)', 'gflops': 'GFLOPs',
              'config': 'Config', 'links': 'Links'}
    assert rows[0] == [titles.get(name, name) for name in column_names(coco)]
    for name in ('#', 'AP', 'ms'):
        place = rows[0].index(name)
        saved = [float(row[place] or -1) for row in rows[1:]]
        assert saved == pytest.approx([float(text or -1) for text in column(coco, name)], abs=0.051)


@pytest.mark.slow
def test_the_file_is_saved(coco, tmp_path):
    coco.execute_cdp_cmd('Browser.setDownloadBehavior', dict(behavior='allow', downloadPath=str(tmp_path)))
    coco.find_element('id', 'download').click()
    coco.execute_async_script('setTimeout(arguments[0], 1500)')
    file = tmp_path / 'detection-coco-val2017.csv'
    assert len(file.read_text().splitlines()) == shown_rows(coco) + 1
    assert not coco.get_log('browser')


def test_downloaded_texts_are_no_formulas(browser, tmp_path):
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    rows = [make_entry(task='detection', source='own', place=place, config=place, method='m', data='x', split='val',
                       store='s', number=1, metrics={'AP': -1.5})
            for place in ('=1+1', '+a', '-b', '@c', 'd,"e"', '-', 'a; -b', 'a;=1')]
    write_page(rank(rows), tmp_path / 'page.html')
    fresh(browser, tmp_path / 'page.html')
    found = list(csv.DictReader(io.StringIO(browser.execute_async_script(SAVED), newline='')))
    assert [row['Config'] for row in found] == ["'=1+1", "'+a", "'-b", "'@c", 'd,"e"', '-', 'a; -b', "a;'=1"]
    assert {row['AP'] for row in found} == {'-1.5'}  # a number
