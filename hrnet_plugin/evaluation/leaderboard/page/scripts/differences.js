function drawDifferences(plot, classes, metric) {
  Plotly.react(plot, [{ type: 'bar', orientation: 'h', x: classes.map(([, value]) => value),
    y: classes.map(([name]) => plain(name)), hovertemplate: '%{y}: %{x:+.1f}<extra></extra>',
    marker: { color: classes.map(([, value]) => (value < 0 ? colors.own : colors.paper)) } }],
  frame(`${metric} difference per class: second minus first`, { height: 120 + 18 * classes.length, showlegend: false,
    yaxis: { type: 'category', automargin: true, dtick: 1 }, xaxis: { zeroline: true } }), settings);
}
