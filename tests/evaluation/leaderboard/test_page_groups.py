"""Tests of links, image sizes and groups of models in the table of the HTML page, in a browser."""

from __future__ import annotations

from leaderboard_rows import make_entry
from page_actions import choose, click_head, column, fresh, run, shown_rows, texts

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest_plugins = 'page_fixtures'

def links(browser, row):
    return run(browser, '[...document.querySelectorAll(`#table tbody tr[aria-rowindex="${arguments[0]}"] a`)]'
               '.map((a) => [a.textContent, a.getAttribute("href")])', str(row + 2))


def test_links_of_published_rows(coco):
    entries = rank(published_entries())[0].entries
    for place, entry in enumerate(entries[:20]):
        names = {'checkpoint', 'paper'} if entry.source != 'paper' else {'checkpoint'}
        wanted = {(name, entry.links[name]) for name in names if name in entry.links}
        found = set(map(tuple, links(coco, place)))
        assert found == wanted | {(entry.place, entry.links['source'])}
    assert column(coco, 'config') == [entry.config for entry in entries]


def test_only_https_addresses_become_links(browser, tmp_path):
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    row = make_entry(task='detection', source='mmdet', place='here', method='m', data='x', split='val',
                     metrics={'AP': 1.},
                     links={'source': 'javascript:alert(1)', 'checkpoint': 'http://nowhere.invalid/a'})
    write_page(rank([row]), tmp_path / 'page.html')
    fresh(browser, tmp_path / 'page.html')
    assert links(browser, 0) == []
    assert column(browser, 'where') == ['mmdet\nhere']


def test_other_image_sizes_are_in_the_cell(coco):
    board = rank(published_entries())[0]
    known = [entry for entry in board.entries if board.size_note(entry, 'gflops')]
    assert known
    cells = column(coco, 'gflops')
    for entry, cell in zip(board.entries, cells):
        note = board.size_note(entry, 'gflops')
        assert cell.splitlines()[1:] == ([note] if note else [])


def test_the_way_to_your_first_result(browser, tmp_path):
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    own = make_entry(task='detection', source='own', place='mine', config='mine', data='COCO', split='val2017',
                     store='s', number=1, metrics={'AP': 39.05})
    board, *_ = rank([*published_entries(), own])
    write_page([board], tmp_path / 'page.html')
    fresh(browser, tmp_path / 'page.html')
    place = board.entries.index(own)
    assert place > 100
    assert browser.find_element('id', 'own').text == f'Your first result: rank {place + 1}'
    browser.find_element('id', 'own').click()
    box = run(browser, 'document.querySelector("#table tr.own").getBoundingClientRect().top - '
              'document.querySelector("#table").getBoundingClientRect().top')
    assert 0 < box < 700
    choose(browser, '[data-filter=source]', 'paper')
    assert browser.find_element('id', 'own').is_displayed() is False


def test_one_row_per_model(coco):
    entries = rank(published_entries())[0].entries
    first = [entry for entry in entries if entry.group == entries[0].group]
    assert len(first) == 3
    coco.find_element('id', 'grouped').click()
    models = len({entry.group for entry in entries})
    assert coco.find_element('id', 'count').text == f'{len(entries)} of {len(entries)} rows, {models} models'
    ranks = column(coco, '#')
    assert len(ranks) == models
    assert ranks[0] == '1'
    button = coco.find_element('css selector', '#table .more')
    assert button.text.startswith('Show 2 more')
    button.click()
    assert column(coco, '#')[:3] == ['1', '2', '3']
    assert [text.splitlines()[1] for text in column(coco, 'where')[:3]] == [entry.place for entry in first]
    assert run(coco, 'document.activeElement.getAttribute("aria-expanded")') == 'true'
    run(coco, 'document.activeElement.click()')
    assert len(column(coco, '#')) == models


def test_groups_follow_the_order_of_the_table(coco):
    coco.find_element('id', 'grouped').click()
    click_head(coco, 'ms')
    times = [float(text.split()[0]) for text in column(coco, 'ms') if text]
    assert times == sorted(times)


def test_the_address_keeps_groups(coco, page):
    coco.find_element('id', 'grouped').click()
    number = len(column(coco, '#'))
    fresh(coco, page, run(coco, 'location.hash'))
    assert len(column(coco, '#')) == number < shown_rows(coco)
    assert texts(coco, '#table .more')
