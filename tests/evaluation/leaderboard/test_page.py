"""Tests of the HTML page as a file."""

from __future__ import annotations

import json
import re

import pytest
from leaderboard_rows import make_entry
from page_actions import requested_addresses, run

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest.importorskip('plotly')
from hrnet_plugin.evaluation.leaderboard.page import write as writer
from hrnet_plugin.evaluation.leaderboard.page import write_page

pytest_plugins = 'page_fixtures'


def page_data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)[1])


def test_the_page_is_self_contained(page):
    assert [file.name for file in page.parent.iterdir()] == ['page.html']
    text = page.read_text()
    page_text = re.sub(r'<script[^>]*>.*?</script>', '', text, flags=re.S)
    assert not re.search(r'(src|href)\s*=\s*["\'](?!#|data:)', page_text)
    assert not re.search(r'@\w+@', page_text)
    assert '<title>A &lt;title&gt;</title>' in text
    data = page_data(page)
    assert sum(len(board['rows']) for board in data['boards']) == len(published_entries()) + 4
    board, = (board for board in data['boards'] if 'sample' in board['title'])
    assert [row['rank'] for row in board['rows']] == [1, 2, 3, 4]
    assert '</script>' in board['rows'][0]['model']
    assert [sorted(row.get('pictures', ())) for row in board['rows']] == [['0.png', '1.png', '2.png']] * 2 + [[], []]


def test_all_scripts_are_in_the_page():
    folder = writer.SCRIPTS_FOLDER
    assert sorted(f'{name}.js' for name in writer.SCRIPTS) == sorted(file.name for file in folder.iterdir())


def test_rankings_with_your_results_are_first(page):
    boards = page_data(page)['boards']
    assert [board['own'] for board in boards] == [True] + [False] * (len(boards) - 1)
    published = [board['title'] for board in boards[1:]]
    assert published == [board.title for board in rank(published_entries())]


def test_classes_are_listed_once_per_ranking(page):
    board = page_data(page)['boards'][0]
    assert board['classes'] == ['cat', 'dog', 'emu']
    assert [row.get('classes') for row in board['rows']] == [[45, 40, None], [50, 30, 5], None, None]


def test_values_keep_seven_digits(tmp_path):
    row = make_entry(task='detection', source='own', place='mine', data='x', split='val', metrics={'AP': 100 / 3},
                     classes={'AP': {'cat': 200 / 3}})
    write_page(rank([row]), tmp_path / 'page.html')
    row, = page_data(tmp_path / 'page.html')['boards'][0]['rows']
    assert (row['metrics'], row['classes']) == ([33.33333], [66.66667])
    assert not {'schedule', 'note', 'ms', 'pictures', 'params'} & set(row)  # empty values take no space


def test_a_page_without_rows(tmp_path):
    write_page([], tmp_path / 'empty.html')
    assert '"boards":[]' in (tmp_path / 'empty.html').read_text()


def test_direction_in_the_page_data(errors_page):
    board, = page_data(errors_page)['boards']
    assert board['title'] == 'pose, WFLW test (not a complete published split), by NME (lower is better)'
    assert board['metric'] == 'NME'
    assert {metric['name']: metric['direction'] for metric in board['metrics']} == {
        'NME': 'lower', 'APm': 'higher', 'odd': 'unknown'}
    nme = [metric['name'] for metric in board['metrics']].index('NME')
    assert [(row.get('rank'), row['metrics'][nme]) for row in board['rows']] == [
        (1, 0), (2, 3), (3, 3.5), (4, 4), (5, 5), (None, None)]


def test_no_errors_and_no_requests(opened, page):
    assert not opened.get_log('browser')
    requested = requested_addresses(opened)
    assert page.as_uri() in requested
    assert {url for url in requested if not url.startswith(('data:', 'blob:', 'chrome'))} == {page.as_uri()}
    assert opened.title == 'A <title>'


def test_content_security_policy(browser, errors_page):
    browser.get(errors_page.as_uri())
    script = ('const [done] = arguments;'
              'document.addEventListener("securitypolicyviolation", (event) => done(event.blockedURI));'
              'document.body.append(Object.assign(new Image(), { src: "https://nowhere.invalid/c" }));')
    assert browser.execute_async_script(script) == 'https://nowhere.invalid/c'


def test_a_page_without_rows_in_the_browser(browser, tmp_path):
    write_page([], tmp_path / 'empty.html')
    browser.get_log('browser')
    browser.get((tmp_path / 'empty.html').as_uri())
    assert 'No rows.' in run(browser, 'document.querySelector("main").innerText')
    assert not browser.get_log('browser')


def test_injected_scripts_do_not_run(browser, errors_page):
    browser.get(errors_page.as_uri())
    script = ('const [done] = arguments;'
              'document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));'
              'const script = Object.assign(document.createElement("script"), { textContent: "window.bad = 1" });'
              'document.body.append(script);')
    assert browser.execute_async_script(script) == 'script-src-elem'
    assert run(browser, 'window.bad') is None


def test_characters_of_foreign_records(browser, tmp_path):
    row = make_entry(task='detection', source='own', place='mine', method='a\u202eb\u2066', note='\ud800@data@\0',
                     data='x', split='val', metrics={'AP': 1.})
    write_page(rank([row]), tmp_path / 'page.html', '@data@\udc80')
    assert page_data(tmp_path / 'page.html')['boards'][0]['rows'][0]['method'] == 'a\ufffdb\ufffd'
    browser.get_log('browser')
    browser.get((tmp_path / 'page.html').as_uri())
    assert '@data@' in run(browser, 'document.querySelector("td.model").textContent')
    assert not browser.get_log('browser')
