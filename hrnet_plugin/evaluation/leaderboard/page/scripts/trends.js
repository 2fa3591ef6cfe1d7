// ---- metrics of training runs over their evaluations
const DASHES = ['solid', 'dash', 'dot', 'dashdot'];

function fillTrends() {
  $('#trends').hidden = !trends.length;
  const titles = new Map(trends.flatMap(({ metrics }) => metrics.map(({ name, title }) => [name, title])));
  $('#trend').replaceChildren(...[...titles].map(([name, title]) => element('option', { value: name, textContent: title })));
  $('#trend').addEventListener('change', () => {
    drawTrends();
    writeAddress();
  });
}

function drawTrends() {
  if (!trends.length) return;
  const name = $('#trend').value;
  const found = trends.map((run) => ({ run, metric: run.metrics.find((one) => one.name === name) }))
    .filter(({ metric }) => metric);
  const { title, direction } = found[0].metric;
  setPlot('plot-trends', () => {
    const units = [...new Set(found.map(({ run }) => run.unit))];
    const hues = ['--paper', '--own', '--official', '--host'].map(color);
    return [found.map(({ run, metric }, index) => ({ type: 'scatter', mode: 'lines+markers', name: brief(run.name),
      x: run.steps, y: metric.values, marker: { color: hues[index % hues.length], symbol: index },
      line: { color: hues[index % hues.length], dash: DASHES[Math.floor(index / hues.length) % DASHES.length] } })),
    frame(`${brief(title)} over training`, { xaxis: { title: { text: units.join(' or ') } }, showlegend: true,
      yaxis: { title: { text: direction === 'lower' ? `${brief(title)} (lower is better)` : brief(title) } },
      legend: { below: 50 }, margin: { b: 100 } })];
  });
}
