// ---- AP by object size
const SIZES = [['APs', 'small', '--paper', 'circle'], ['APm', 'medium', '--official', 'square'],
  ['APl', 'large', '--own', 'diamond']];

function drawSizes() {
  const sizes = SIZES.filter(([name]) => state.board.metrics.some((metric) => metric.name === name));
  const known = state.rows.filter((row) => sizes.some(([name]) => row.metrics[name] !== null));
  const groups = new Map();  // of the same model by several sources, the best row
  for (const row of known) if (!groups.has(row.group)) groups.set(row.group, row);
  const rows = [...groups.values()].slice(0, 12);
  $('#sizes').hidden = !rows.length;
  if (!rows.length) return;
  setPlot('plot-sizes', () => [sizes.map(([name, title, hue, symbol]) => ({ type: 'scatter', mode: 'markers', name: title,
    x: rows.map((row) => row.metrics[name]), y: rows.map((row, index) => index), text: rows.map(hover),
    marker: { size: 10, color: color(hue), symbol }, hovertemplate: `%{text}<br>%{x:.1f} (${title})<extra></extra>` })),
  frame('AP by object size, best models shown', {
    height: 150 + 40 * rows.length, xaxis: { title: { text: 'AP' } }, legend: { above: true }, showlegend: true,
    yaxis: { automargin: true, range: [rows.length - 0.5, -0.5], zeroline: false, tickvals: rows.map((row, index) => index),
      ticktext: rows.map(sizeLabel) } })]);
}

// two lines, of which the second distinguishes rows with the same method
function sizeLabel(row) {
  const most = isNarrow() ? 24 : 50;
  const first = `${row.rank === undefined ? '' : `${row.rank}. `}${row.method}`;
  const second = [row.backbone, row.schedule, row.note].filter(Boolean).join(' · ');
  return [first, second].map((text) => shorten(text.replace(/\s+/g, ' '), most)).join('\n');
}
