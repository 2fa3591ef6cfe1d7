"""Pages of the leaderboard, and a browser."""

from __future__ import annotations

import shutil

import pytest
from leaderboard_rows import MARKUP, make_entry
from page_actions import COCO, choose, fresh
from PIL import Image

from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

BROWSER, DRIVER = shutil.which('chromium') or shutil.which('google-chrome'), shutil.which('chromedriver')


def local_row(number, folder, ap, classes):
    return make_entry(
        task='detection', source='own', place='mine', config='mine', method='Faster R-CNN', backbone='HRNetV2p-W18',
        note='</script>', data='sample', split='val2017', images=100, whole=False, store='board', number=number,
        metrics={'AP': ap, 'APs': ap - 5, 'APm': ap, 'APl': ap + 5}, classes={'AP': classes}, ms=10. * number,
        params=1. * number, gflops=2. * number, unit='MACs / 1e9; weights / 1e6', pictures=str(folder))


def local_rows(folder):
    """Return four local results with visualizations, some of which are broken."""
    for name, color in (('first', 'red'), ('second', 'blue')):
        (folder / name).mkdir()
        for k in range(3):
            Image.new('RGB', (900, 300), color).save(folder / name / f'{k}.png')
    (folder / 'second' / 'other.png').write_bytes(b'')
    (folder / 'third').mkdir()
    for name in ('2.png', 'third.png'):
        (folder / 'third' / name).write_bytes(b'broken')
    return [local_row(1, folder / 'first', 40., {'cat': 50., 'dog': 30., 'emu': 5.}),
            local_row(2, folder / 'second', 45., {'cat': 45., 'dog': 40.}),
            local_row(3, '/not/there', 20., {}), local_row(4, folder / 'third', 10., {})]


def comparisons():
    """Return a comparison of boxes, one of keypoints and one of label maps."""
    errors = [dict(numbers=dict(missed=k), costs=dict(missed=k / 10)) for k in (3, 1)]
    boxes = dict(
        names=['old </script>', 'new'], kind='bbox', images=7, covered=[7, 7],
        metrics={'AP': [.5, .4], 'APs': [None, None], 'APm': [None, .3]},
        classes=dict(cat=[.5, .6], dog=[.4, .1], emu=[None, None]),
        interval=dict(difference=-.1, low=-.2, high=.05, better=.2, equal=0, draws=99), errors=errors,
        differing=[['1.jpg', [0., .5]]])
    points = {**boxes, 'names': ['a', 'b'], 'kind': 'keypoints',
              'keypoints': dict(nose=[.5, .7], toe=[None, None])}
    maps = {**boxes, 'names': ['c', 'd'], 'kind': 'semantic', 'metrics': {'mIoU': [.4, .4 - 1e-9]}}
    del maps['errors']
    return [boxes, points, maps]


@pytest.fixture(scope='session')
def page(tmp_path_factory):
    """Write a page of the published rows and four local results, with classes and visualizations."""
    pytest.importorskip('plotly')
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    folder = tmp_path_factory.mktemp('page')
    target = folder / 'board' / 'page.html'
    target.parent.mkdir()
    write_page(rank([*published_entries(), *local_rows(folder)]), target, 'A <title>', comparisons())
    return target


@pytest.fixture(scope='session')
def errors_page(tmp_path_factory):
    """Write a page of face alignment results, ranked by an error, whose texts contain markup."""
    pytest.importorskip('plotly')
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    rows = [make_entry(
        task='pose', source='own', place='mine', method=MARKUP, backbone=f'row {number}', data='WFLW', split='test',
        images=3, whole=False, metrics={} if nme is None else {'NME': nme, 'APm': 5., 'odd': 2.}, ms=9.,
        params=1. + number, gflops=1. + number, unit='MACs / 1e9; weights / 1e6', classes={'AP': {MARKUP: 1. * number}})
        for number, nme in enumerate((4., 5., None, 3., 0., 3.5))]
    target = tmp_path_factory.mktemp('errors') / 'page.html'
    write_page(rank(rows, 'NME'), target)
    return target


@pytest.fixture(scope='session')
def browser(tmp_path_factory):
    if not (BROWSER and DRIVER):
        pytest.skip('no Chromium with its driver: apt-get install chromium chromium-driver')
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
    return fresh(browser, page)


@pytest.fixture
def coco(opened):
    """Return the browser with the published results on COCO."""
    choose(opened, '#board', COCO)
    return opened
