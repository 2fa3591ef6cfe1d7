"""Actions in the page of the leaderboard."""

from __future__ import annotations

import json
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

COCO = 'detection, COCO val2017'
_LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
# Rows exist only near the visible part of the table. Scrolls through it, and collects one column by the row index.
_COLUMN = '''
const [id, done] = arguments;
const table = document.querySelector('#table');
const place = [...table.querySelectorAll('thead th')].findIndex((cell) => cell.dataset.column === id);
const found = [];
const afterFrames = (next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next)));
const collect = () => {
  for (const row of table.querySelectorAll('tbody tr[aria-rowindex]')) {
    found[Number(row.getAttribute('aria-rowindex')) - 2] = row.cells[place].innerText;
  }
  const isEnd = table.scrollTop + table.clientHeight >= table.scrollHeight - 2;
  const isWhole = found.length === Number(table.querySelector('table').getAttribute('aria-rowcount')) - 1;
  if (isEnd && isWhole && !found.includes(undefined)) {
    table.scrollTop = 0;
    return afterFrames(() => done(found));
  }
  table.scrollTop = isEnd ? table.scrollHeight : table.scrollTop + 2 * table.clientHeight;
  afterFrames(collect);
};
collect();'''
_WAIT_FOR_PLOT = '''
const [id, done] = arguments;
const plot = document.getElementById(id);
plot.scrollIntoView({ block: 'center' });
const check = () => (plot.ariaBusy === 'false' ? done(true) : setTimeout(check, 30));
check();'''


def fresh(browser, page, view=''):
    """Open a page with empty logs. A view is the hash of its address."""
    browser.set_window_size(1920, 1000)
    browser.get('about:blank')  # an address with another hash would not load the page again
    browser.get_log('performance')
    browser.get_log('browser')
    browser.get(f'{page.as_uri()}{view}')
    return browser


def run(browser, script, *args):
    return browser.execute_script(f'return {script}', *args)


def column(browser, name):
    """Return the texts of a column of all rows."""
    return browser.execute_async_script(_COLUMN, name)


def column_names(browser):
    return run(browser, '[...document.querySelectorAll("#table thead th")].map((cell) => cell.dataset.column)')


def shown_rows(browser):
    """Return the number of rows that the page states."""
    return int(browser.find_element('id', 'count').text.split()[0])


def plot(browser, name):
    """Scroll to a plot of the ranking, wait until it is drawn, and return its traces."""
    return plot_by_id(browser, f'plot-{name}')


def plot_by_id(browser, name):
    browser.execute_async_script(_WAIT_FOR_PLOT, name)
    return run(browser, 'document.getElementById(arguments[0]).data', name)


def choose(browser, selector, text):
    select = browser.find_element('css selector', selector)
    run(browser, '(([select, text]) => { select.value = [...select.options].find((o) => o.textContent === text).value; '
        'select.dispatchEvent(new Event("change", { bubbles: true })); })(arguments)', select, text)


def click_head(browser, name):
    browser.find_element('css selector', f'#table thead th[data-column="{name}"] button').click()


def texts(browser, selector):
    return run(browser, '[...document.querySelectorAll(arguments[0])].map((e) => e.textContent)', selector)


def requested_addresses(browser):
    """Return the addresses of all requests since the last call."""
    messages = [json.loads(entry['message'])['message'] for entry in browser.get_log('performance')]
    return {message['params']['request']['url'] for message in messages
            if message['method'] == 'Network.requestWillBeSent'}


@contextmanager
def phone(browser, width=390, height=844):
    """Emulate a phone. The page must be loaded inside the context."""
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride',
                            dict(width=width, height=height, deviceScaleFactor=2, mobile=True))
    try:
        yield
    finally:
        browser.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


def _axe_script():
    found = find_spec('axe_playwright_python')
    if found is None or found.origin is None:
        pytest.skip('no axe-core: pip install --no-deps -r requirements/dev-no-deps.txt')
    return (Path(found.origin).parent / 'axe.min.js').read_text(encoding='utf-8')


def violations(browser):
    """Return the violations of WCAG, levels A and AA, that axe-core finds."""
    browser.execute_script(_axe_script())
    result = browser.execute_async_script('axe.run(document, { runOnly: arguments[0] }).then(arguments[1])', _LEVELS)
    assert len(result['passes']) > 15
    return [(one['id'], one['help'], [node['target'] for node in one['nodes']]) for one in result['violations']]
