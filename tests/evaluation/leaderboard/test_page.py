"""Tests of the HTML page, partly in a browser."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from leaderboard_rows import make_entry
from PIL import Image

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest.importorskip('plotly')
from hrnet_plugin.evaluation.leaderboard.page import write_page

BROWSER, DRIVER = shutil.which('chromium') or shutil.which('google-chrome'), shutil.which('chromedriver')
in_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason='no Chromium with its driver: apt-get install '
                                'chromium chromium-driver')


def local_row(number, folder, ap, classes):
    return make_entry(
        task='detection', source='own', place='mine', method='Faster R-CNN', backbone='HRNetV2p-W18', note='</script>',
        data='sample', split='val2017', images=100, whole=False, store='board', number=number,
        metrics={'AP': ap, 'APs': ap - 5, 'APm': ap, 'APl': ap + 5}, classes={'AP': classes}, ms=10. * number,
        params=1. * number, gflops=2. * number, unit='MACs / 1e9; weights / 1e6', pictures=str(folder))


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """Write a page of the published rows and four local results, with classes and visualizations."""
    folder = tmp_path_factory.mktemp('page')
    for name, color in (('first', 'red'), ('second', 'blue')):
        (folder / name).mkdir()
        for k in range(3):
            Image.new('RGB', (900, 300), color).save(folder / name / f'{k}.png')
    (folder / 'second' / 'other.png').write_bytes(b'')
    (folder / 'third').mkdir()
    for name in ('2.png', 'third.png'):
        (folder / 'third' / name).write_bytes(b'broken')
    rows = [local_row(1, folder / 'first', 40., {'cat': 50., 'dog': 30., 'emu': 5.}),
            local_row(2, folder / 'second', 45., {'cat': 45., 'dog': 40.}),
            local_row(3, '/not/there', 20., {}), local_row(4, folder / 'third', 10., {})]
    target = folder / 'board' / 'page.html'
    target.parent.mkdir()
    errors = [dict(numbers=dict(missed=k), costs=dict(missed=k / 10)) for k in (3, 1)]
    comparison = dict(
        names=['old </script>', 'new'], kind='bbox', images=7, covered=[7, 7],
        metrics={'AP': [.5, .4], 'APs': [None, None], 'APm': [None, .3]},
        classes=dict(cat=[.5, .6], dog=[.4, .1], emu=[None, None]),
        interval=dict(difference=-.1, low=-.2, high=.05, better=.2, equal=0, draws=99), errors=errors,
        differing=[['1.jpg', [0., .5]]])
    points = {**comparison, 'names': ['a', 'b'], 'kind': 'keypoints',
              'keypoints': dict(nose=[.5, .7], toe=[None, None])}
    maps = {**comparison, 'names': ['c', 'd'], 'kind': 'semantic', 'metrics': {'mIoU': [.4, .4 - 1e-9]}}
    del maps['errors']
    boards = sorted(rank([*published_entries(), *rows]), key=lambda board: board.has_local)  # opens with published rows
    write_page(boards, target, 'A <title>', [comparison, points, maps])
    return target


def test_the_page_is_self_contained(page):
    assert [file.name for file in page.parent.iterdir()] == ['page.html']
    text = page.read_text()
    page_text = re.sub(r'<script>.*?</script>', '', text, flags=re.S)
    assert not re.search(r'(src|href)\s*=\s*["\'](?!#|data:)', page_text)
    assert not re.search(r'@\w+@', page_text)
    assert '<title>A &lt;title&gt;</title>' in text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])
    assert sum(len(board['rows']) for board in data['boards']) == len(published_entries()) + 4
    board, = (board for board in data['boards'] if 'sample' in board['title'])
    assert [row['rank'] for row in board['rows']] == [1, 2, 3, 4]
    assert '</script>' in board['rows'][0]['model']
    assert [sorted(row['pictures']) for row in board['rows']] == [['0.png', '1.png', '2.png']] * 2 + [[], []]


def test_a_page_without_rows(tmp_path):
    write_page([], tmp_path / 'empty.html')
    assert '"boards": []' in (tmp_path / 'empty.html').read_text()


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    webdriver = pytest.importorskip('selenium.webdriver')
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in ('headless=new', 'no-sandbox', 'disable-gpu', 'no-first-run', 'disable-background-networking',
                 'disable-component-update', 'disable-sync', 'disable-quic', 'window-size=1400,1000',
                 f'user-data-dir={tmp_path_factory.mktemp("profile")}'):
        options.add_argument(f'--{word}')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, page):
    browser.set_window_size(1400, 1000)
    browser.get_log('performance')
    browser.get_log('browser')
    browser.get(page.as_uri())
    return browser


def run(browser, script, *args):
    return browser.execute_script(f'return {script}', *args)


def column(browser, place):
    cells = f'document.querySelectorAll("#table tbody tr td:nth-child({place})")'
    return run(browser, f'[...{cells}].map((cell) => cell.textContent)')


def choose(browser, selector, text):
    select = browser.find_element('css selector', selector)
    run(browser, '(([select, text]) => { select.value = [...select.options].find((o) => o.textContent === text).value; '
        'select.dispatchEvent(new Event("change")); })(arguments)', select, text)


def click_head(browser, title):
    browser.find_element('xpath', f'//*[@id="table"]//thead//button[normalize-space()="{title}"]').click()


@in_browser
def test_no_errors_and_no_requests(opened, page):
    assert not opened.get_log('browser')
    messages = [json.loads(entry['message'])['message'] for entry in opened.get_log('performance')]
    requested = {message['params']['request']['url'] for message in messages
             if message['method'] == 'Network.requestWillBeSent'}
    assert page.as_uri() in requested
    assert {url for url in requested if not url.startswith(('data:', 'blob:', 'chrome'))} == {page.as_uri()}
    assert opened.title == 'A <title>'


@in_browser
def test_sorting(opened):
    board = rank(published_entries())[0]
    assert column(opened, 3) == [f'{row.scores.metrics["AP"]:.1f}' for row in board.entries]
    click_head(opened, 'APs')
    values = [float(text) for text in column(opened, 6) if text]
    assert values == sorted(values, reverse=True)
    assert len(values) > 50
    known = [bool(text) for text in column(opened, 6)]
    assert known == sorted(known, reverse=True)  # missing values are last
    click_head(opened, 'APs')
    values = [float(text) for text in column(opened, 6) if text]
    assert values == sorted(values)
    assert [bool(text) for text in column(opened, 6)] == known
    assert run(opened, '[...document.querySelectorAll("[aria-sort]")].map((h) => h.getAttribute("aria-sort"))') == [
        'ascending']
    click_head(opened, 'Model')
    assert column(opened, 2)[0].startswith('Cascade Mask R-CNN')


@in_browser
def test_filtering(opened):
    rows = rank(published_entries())[0].entries
    choose(opened, '[data-filter=width]', 'W32')
    choose(opened, '[data-filter=source]', 'paper')
    wanted = [row for row in rows if (row.model.width, row.source) == ('W32', 'paper')]
    assert column(opened, 3) == [f'{row.scores.metrics["AP"]:.1f}' for row in wanted]
    assert opened.find_element('id', 'count').text == f'{len(wanted)} of {len(rows)} rows'
    opened.find_element('id', 'search').send_keys('mask 2X')
    assert len(column(opened, 1)) == sum('Mask' in row.model.method and row.model.schedule == '2x' for row in wanted)
    assert run(opened, 'document.getElementById("plot-weights_in_millions").data[0].x.length') == len(column(opened, 1))
    opened.find_element('css selector', 'button[type=reset]').click()
    assert len(column(opened, 1)) == len(rows)
    choose(opened, '#board', 'pose, MPII val')
    assert len(column(opened, 1)) == sum(row.data.data == 'MPII' for row in published_entries())
    assert opened.find_element('id', 'sizes').is_displayed() is False


COSTS = {'macs_in_billions': lambda row: row.cost.macs_in_billions, 'ms': lambda row: row.conditions.ms,
         'weights_in_millions': lambda row: row.cost.weights_in_millions}


def pareto(rows, cost):
    """Return the Pareto front of cost and AP, by ascending cost."""
    known = [row for row in rows if cost(row) is not None]
    best = [row for row in known if not any(
        (cost(other), -other.scores.metrics['AP']) != (cost(row), -row.scores.metrics['AP'])
        and cost(other) <= cost(row) and other.scores.metrics['AP'] >= row.scores.metrics['AP'] for other in known)]
    return sorted({(cost(row), row.scores.metrics['AP']) for row in best})


@in_browser
def test_plots_and_pareto_fronts(opened):
    rows = rank(published_entries())[0].entries
    for name, cost in COSTS.items():
        assert run(opened, f'document.querySelectorAll("#plot-{name} .scatterlayer .point").length') == sum(
            cost(row) is not None for row in rows)
        drawn = run(opened, f'document.getElementById("plot-{name}").data.at(-1)')
        front = pareto(rows, cost)
        assert drawn['x'] == pytest.approx([x for x, _ in front])
        assert drawn['y'] == [ap for _, ap in front]
    assert run(opened, 'document.querySelectorAll("#plot-sizes .bars .point path").length') == 3 * 12


@in_browser
def test_comparison_of_two_rows(opened):
    assert opened.find_element('id', 'pair').is_displayed() is False
    choose(opened, '#board', 'detection, sample val2017 (not a complete published split)')
    assert opened.find_element('id', 'pair').is_displayed()
    drawn = run(opened, 'document.getElementById("plot-classes").data[0]')
    assert dict(zip(drawn['y'], drawn['x'])) == {'cat': 5, 'dog': -10}  # the best row has 45, 40
    names = run(opened, '[...document.querySelectorAll("#pictures img")].map((i) => i.alt.split(",")[0])')
    assert names[::2] == names[1::2]
    assert sorted(names[::2]) == ['0.png', '1.png', '2.png']
    opened.execute_script('document.getElementById("pictures").scrollIntoView()')
    opened.execute_async_script('Promise.all([...document.querySelectorAll("#pictures img")].map((i) => i.decode()))'
                                '.then(arguments[0])')
    assert run(opened, '[...document.querySelectorAll("#pictures img")].map((i) => i.naturalWidth)') == [640] * 6
    choose(opened, '#first', run(opened, 'document.getElementById("second").selectedOptions[0].textContent'))
    assert set(run(opened, 'document.getElementById("plot-classes").data[0].x')) == {0}
    assert 'partial' in opened.find_element('css selector', '#table tbody td:nth-child(2)').get_attribute('class')
    assert 'only 100 images' in column(opened, 2)[0]


@in_browser
def test_a_comparison(opened):
    text = opened.find_element('id', 'comparison-text').text
    assert text == ('Boxes in 7 images. AP of new minus AP of old </script>: \u221210.0, 95 % interval \u221220.0 '
                    'to +5.0 (paired bootstrap, 99 draws): no significant difference. new has the higher AP in '
                    '20 % of the draws.')
    assert run(opened, '[...document.querySelectorAll("#comparison-errors tbody td")].map((c) => c.textContent)') == [
        'missed', '3', '1', '+30.0', '+10.0']
    assert run(opened, '[...document.querySelectorAll("#comparison-metrics tbody td")].map((c) => c.textContent)') == [
        'AP', '50.0', '40.0', '\u221210.0', 'APm', '', '30.0', '']
    drawn = run(opened, 'document.getElementById("plot-comparison").data[0]')
    assert dict(zip(drawn['y'], drawn['x'])) == {'dog': pytest.approx(-30), 'cat': pytest.approx(10)}
    assert '1.jpg (+50.0)' in opened.find_element('id', 'comparison-images').text


@in_browser
def test_comparisons_of_keypoints_and_label_maps(opened):
    def cells(table):
        return run(opened, f'[...document.querySelectorAll("#comparison-{table} td")].map((c) => c.textContent)')

    choose(opened, '#comparison', 'a and b')
    text = opened.find_element('id', 'comparison-text').text
    assert text.startswith('Keypoints in 7 images. AP of b minus AP of a: ')
    assert cells('errors') == ['missed', '3', '1', '+30.0', '+10.0']
    assert 'mean OKS lost' in opened.find_element('css selector', '#comparison-errors thead').text
    assert cells('keypoints') == ['nose', '50.0', '70.0', '+20.0']
    choose(opened, '#comparison', 'c and d')
    text = opened.find_element('id', 'comparison-text').text
    assert text.startswith('Label maps in 7 images. mIoU of d minus mIoU of c: ')
    assert 'd has the higher mIoU in 20 %' in text
    assert cells('metrics') == ['mIoU', '40.0', '40.0', '+0.0']
    assert cells('errors') == cells('keypoints') == []


@in_browser
def test_small_screens(opened):
    opened.execute_cdp_cmd('Emulation.setDeviceMetricsOverride',
                           dict(width=360, height=740, deviceScaleFactor=2, mobile=True))
    try:
        opened.refresh()
        assert run(opened, 'document.documentElement.scrollWidth') <= 360
        for name in ('plot-macs_in_billions', 'plot-ms', 'plot-weights_in_millions', 'plot-sizes'):
            assert run(opened, f'document.querySelector("#{name} svg").getBoundingClientRect().right') <= 360
        # model and main metric are visible without scrolling
        cell = 'document.querySelector("#table tbody td:nth-child(3)")'
        assert run(opened, f'{cell}.getBoundingClientRect().right') <= 360
        assert run(opened, 'Math.min(...[...document.querySelectorAll("form select, form input, form button")].map('
                   '(e) => e.getBoundingClientRect().height))') >= 40
        assert float(run(opened, 'parseFloat(getComputedStyle(document.querySelector("td")).fontSize)')) >= 14
    finally:
        opened.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


@in_browser
def test_keyboard_navigation(opened):
    from selenium.webdriver import ActionChains, Keys
    reached = []
    for _ in range(14):
        ActionChains(opened).send_keys(Keys.TAB).perform()
        reached.append(run(opened, '((e) => e.id || e.className || e.dataset.filter || e.type || e.textContent)'
                           '(document.activeElement)'))
        assert run(opened, 'getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    assert reached[:9] == ['skip', 'board', 'method', 'width', 'schedule', 'source', 'search', 'reset', 'table']
    assert run(opened, 'document.activeElement.closest("th") !== null')
    ActionChains(opened).send_keys(Keys.ENTER).perform()
    assert run(opened, 'document.querySelectorAll("[aria-sort]").length') == 1
    # every control has a name
    assert run(opened, '[...document.querySelectorAll("select, input")].every((e) => e.labels.length === 1)')


MARKUP = '<a href="https://nowhere.invalid/a">a</a><span style="cursor:url(https://nowhere.invalid/b),auto">b</span>&lt;'


@pytest.fixture(scope='module')
def errors_page(tmp_path_factory):
    """Write a page of face alignment results, ranked by an error, whose texts contain markup."""
    rows = [make_entry(
        task='pose', source='own', place='mine', method=MARKUP, backbone=f'row {number}', data='WFLW', split='test',
        images=3, whole=False, metrics={} if nme is None else {'NME': nme, 'APm': 5.}, ms=9., params=1. + number,
        gflops=1. + number, unit='MACs / 1e9; weights / 1e6', classes={'AP': {MARKUP: 1. * number}})
        for number, nme in enumerate((4., 5., None, 3., 0., 3.5))]
    target = tmp_path_factory.mktemp('errors') / 'page.html'
    write_page(rank(rows, 'NME'), target)
    return target


def test_direction_in_the_page_data(errors_page):
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', errors_page.read_text(),
                                re.S)[1])
    board, = data['boards']
    assert board['title'] == 'pose, WFLW test (not a complete published split), by NME (lower is better)'
    assert (board['metric'], board['metrics'], board['lower']) == ('NME', ['NME', 'APm'], ['NME'])
    assert [(row['rank'], row['metrics'].get('NME')) for row in board['rows']] == [
        (1, 0), (2, 3), (3, 3.5), (4, 4), (5, 5), (None, None)]


@in_browser
def test_ranking_by_an_error(browser, errors_page):
    browser.get(errors_page.as_uri())
    values = ['0.00', '3.00', '3.50', '4.00', '5.00', '']
    assert column(browser, 3) == values
    assert 'by NME (lower is better)' in browser.find_element('id', 'board').text
    click_head(browser, 'NME')
    assert column(browser, 3) == values
    click_head(browser, 'NME')
    assert column(browser, 3) == ['5.00', '4.00', '3.50', '3.00', '0.00', '']
    drawn = run(browser, 'document.getElementById("plot-macs_in_billions").data.at(-1)')
    assert (drawn['x'], drawn['y']) == ([1, 4, 5], [4, 3, 0])  # Pareto front
    axis = run(browser, 'document.getElementById("plot-macs_in_billions").layout.yaxis.title.text')
    assert axis == 'NME (lower is better)'


@in_browser
def test_texts_of_records_are_escaped(browser, errors_page):
    browser.get_log('performance')
    browser.get_log('browser')
    browser.get(errors_page.as_uri())
    assert MARKUP in run(browser, 'document.querySelector("#plot-sizes .xtick text").textContent')
    assert run(browser, 'document.querySelector("#plot-classes .ytick text").textContent') == MARKUP
    assert run(browser, 'document.querySelectorAll("svg a, svg tspan[style]").length') == 0
    messages = [json.loads(entry['message'])['message'] for entry in browser.get_log('performance')]
    assert not [message for message in messages if 'nowhere.invalid' in json.dumps(message)]
    assert not browser.get_log('browser')


@in_browser
def test_content_security_policy(browser, errors_page):
    browser.get(errors_page.as_uri())
    script = ('const [done] = arguments;'
              'document.addEventListener("securitypolicyviolation", (event) => done(event.blockedURI));'
              'document.body.append(Object.assign(new Image(), { src: "https://nowhere.invalid/c" }));')
    assert browser.execute_async_script(script) == 'https://nowhere.invalid/c'
