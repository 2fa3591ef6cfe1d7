"""Times of the leaderboard page in Chromium on this machine.

    PYTHONPATH=. python benchmarks/page_time.py [--rows 5000] [--classes 80]

Requires selenium, Chromium and its driver. Writes a page of generated local results, and prints

- the time until the first contentful paint and until the page accepts input,
- the time from an input until the next paint, and the part of it in the event handler, for several inputs.

Times are medians of the page loads. Maxima are in parentheses.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.page import write_page
from hrnet_plugin.evaluation.leaderboard.ranking import rank

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

METRICS = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl')
# name -> (CSS selector, value to set or None for a click, event)
INPUTS = {
    'filter by width': ('[data-filter=width]', 'W32', 'change'), 'search': ('#search', 'r-cnn 1x', 'input'),
    'show all': ('button[type=reset]', None, 'click'),
    'sort by AP50': ('[data-column=AP50] button', None, 'click'),
    'sort by model': ('[data-column=model] button', None, 'click'),
    'hide a column': ('#column-list input', None, 'click'),
}
# returns milliseconds in the event handler, and until the next paint
MEASURE = '''
const [selector, value, event, done] = arguments;
const target = document.querySelector(selector);
if (value !== null) target.value = value;
const begin = performance.now();
if (value === null) target.click();
else target.dispatchEvent(new Event(event, { bubbles: true }));
const handled = performance.now() - begin;
requestAnimationFrame(() => {
  const channel = new MessageChannel();  // its message comes after the paint
  channel.port1.onmessage = () => done([handled, performance.now() - begin]);
  channel.port2.postMessage(null);
});'''
LOADED = '''
const [navigation] = performance.getEntriesByType('navigation');
const [paint] = performance.getEntriesByName('first-contentful-paint');
return [paint.startTime, navigation.domContentLoadedEventEnd];'''


def make_entries(rows: int, classes: int) -> list[Entry]:
    """Return local results with random values and AP per class."""
    random.seed(0)
    names = [f'class {number}' for number in range(classes)]
    return [_entry(number, names) for number in range(rows)]


def _entry(number: int, names: Sequence[str]) -> Entry:
    width = random.choice((18, 32, 40, 48))
    return Entry(
        task='detection', source=LOCAL, place=f'faster-rcnn_hrnetv2p-w{width}_run-{number}', store='board',
        number=number,
        model=ModelFacts(method=random.choice(('Faster R-CNN', 'Cascade R-CNN', 'FCOS')), note=f'run {number}',
                         backbone=f'HRNetV2p-W{width}', schedule=random.choice(('1x', '2x', '20e'))),
        data=DataFacts(data='COCO', split='val2017'),
        scores=Scores(metrics={name: random.uniform(30, 50) for name in METRICS},
                      classes={'AP': {name: random.uniform(10, 80) for name in names}}),
        cost=Cost(params=random.uniform(20, 200), gflops=random.uniform(100, 900), unit='MACs / 1e9; weights / 1e6'),
        conditions=Conditions(ms=random.uniform(50, 900), machine='CPU'))


def open_browser() -> Chrome:
    """Start Chromium without a window."""
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium') or shutil.which('google-chrome') or ''
    for word in ('headless=new', 'no-sandbox', 'disable-gpu', 'window-size=1400,1000'):
        options.add_argument(f'--{word}')
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which('chromedriver')))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rows', type=int, default=5000, help='number of rows (default: 5000)')
    parser.add_argument('--classes', type=int, default=80, help='number of classes with an AP (default: 80)')
    parser.add_argument('--rounds', type=int, default=5, help='number of page loads (default: 5)')
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, 'page.html')
        write_page(rank(make_entries(args.rows, args.classes)), page)
        print(f'{args.rows} rows, {args.classes} classes: {page.stat().st_size / 1e6:.1f} MB')
        browser = open_browser()
        try:
            _measure(browser, page.as_uri(), args.rounds)
        finally:
            browser.quit()


def _measure(browser: Chrome, address: str, rounds: int) -> None:
    loads, times = [], []
    for _ in range(rounds):
        browser.get('about:blank')
        browser.get(address)
        loads.append(browser.execute_script(LOADED))
        times.append([browser.execute_async_script(MEASURE, *words) for words in INPUTS.values()])
    paint, ready = map(_summary, zip(*loads))
    print(f'first contentful paint: {paint} ms, ready for input: {ready} ms')
    for name, found in zip(INPUTS, zip(*times)):
        handled, painted = map(_summary, zip(*found))
        print(f'{name}: {painted} ms until the next paint, {handled} ms in the event handler')


def _summary(values: Sequence[float]) -> str:
    return f'{statistics.median(values):.0f} ({max(values):.0f})'


if __name__ == '__main__':
    main()
