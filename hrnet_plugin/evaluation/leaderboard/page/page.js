'use strict';
(() => {
  const { boards, numbers, comparisons } = JSON.parse(document.getElementById('data').textContent);
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const element = (tag, properties = {}, children = []) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const state = { board: boards[0], sort: null, down: true, rows: [] };
  const settings = { responsive: true, displayModeBar: false };
  const colors = { own: '#b35900', paper: '#0b5cad', official: '#3f8f5f', mmdet: '#7a52a8', mmpose: '#7a52a8',
    mmseg: '#7a52a8' };
  const frame = (title, more = {}) => ({ title: { text: title, font: { size: 15 }, x: 0, xanchor: 'left' }, autosize: true, height: 380,
    margin: { l: 55, r: 15, t: 40, b: 50 }, hovermode: 'closest', legend: { orientation: 'h', y: -0.2 }, ...more });
  // digits null: four significant digits, without an exponent
  const significant = (value) => (Math.abs(value) < 1e4 ? String(Number(value.toPrecision(4))) : value.toFixed(0));
  const shown = (value, digits = 1) => (value === null || value === undefined ? ''
    : digits === null ? significant(value) : value.toFixed(digits));
  const format = (digits) => (digits === null ? '.4~g' : `.${digits}f`);

  // plotly parses texts as markup, and a link or style in a foreign record could load external files
  const plain = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

  // ---- columns: text and sort key of a cell
  const columns = () => [
    { title: '#', text: (row) => (row.rank === null ? '' : String(row.rank)), key: (row) => row.rank, up: true },
    { title: 'Model', text: (row) => row.model, key: (row) => row.model, up: true },
    ...state.board.metrics.map((name) => ({ title: state.board.titles[name],
      text: (row) => shown(row.metrics[name], state.board.digits[name]),
      key: (row) => row.metrics[name] ?? null, up: state.board.lower.includes(name) })),
    ...numbers.map(([name, title]) => ({ title, text: (row) => shown(row[name]), key: (row) => row[name], up: true,
      hint: (row) => (name === 'ms' ? row.machine : row.unit) })),
    { title: 'Source', text: (row) => row.where, key: (row) => row.where, up: true },
  ];

  function fillBoards() {
    boards.forEach((board, index) => $('#board').append(element('option', { value: index, textContent: board.title })));
    if (!boards.length) $('#count').textContent = 'No rows.';
  }

  function fillFilters() {
    for (const select of all('[data-filter]')) {
      const name = select.dataset.filter;
      const values = [...new Set(state.board.rows.map((row) => row[name]).filter(Boolean))].sort();
      select.replaceChildren(element('option', { value: '', textContent: 'all' }),
        ...values.map((value) => element('option', { value, textContent: value })));
      select.disabled = values.length < 2;
    }
  }

  function chosenRows() {
    const words = $('#search').value.toLowerCase().split(/\s+/).filter(Boolean);
    const filters = all('[data-filter]').filter((select) => select.value);
    return state.board.rows.filter((row) => filters.every((select) => row[select.dataset.filter] === select.value)
      && words.every((word) => `${row.model} ${row.where}`.toLowerCase().includes(word)));
  }

  // ---- table
  function drawHead() {
    const cells = columns().map((column, index) => {
      const button = element('button', { type: 'button', textContent: column.title });
      button.addEventListener('click', () => sortBy(index));
      return element('th', { scope: 'col' }, [button]);
    });
    $('#table thead').replaceChildren(element('tr', {}, cells));
  }

  function sortBy(index) {
    const same = state.sort === index;
    state.down = same ? !state.down : !columns()[index].up;
    state.sort = index;
    drawRows();
  }

  function drawRows() {
    const list = columns();
    const rows = [...state.rows];
    if (state.sort !== null) {
      const { key } = list[state.sort];
      const sign = state.down ? -1 : 1;
      rows.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === y) return 0;
        if (x === null || x === '') return 1;  // missing values are last in both directions
        if (y === null || y === '') return -1;
        return sign * (typeof x === 'string' ? x.localeCompare(y, 'en', { numeric: true }) : x - y);
      });
    }
    all('#table thead th').forEach((head, index) => {
      if (index === state.sort) head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    $('#table tbody').replaceChildren(...rows.map((row) => element('tr', { className: row.source === 'own' ? 'own' : '' },
      list.map((column, index) => {
        const hint = column.hint ? column.hint(row) : index === 1 ? row.partial : '';
        const cell = element('td', { textContent: column.text(row), title: hint || '' });
        if (index === 1 && row.partial) cell.classList.add('partial');
        return cell;
      }))));
    $('#count').textContent = `${rows.length} of ${state.board.rows.length} rows`;
  }

  // ---- plots
  const hover = (row) => `${plain(row.model)}<br>${plain(row.where)}`;

  function drawCost(cost, title) {
    const { metric, lower, titles, digits } = state.board;
    const sign = lower.includes(metric) ? -1 : 1;
    const value = (row) => sign * row.metrics[metric];  // higher is better
    const both = state.rows.filter((row) => row[cost] !== null && row.metrics[metric] !== undefined);
    const sources = [...new Set(both.map((row) => row.source))];
    const traces = sources.map((source) => {
      const rows = both.filter((row) => row.source === source);
      return { type: 'scatter', mode: 'markers', name: source, x: rows.map((row) => row[cost]),
        y: rows.map((row) => row.metrics[metric]), text: rows.map(hover),
        hovertemplate: `%{text}<br>%{x:.1f}, %{y:${format(digits[metric])}}`,
        marker: { size: rows.map((row) => (row.width ? 10 : 8)), color: colors[source],
          symbol: rows.map((row) => (row.width ? 'circle' : 'x-thin-open')) } };
    });
    const front = [];
    for (const row of [...both].sort((a, b) => a[cost] - b[cost] || value(b) - value(a))) {
      if (!front.length || value(row) > value(front.at(-1))) front.push(row);
    }
    traces.push({ type: 'scatter', mode: 'lines', name: 'Pareto front', x: front.map((row) => row[cost]),
      y: front.map((row) => row.metrics[metric]), line: { color: '#57606a', dash: 'dot', shape: 'hv' },
      hoverinfo: 'skip' });
    const name = plain(titles[metric]);
    Plotly.react(`plot-${cost}`, traces, frame(`${name} over ${title}`, { xaxis: { title: { text: title } },
      yaxis: { title: { text: sign < 0 ? `${name} (lower is better)` : name } },
      annotations: both.length ? [] : [{ text: 'no row has both values', showarrow: false, x: 0.5, y: 0.5, xref: 'paper',
        yref: 'paper' }] }), settings);
  }

  function drawSizes() {
    const sizes = [['APs', 'small'], ['APm', 'medium'], ['APl', 'large']].filter(([name]) => (
      state.board.metrics.includes(name)));
    const rows = state.rows.filter((row) => sizes.some(([name]) => row.metrics[name] !== undefined))
      .slice(0, window.innerWidth < 640 ? 5 : 12);
    $('#sizes').hidden = !rows.length;
    if (!rows.length) return;
    const names = rows.map((row, index) => plain(`${row.rank ?? index + 1}. ${row.short}`));
    Plotly.react('plot-sizes', sizes.map(([name, title]) => ({ type: 'bar', name: title, x: names,
      y: rows.map((row) => row.metrics[name] ?? null), text: rows.map(hover),
      hovertemplate: '%{text}<br>%{y:.1f}', textposition: 'none' })),
    frame('AP by object size, best of the rows shown', { barmode: 'group', height: 440,
      xaxis: { type: 'category', automargin: true, tickangle: -40 }, legend: { orientation: 'h', y: 1.12, x: 1, xanchor: 'right' } }), settings);
  }

  // ---- two rows
  const known = (row) => Object.keys(row.classes).length || Object.keys(row.pictures).length;

  function fillPair() {
    const rows = state.board.rows.filter(known);
    $('#pair').hidden = rows.length < 2;
    for (const [id, place] of [['#first', 0], ['#second', 1]]) {
      $(id).replaceChildren(...rows.map((row) => element('option', { value: state.board.rows.indexOf(row),
        textContent: `${row.model} (${row.where})` })));
      if (rows.length > 1) $(id).selectedIndex = place;
    }
  }

  function drawPair() {
    if ($('#pair').hidden) return;
    const [first, second] = ['#first', '#second'].map((id) => state.board.rows[$(id).value]);
    const names = Object.keys(first.pictures).filter((name) => name in second.pictures);
    const classes = Object.keys(first.classes).filter((name) => name in second.classes)
      .map((name) => [name, second.classes[name] - first.classes[name]]).sort((a, b) => a[1] - b[1]);
    $('#plot-classes').hidden = !classes.length;
    $('#pair .empty').hidden = Boolean(classes.length || names.length);
    if (classes.length) drawDifferences('plot-classes', classes, 'AP');
    $('#pictures').replaceChildren(...names.flatMap((name) => [first, second].map((row) => element('figure', {}, [
      element('img', { src: row.pictures[name], alt: `${name}, predictions of ${row.model}`, loading: 'lazy' }),
      element('figcaption', { textContent: `${name}: ${row.model}` })]))));
  }

  function drawDifferences(plot, classes, metric) {
    Plotly.react(plot, [{ type: 'bar', orientation: 'h', x: classes.map(([, value]) => value),
      y: classes.map(([name]) => plain(name)), hovertemplate: '%{y}: %{x:+.1f}<extra></extra>',
      marker: { color: classes.map(([, value]) => (value < 0 ? colors.own : colors.paper)) } }],
    frame(`${metric} difference per class: second minus first`, { height: 120 + 18 * classes.length, showlegend: false,
      yaxis: { type: 'category', automargin: true, dtick: 1 }, xaxis: { zeroline: true } }), settings);
  }

  // ---- comparisons of two files, written by `compare`
  const signed = (value) => {
    const rounded = (100 * value).toFixed(1);
    return Number(rounded) < 0 ? `\u2212${rounded.slice(1)}` : `+${rounded.replace('-', '')}`;
  };
  // kind of a comparison -> its results, first metric, title of the error types, and their cost
  const kinds = {
    bbox: ['Boxes', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
    segm: ['Masks', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
    keypoints: ['Keypoints', 'AP', 'labeled keypoints by type', 'mean OKS lost'],
    semantic: ['Label maps', 'mIoU'],
  };

  function fillComparisons() {
    $('#comparisons').hidden = !comparisons.length;
    $('#comparison').append(...comparisons.map((one, index) => element('option', { value: index,
      textContent: one.names.join(' and ') })));
    $('#comparison').addEventListener('change', drawComparison);
    if (comparisons.length) drawComparison();
  }

  function drawComparison() {
    const one = comparisons[$('#comparison').value];
    const [first, second] = one.names;
    const { interval } = one;
    const [results, metric, types, cost] = kinds[one.kind];
    $('#comparison-text').textContent = `${results} in ${one.images} images. ${metric} of ${second} `
      + `minus ${metric} of ${first}: ${signed(interval.difference)}, 95 % interval ${signed(interval.low)} to `
      + `${signed(interval.high)} (paired bootstrap, ${interval.draws} draws): ${interval.low <= 0 && interval.high >= 0
        ? 'no significant difference' : `${interval.low > 0 ? second : first} is better`}. ${second} has the higher ${metric} in `
      + `${Math.round(100 * interval.better)} % of the draws.`;
    const row = (tag, cells) => element('tr', {}, cells.map((cell) => element(tag, { textContent: cell })));
    const table = (name, head, rows) => {
      $(`#comparison-${name} thead`).replaceChildren(row('th', head));
      $(`#comparison-${name} tbody`).replaceChildren(...rows.map((cells) => row('td', cells)));
    };
    const per = (value) => (value === null ? '' : (100 * value).toFixed(1));
    table('metrics', ['', first, second, 'difference'], Object.entries(one.metrics).filter(([, pair]) => pair[0] !== null
      || pair[1] !== null).map(([name, pair]) => [name, per(pair[0]), per(pair[1]),
      pair.includes(null) ? '' : signed(pair[1] - pair[0])]));
    const errors = one.errors || [];
    table('errors', errors.length ? [types, first, second, `${cost}, ${first}`, `${cost}, ${second}`] : [],
      Object.keys(errors.length ? errors[0].numbers : {}).map((kind) => [kind, ...errors.map((each) => each.numbers[kind]),
        ...errors.map((each) => signed(each.costs[kind]))]));
    const keypoints = Object.entries(one.keypoints || {});
    table('keypoints', keypoints.length ? ['good keypoints', first, second, 'difference'] : [],
      keypoints.filter(([, pair]) => pair[0] !== null).map(([name, pair]) => [name, per(pair[0]), per(pair[1]),
        signed(pair[1] - pair[0])]));
    const classes = Object.entries(one.classes).filter(([, pair]) => pair[0] !== null && pair[1] !== null)
      .map(([name, pair]) => [name, 100 * (pair[1] - pair[0])]).sort((a, b) => a[1] - b[1]);
    drawDifferences('plot-comparison', classes, metric === 'AP' ? 'AP' : 'IoU');
    $('#comparison-images').textContent = one.differing.length ? `Images with the largest differences: ${one.differing.map(
      ([name, pair]) => `${name} (${signed(pair[1] - pair[0])})`).join(', ')}.` : '';
  }

  // ---- whole page
  function drawShown() {
    state.rows = chosenRows();
    drawRows();
    drawCost('macs_in_billions', 'GMACs');
    drawCost('ms', 'ms per image');
    drawCost('weights_in_millions', 'millions of parameters');
    drawSizes();
  }

  function drawBoard() {
    state.board = boards[$('#board').value || 0];
    state.sort = null;
    fillFilters();
    drawHead();
    fillPair();
    drawShown();
    drawPair();
  }

  fillBoards();
  fillComparisons();
  if (!boards.length) return;
  $('#board').addEventListener('change', drawBoard);
  all('[data-filter]').forEach((select) => select.addEventListener('change', drawShown));
  $('#search').addEventListener('input', drawShown);
  $('#filters').addEventListener('submit', (event) => event.preventDefault());
  $('#filters').addEventListener('reset', (event) => {
    event.preventDefault();
    $('#search').value = '';
    all('[data-filter]').forEach((select) => { select.value = ''; });
    drawShown();
  });
  ['#first', '#second'].forEach((id) => $(id).addEventListener('change', drawPair));
  drawBoard();
})();
