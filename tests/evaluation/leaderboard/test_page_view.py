"""Tests of the view of the HTML page in a browser: address, colors, screens, keyboard and accessibility."""

from __future__ import annotations

import pytest
from page_actions import (
    COCO,
    choose,
    click_head,
    column,
    column_names,
    fresh,
    phone,
    plot,
    run,
    shown_rows,
    texts,
    violations,
)

pytest_plugins = 'page_fixtures'

PLOTS = ('macs_in_billions', 'ms', 'weights_in_millions', 'sizes')


def address(browser):
    return run(browser, 'decodeURIComponent(location.hash)')


def theme(browser):
    return run(browser, 'getComputedStyle(document.body).backgroundColor')


def test_the_address_keeps_the_view(opened, page):
    choose(opened, '#board', COCO)
    choose(opened, '[data-filter=width]', 'W32')
    opened.find_element('id', 'search').send_keys('mask')
    click_head(opened, 'APs')
    choose(opened, '#axes', 'linear')
    opened.find_element('id', 'theme').click()
    opened.find_element('css selector', '#columns summary').click()
    opened.find_element('css selector', '#column-list input[value="mask AP"]').click()
    expected = (column_names(opened), column(opened, 'AP'), theme(opened))
    view = run(opened, 'location.hash')
    fresh(opened, page)
    assert shown_rows(opened) == 4
    fresh(opened, page, view)
    assert (column_names(opened), column(opened, 'AP'), theme(opened)) == expected
    assert opened.find_element('id', 'search').get_attribute('value') == 'mask'
    assert run(opened, 'document.querySelector("[aria-sort]").dataset.column') == 'APs'
    assert run(opened, 'document.getElementById("axes").value') == 'linear'


def test_the_address_keeps_a_pair_and_a_comparison(opened, page):
    choose(opened, '#second', run(opened, 'document.getElementById("first").selectedOptions[0].textContent'))
    choose(opened, '#comparison', 'c and d (label maps, 7 images)')
    fresh(opened, page, run(opened, 'location.hash'))
    assert run(opened, 'document.getElementById("second").selectedIndex') == 0
    assert opened.find_element('id', 'comparison-title').text.startswith('c and d')


def go(browser, steps):
    # the button of the browser skips entries that scripts made without a gesture
    browser.execute_async_script('const [steps, done] = arguments; history.go(steps);'
                                 'addEventListener("hashchange", () => setTimeout(done, 50), { once: true });', steps)


@pytest.fixture
def new_tab(browser, page):
    """Open the page in a tab of its own, since a tab keeps 50 entries of its history only."""
    first = browser.current_window_handle
    browser.switch_to.new_window('tab')
    browser.get(page.as_uri())
    yield browser
    browser.close()
    browser.switch_to.window(first)


def test_going_back(new_tab):
    choose(new_tab, '#board', COCO)
    choose(new_tab, '[data-filter=source]', 'mmdet')
    number = shown_rows(new_tab)
    click_head(new_tab, 'AP')
    go(new_tab, -2)
    assert shown_rows(new_tab) == 226
    go(new_tab, -1)
    assert shown_rows(new_tab) == 4
    go(new_tab, 2)
    assert shown_rows(new_tab) == number


def test_unknown_values_in_the_address_are_ignored(opened):
    for view in ('#board=nothing&method=nothing&sort=%2Bnothing&theme=nothing&axes=nothing&first=nothing&comparison=99',
                 '#<script>alert(1)</script>', '#sort=&column=nothing&comparison=__proto__', '#table', '#%',
                 '#board=__proto__&sort=%2B__proto__&first=constructor&trend=toString&column=__proto__&width=valueOf'):
        opened.execute_async_script('addEventListener("hashchange", () => setTimeout(arguments[1]), { once: true });'
                                    'location.hash = arguments[0];', view)
        assert shown_rows(opened) == 4
        assert column_names(opened)[:2] == ['#', 'model']
        assert opened_board(opened).startswith('detection, sample')
        assert not opened.get_log('browser')


def opened_board(browser):
    return run(browser, 'document.getElementById("board").selectedOptions[0].textContent')


def test_your_results_are_first(opened):
    assert texts(opened, '#board optgroup:first-child option') == [
        'detection, sample val2017 (not a complete published split)']
    assert opened_board(opened) == texts(opened, '#board option')[0]
    assert shown_rows(opened) == 4


def wait_for_paper(browser, color):
    """Wait until a plot has a background. The page draws it again when the theme has changed."""
    from selenium.webdriver.support.wait import WebDriverWait
    plot(browser, 'ms')
    script = 'document.getElementById("plot-ms").layout.paper_bgcolor'
    WebDriverWait(browser, 10).until(lambda page: run(page, script) == color)


def test_dark_mode(opened):
    light = theme(opened)
    opened.execute_cdp_cmd('Emulation.setEmulatedMedia', dict(features=[
        dict(name='prefers-color-scheme', value='dark')]))
    try:
        dark = theme(opened)
        assert dark != light
        wait_for_paper(opened, dark)
        opened.find_element('id', 'theme').click()
        assert theme(opened) == light
        assert address(opened) == '#theme=light'
        wait_for_paper(opened, light)
    finally:
        opened.execute_cdp_cmd('Emulation.setEmulatedMedia', dict(features=[]))
    opened.find_element('id', 'theme').click()
    assert theme(opened) == dark


def test_high_contrast_keeps_the_colors_of_plots(opened):
    opened.execute_cdp_cmd('Emulation.setEmulatedMedia', dict(features=[dict(name='forced-colors', value='active')]))
    try:
        opened.refresh()
        points = plot(opened, 'ms')[0]
        paper = run(opened, 'document.getElementById("plot-ms").layout.paper_bgcolor')
        assert points['marker']['color'] != paper
        shown = run(opened, 'getComputedStyle(document.querySelector("#plot-ms .points path")).fill')
        assert shown == points['marker']['color']
    finally:
        opened.execute_cdp_cmd('Emulation.setEmulatedMedia', dict(features=[]))


def test_another_width_keeps_the_focus(coco):
    coco.execute_script('document.querySelector("#table [data-column=AP] button").focus()')
    coco.set_window_size(1100, 900)
    coco.execute_async_script('setTimeout(arguments[0], 200)')
    assert run(coco, 'document.activeElement.closest("th")?.dataset.column') == 'AP'


def right(browser, selector):
    return run(browser, 'document.querySelector(arguments[0]).getBoundingClientRect().right', selector)


@pytest.mark.parametrize('width', [390, pytest.param(360, marks=pytest.mark.slow)])
def test_phones(opened, width):
    with phone(opened, width):
        opened.refresh()
        choose(opened, '#board', COCO)
        assert run(opened, 'document.documentElement.scrollWidth') <= width
        for name in PLOTS:
            plot(opened, name)
            assert right(opened, f'#plot-{name} svg') <= width
        # model, ranking metric and source are in sight
        assert right(opened, '#table tbody td:nth-child(3)') <= width
        assert 'paper' in column(opened, 'model')[0]
        controls = 'document.querySelectorAll("form select, form input, form button, summary")'
        assert run(opened, f'Math.min(...[...{controls}].map((e) => e.getBoundingClientRect().height))') >= 40
        assert float(run(opened, 'parseFloat(getComputedStyle(document.querySelector("td")).fontSize)')) >= 14
        opened.find_element('css selector', '#columns summary').click()
        assert run(opened, 'document.querySelector(".panel").getBoundingClientRect().left') >= 0
        assert right(opened, '.panel') <= width
        assert run(opened, 'document.documentElement.scrollWidth') <= width


def focused(browser):
    return run(browser, '((e) => e.id || e.className || e.dataset.filter || e.type || e.tagName)'
               '(document.activeElement)')


def test_keyboard_navigation(opened):
    from selenium.webdriver import ActionChains, Keys
    choose(opened, '#board', COCO)
    opened.execute_script('document.querySelector(".skip").focus()')
    reached = [focused(opened)]
    for _ in range(14):
        ActionChains(opened).send_keys(Keys.TAB).perform()
        reached.append(focused(opened))
        assert run(opened, 'getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    assert reached[:13] == ['skip', 'theme', 'board', 'method', 'width', 'schedule', 'source', 'search', 'reset',
                            'grouped', 'SUMMARY', 'download', 'table']
    assert run(opened, 'document.activeElement.closest("th") !== null')
    ActionChains(opened).send_keys(Keys.ENTER).perform()
    assert run(opened, 'document.querySelectorAll("[aria-sort]").length') == 1
    # every control has a name
    assert run(opened, '[...document.querySelectorAll("select, input")].every((e) => e.labels.length === 1)')


def test_the_menu_of_columns_by_keyboard(opened):
    from selenium.webdriver import ActionChains, Keys
    opened.execute_script('document.querySelector("#columns summary").focus()')
    ActionChains(opened).send_keys(Keys.ENTER).send_keys(Keys.TAB).send_keys(Keys.SPACE).perform()
    assert 'AP' not in column_names(opened)
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert opened.find_element('id', 'columns').get_attribute('open') is None
    assert focused(opened) == 'SUMMARY'


def test_the_skip_link_keeps_the_view(opened):
    choose(opened, '#board', COCO)
    before = address(opened)
    opened.execute_script('document.querySelector(".skip").click()')
    assert (focused(opened), address(opened)) == ('table', before)


@pytest.mark.parametrize(('color', 'is_small'), [
    ('light', False), ('dark', True), pytest.param('dark', False, marks=pytest.mark.slow),
    pytest.param('light', True, marks=pytest.mark.slow)])
def test_accessibility(browser, page, color, is_small):
    with phone(browser, *(() if is_small else (1280, 900))):
        fresh(browser, page, f'#theme={color}&comparison=1')
        for name in (*PLOTS, 'classes', 'comparison'):
            plot(browser, name)
        browser.execute_script('document.getElementById("columns").open = true')
        assert violations(browser) == []


@pytest.mark.slow
def test_accessibility_is_checked(opened):
    opened.execute_script('const search = document.getElementById("search"); search.placeholder = "";'
                          'search.parentElement.replaceWith(search);')
    assert [name for name, *_ in violations(opened)] == ['label']
