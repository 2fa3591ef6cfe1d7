// ---- difference per class of two models
// names: of both models
function differencesPlot(id, classes, metric, names) {
  setPlot(id, () => [[{ type: 'bar', orientation: 'h', x: classes.map(([, value]) => value),
    y: classes.map(([name]) => brief(name)), hovertemplate: '%{y}: %{x:+.1f}<extra></extra>',
    marker: { color: classes.map(([, value]) => color(value < 0 ? '--own' : '--paper')) } }],
  frame(`${metric} difference per class: second minus first`, { height: 140 + 18 * classes.length, showlegend: false,
    yaxis: { type: 'category', automargin: true, dtick: 1 }, xaxis: { zeroline: true, zerolinecolor: color('--soft'),
      title: { text: `${metric} difference${isNarrow() ? '' : `, positive where ${modelName(names, 1)} is better`}` } } })]);
}
