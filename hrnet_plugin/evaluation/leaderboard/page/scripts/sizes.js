// ---- AP by object size
const SIZES = [['APs', 'small', '--paper'], ['APm', 'medium', '--official'], ['APl', 'large', '--own']];

function drawSizes() {
  const sizes = SIZES.filter(([name]) => state.board.metrics.some((metric) => metric.name === name));
  const rows = state.rows.filter((row) => sizes.some(([name]) => row.metrics[name] !== null))
    .slice(0, isNarrow() ? 5 : 12);
  $('#sizes').hidden = !rows.length;
  if (!rows.length) return;
  setPlot('plot-sizes', () => {
    const names = rows.map((row, index) => plain(`${row.rank ?? index + 1}. ${row.method}, ${row.backbone ?? ''}`));
    return [sizes.map(([name, title, hue]) => ({ type: 'bar', name: title, x: names,
      y: rows.map((row) => row.metrics[name]), text: rows.map(hover), marker: { color: color(hue) },
      hovertemplate: '%{text}<br>%{y:.1f}', textposition: 'none' })),
    frame('AP by object size, best of the rows shown', { barmode: 'group', height: 460,
      xaxis: { type: 'category', automargin: true, tickangle: -40 }, yaxis: { title: { text: 'AP' } },
      legend: { y: 1.01, x: 1, xanchor: 'right', yanchor: 'bottom' } })];
  });
}
