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
