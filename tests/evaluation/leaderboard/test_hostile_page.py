"""Tests of the HTML page with texts of a hostile store, in a browser."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

import numpy as np
import pytest
from page_actions import column, fresh, plot_by_id, requested_addresses, run
from PIL import Image

from hrnet_plugin.evaluation.analysis import analysis as analyses
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.leaderboard.trends import Trend

pytest_plugins = 'page_fixtures'

RUN = '20240229_235959'
CALL = 'window.hacked=1'  # what a payload that runs does
EVIL = 'https://evil.invalid'
PAYLOADS = [
    f'<script>{CALL}</script>', f'</script><script>{CALL}</script>', f'</style><script>{CALL}</script>',
    f'<!--<script>{CALL}//', f'<img src={EVIL}/a.png onerror="{CALL}">', f'<svg onload="{CALL}"><a href="{EVIL}">x</a>',
    f'"><b onmouseover="{CALL}">', f"' onfocus='{CALL}' autofocus='", f'javascript:{CALL}',
    f'data:text/html,<script>{CALL}', f'${{{CALL}}}', f'`;{CALL};`', f'\\u003cscript>{CALL}',
    f'&lt;script&gt;{CALL}&lt;/script&gt;', '&#60;b&#62;', '%3Cb%3E', f'<a href="{EVIL}">link</a>',
    f'<a href="javascript:{CALL}">x</a>', f'<b style="background:url({EVIL}/b)">b</b>',
    f'<span style="cursor:url({EVIL}/c),auto">c</span>', f'<iframe src="{EVIL}"></iframe>', f'<base href="{EVIL}/">',
    f'<link rel=stylesheet href={EVIL}/d.css>', f'<meta http-equiv=refresh content="0;url={EVIL}">',
    f'url({EVIL}/e)', f'@import "{EVIL}/f.css"', f'{{{{constructor.constructor("{CALL}")()}}}}',
    '%{customdata[0]}<extra></extra>', '%{y}', '$\\href{javascript:alert(1)}{x}$', '@data@ @script@', '__proto__',
    'constructor', 'toString', '\u2028\u2029',
    '\u202eevil', '\x1b[31mred', 'a\nb\tc', '😀' * 70, '=HYPERLINK("https://evil.invalid")', '']
LINK = f'<a href="{EVIL}">link</a>'
ADDRESSES = 'href', 'xlink:href', 'src', 'srcset', 'action', 'formaction', 'data', 'poster', 'background'
# attributes of all elements that are addresses or scripts, and the elements that no text may create
ELEMENTS = """(() => {
  const found = [];
  for (const one of document.querySelectorAll('*')) {
    for (const { name, value } of one.attributes) {
      if (name.startsWith('on')) found.push([one.tagName, name, value]);
      const isAddress = arguments[0].includes(name) && !/^(#|data:,|data:image\\/(jpeg|png);base64,|blob:)/.test(value);
      if (isAddress && !arguments[1].includes(value)) found.push([one.tagName, name, value]);
      if (/evil/.test(value) && /url\\(/.test(value) && name === 'style') found.push([one.tagName, name, value]);
    }
    if (['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'a'].includes(one.tagName)) found.push([one.tagName]);
  }
  return found;
})()"""
OTHER_PLOTS = [
    *(f'plot-{name}' for name in ('macs_in_billions', 'ms', 'weights_in_millions', 'classes', 'trends', 'comparison')),
    *(f'pair-analyses-{name}' for name in ('curves', 'scores', 'confusion-1', 'precision')),
    *(f'comparison-analyses-{name}' for name in ('curves', 'scores', 'confusion-0', 'confusion-1', 'precision'))]


def hostile_analysis():
    number = len(PAYLOADS)
    half = analyses.encode_precision(np.full((1, 101), .5))
    counts = [[int(row == column) for column in range(number + 1)] for row in range(number + 1)]
    return analyses.Analysis(
        kind='bbox', images=3, classes=PAYLOADS, precision=[.5] * number, objects=[1] * number,
        predictions=[1] * number,
        confusion=analyses.Confusion(overlap=.5, score=.3, counts=counts),
        curves=analyses.Curves(thresholds=[.5], precision=[half] * number, mean=half,
                      scores=[analyses.encode_scores(np.full(101, .5))] * number),
        histograms=analyses.Histograms(overlap=.5, edges=[0, .5, 1], true_positives=[[1, 2]] * number,
                              false_positives=[[3, 4]] * number))


def write_store(folder):
    """Write a store whose texts are payloads, with images and analyses in a run folder."""
    pictures = folder / RUN / 'pictures'
    pictures.mkdir(parents=True)
    (folder / RUN / f'{RUN}.log').touch()
    names = [name for name in PAYLOADS if '/' not in name and '\0' not in name and 0 < len(name.encode()) < 200]
    for name in names:
        Image.new('RGB', (20, 10), 'red').save(pictures / f'{name}.png')
    analysis = folder / RUN / 'results.analysis.json'
    analysis.write_text(json.dumps(dict(bbox=asdict(hostile_analysis()))), encoding='utf-8')
    store = ResultStore(folder / f'{PAYLOADS[8].replace("/", "")}<b>.sqlite')
    for number, text in enumerate(PAYLOADS):
        metrics = {'AP': .3 + number / 100, 'APs': .1, text or 'x': .5, f'{text}/{text}': .5}
        store.append(Record(
            task='detection', config=text, checkpoint=text, config_text=text,
            data=DataFacts(data=PAYLOADS[0], split=LINK, images=3, whole=False),
            scores=Scores(metrics=metrics, classes={'AP': dict.fromkeys(filter(None, PAYLOADS), number / 100)}),
            model=ModelFacts(method=text, backbone=text, schedule=text, size=text, note=text),
            cost=Cost(params=1. + number, gflops=2. + number, unit=f'MACs / 1e9; weights / 1e6{text}', counted_at=text),
            conditions=Conditions(test=text, ms=1. + number, machine=f'{text} 8 x 9', pictures=str(pictures),
                                  analysis=str(analysis))))
    return store.path


def hostile_comparison():
    pairs = {text: [.1, .2] for text in PAYLOADS}
    errors = [dict(numbers=dict(missed=1), costs=dict(missed=.1))] * 2
    return dict(names=[PAYLOADS[1], LINK], kind='bbox', images=3, covered=[3, 3], uncovered=0, metrics=pairs,
                interval=dict(difference=.1, low=-.1, high=.2, better=.5, equal=0., draws=9), errors=errors,
                classes=pairs,
                differing=[[text, [.1, .2]] for text in PAYLOADS], analyses=[json.loads(json.dumps(asdict(
                    hostile_analysis())))] * 2)


def hostile_trends():
    return [Trend(name=text, unit='epoch', steps=(1, 2), values={LINK: (1., 2.)},
                  titles={LINK: PAYLOADS[17]}, lower=()) for text in PAYLOADS]


@pytest.fixture(scope='module')
def hostile(tmp_path_factory):
    """Write a page of a hostile store and the published rows. Return the page and all addresses of the latter."""
    pytest.importorskip('plotly')
    from hrnet_plugin.evaluation.leaderboard.page import write_page
    folder = tmp_path_factory.mktemp('hostile')
    rows = [*published_entries(), *local_entries([write_store(folder)])]
    page = folder / 'page.html'
    write_page(rank(rows), page, ' '.join(PAYLOADS), [hostile_comparison()], hostile_trends())
    return page, sorted({address for row in rows for address in row.links.values()})


def check(browser, page, addresses):
    """Check that no text of the store became a script, an element with an address, or a request."""
    assert run(browser, 'window.hacked') is None
    assert run(browser, ELEMENTS, ADDRESSES, addresses) == []
    foreign = [one for one in requested_addresses(browser) if not one.startswith(('data:', 'blob:', 'chrome'))]
    assert set(foreign) <= {page.as_uri()}
    assert not browser.get_log('browser')


@pytest.fixture
def watched(browser, hostile):
    """Open the hostile page. Violations of its policy are in the log of the browser."""
    page, addresses = hostile
    fresh(browser, page)
    seen = {page.as_uri()} | requested_addresses(browser)
    assert page.as_uri() in seen
    yield browser
    check(browser, page, addresses)


def test_the_table_shows_texts(watched):
    watched.set_window_size(1920, 3000)
    found = ' '.join(column(watched, 'model'))
    for text in PAYLOADS[:-7]:
        assert text in found
    run(watched, 'document.querySelectorAll("#table button.more").forEach((one) => one.click())')
    run(watched, 'document.querySelectorAll("#table th button").forEach((one) => one.click())')
    watched.find_element('id', 'grouped').click()
    run(watched, 'document.getElementById("columns").open = true')
    run(watched, 'document.querySelectorAll("#column-list input").forEach((one) => one.click())')
    watched.find_element('id', 'search').send_keys(LINK)
    assert LINK in run(watched, 'document.querySelector("#table").textContent')


def hover(browser, name):
    """Show the hover text of points of a plot, and return its SVG."""
    return run(browser, """(() => {
      const plot = document.getElementById(arguments[0]);
      const subplot = plot._fullLayout._has('cartesian') ? 'xy' : null;
      let svg = '';
      for (let point = 0; point < 40; point += 1) {
        try { Plotly.Fx.hover(plot, [{ curveNumber: 0, pointNumber: point }], subplot); } catch { break; }
        svg += plot.querySelector('.hoverlayer').innerHTML;
      }
      return svg;
    })()""", name)


@pytest.mark.parametrize('name', ['plot-sizes', 'pair-analyses-confusion-0', *(
    pytest.param(name, marks=pytest.mark.slow) for name in OTHER_PLOTS)])
def test_plots_show_texts(watched, name):
    for part in ('pair', 'comparison'):
        run(watched, f"""((select) => {{ select.selectedIndex = 17;
        select.dispatchEvent(new Event('change', {{ bubbles: true }})); }})(
        document.querySelector('#{part}-analyses [data-part=class]'))""")
    assert plot_by_id(watched, name)
    assert 'evil' not in ''.join(run(watched, '[...document.querySelectorAll(".plot a")].map((a) => a.outerHTML)'))
    assert '<a' not in hover(watched, name)
    saved = watched.execute_async_script("""const [id, done] = arguments;
      Plotly.toImage(document.getElementById(id), { format: 'png' }).then(done, (error) => done(String(error)));
      """, name)
    assert saved.startswith('data:image/png;base64,')


def test_the_button_saves_an_image(watched):
    assert plot_by_id(watched, 'plot-sizes')
    saved = watched.execute_async_script("""const [done] = arguments;
      HTMLAnchorElement.prototype.click = function () { done([this.download, this.href.slice(0, 14)]); };
      document.querySelector('#plot-sizes [data-title^=Download]').click();""")
    assert saved[0].endswith('.png')
    assert saved[1].startswith(('data:image/png', 'blob:'))


def test_images_have_texts_as_names(watched):
    found = run(watched, '[...document.querySelectorAll("#pictures img")].map((one) => one.src)')
    assert len(found) == 12
    assert all(address.startswith('data:image/jpeg;base64,') for address in found)


def test_configs_open(watched):
    run(watched, """((select) => { select.selectedIndex = 1;
      select.dispatchEvent(new Event('change', { bubbles: true })); })(document.getElementById('board'))""")
    for place in range(3):
        run(watched, 'document.querySelectorAll("#table .config")[arguments[0]].click()', place)
        assert watched.find_element('id', 'config').is_displayed()
        watched.find_element('id', 'config-close').click()


def test_downloads_are_no_formulas(watched):
    text = watched.execute_async_script("""const [done] = arguments;
      const create = URL.createObjectURL;
      URL.createObjectURL = (blob) => { URL.createObjectURL = create; blob.text().then(done); return create(blob); };
      document.getElementById('download').click();""")
    rows = list(csv.reader(io.StringIO(text, newline='')))
    assert len(rows) == len(PAYLOADS) + 1
    assert not [cell for row in rows for cell in row if cell[:1] in '=+@\t' and cell]


def test_addresses_of_the_page_run_nothing(browser, hostile):
    page, addresses = hostile
    for text in PAYLOADS[:8]:
        fresh(browser, page, f'#board={text}&search={text}&sort={text}&column={text}&first={text}&theme={text}')
        check(browser, page, addresses)
