// ---- accuracy over cost
const boardMetric = () => state.board.metrics.find(({ name }) => name === state.board.metric)
  ?? { name: state.board.metric, title: state.board.metric, digits: 1, direction: 'higher' };

function paretoFront(rows, cost, value) {
  const front = [];
  for (const row of [...rows].sort((a, b) => a[cost] - b[cost] || value(b) - value(a))) {
    if (!front.length || value(row) > value(front.at(-1))) front.push(row);
  }
  return front;
}

// range of an axis with a margin, in the unit of plotly: the decimal logarithm for logarithmic axes
function axisRange(values, isLog, margin) {
  const numbersShown = isLog ? values.map(Math.log10) : values;
  const low = numbersShown.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbersShown.reduce((a, b) => Math.max(a, b), -Infinity);
  const space = margin * (high - low || Math.abs(high) || 1);
  return [low - space, high + space];
}

function isLogarithmic(values) {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  return low > 0 && (state.axes === 'log' || (state.axes === '' && high > 10 * low));
}

// plotly would write 2 instead of 20
function logarithmicTicks([low, high]) {
  const decades = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, index) => Math.floor(low) + index);
  const tickvals = decades.flatMap((decade) => (high - low < 3 ? [1, 2, 5] : [1]).map((digit) => digit * 10 ** decade));
  return { tickvals, ticktext: tickvals.map(significant) };
}

function costPlot(cost, title) {
  const { name, title: metricTitle, digits, direction } = boardMetric();
  const sign = direction === 'lower' ? -1 : 1;
  const rows = state.rows.filter((row) => row[cost] !== undefined && row.metrics[name] !== null
    && row.metrics[name] !== undefined);
  const front = paretoFront(rows, cost, (row) => sign * row.metrics[name]);
  const values = rows.map((row) => row[cost]);
  const isLog = isLogarithmic(values);
  const x = axisRange(values, isLog, 0.06);
  const y = axisRange(rows.map((row) => row.metrics[name]), false, 0.1);
  const text = brief(metricTitle);
  const still = { itemclick: false, itemdoubleclick: false };  // items are no traces
  const layout = frame(`${text} over ${title}`, {
    xaxis: { title: { text: title }, ...(rows.length ? { type: isLog ? 'log' : 'linear', range: x } : {}),
      ...(isLog ? logarithmicTicks(x) : {}) },
    yaxis: { title: { text: sign < 0 ? `${text} (lower is better)` : text }, ...(rows.length ? { range: y } : {}) },
    legend: { below: 48, ...still, title: { text: 'Source ' } }, legend2: { below: 76, ...still, title: { text: 'Network ' } },
    margin: { b: 110 } });
  const ends = new Set(front);
  const points = [...rows.filter((row) => !ends.has(row)), ...front].map((row) => ({
    text: ends.has(row) ? frontLabel(row) : '', x: isLog ? Math.log10(row[cost]) : row[cost], y: row.metrics[name] }));
  layout.annotations = rows.length ? placeLabels(points, x, y, layout, document.getElementById(`plot-${cost}`).clientWidth)
    : [{ text: 'no row has both values', showarrow: false, x: 0.5, y: 0.5, xref: 'paper', yref: 'paper' }];
  return [[...sourceTraces(rows, cost, name, digits), ...legendTraces(rows), {
    type: 'scatter', mode: 'lines', name: 'Pareto front', x: front.map((row) => row[cost]),
    y: front.map((row) => row.metrics[name]), line: { color: color('--soft'), dash: 'dot', shape: 'hv' },
    hoverinfo: 'skip', legend: 'legend2' }], layout];
}

function sourceTraces(rows, cost, metric, digits) {
  return [...new Set(rows.map((row) => row.source))].map((source) => {
    const own = rows.filter((row) => row.source === source);
    const [hue, edge] = [color(sourceColor(source)), color('--page')];
    return { type: 'scatter', mode: 'markers', name: source, showlegend: false, x: own.map((row) => row[cost]),
      y: own.map((row) => row.metrics[metric]), text: own.map(hover),
      hovertemplate: `%{text}<br>%{x:.1f}, %{y:${valueFormat(digits)}}<extra></extra>`,
      marker: { size: source === 'own' ? 12 : 9, color: hue,
        symbol: own.map((row) => (row.width ? 'circle' : 'x-thin')),
        line: { width: own.map((row) => (row.width ? 0.5 : 2)),
          color: own.map((row) => (row.width ? edge : hue)) } } };
  });
}

// colors are sources, and symbols are networks
function legendTraces(rows) {
  const item = (name, symbol, hue, legend) => ({ type: 'scatter', mode: 'markers', name, x: [null], y: [null], legend,
    hoverinfo: 'skip', marker: { symbol, size: 9, color: color(hue),
      line: { width: symbol === 'x-thin' ? 2 : 0, color: color(hue) } } });
  const sources = [...new Set(rows.map((row) => row.source))];
  return [...sources.map((source) => item(sourceName(source), 'square', sourceColor(source), 'legend')),
    item('HRNet', 'circle', '--soft', 'legend2'), item('other', 'x-thin', '--soft', 'legend2')];
}

function drawCosts() {
  for (const [cost, title] of [['macs_in_billions', 'GMACs'], ['ms', 'ms per image'],
    ['weights_in_millions', 'millions of parameters']]) {
    setPlot(`plot-${cost}`, () => costPlot(cost, title));
  }
}
