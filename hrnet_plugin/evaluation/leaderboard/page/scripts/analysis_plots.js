// ---- plots of analyses
const MODEL_COLORS = ['--own', '--paper'];
const RECALLS = Array.from({ length: 101 }, (_, index) => index / 100);
const className = ({ analyses, cls }) => (cls === null ? 'all classes' : plain(analyses[0].classes[cls]));
const overlapName = (kind) => (kind === 'keypoints' ? 'OKS' : 'IoU');

function curvesPlot(view) {
  const { names, analyses, cls, overlap } = view;
  const traces = analyses.flatMap(({ curves }, index) => {
    const text = cls === null ? curves.mean : curves.precision[cls];
    if (!text) return [];
    const y = [...decodeNumbers(text, Uint16Array)].slice(101 * overlap, 101 * (overlap + 1)).map((value) => value / 10000);
    // scores are known for the first threshold only
    const scores = cls !== null && overlap === 0 ? [...decodeNumbers(curves.scores[cls], Float32Array)] : null;
    return [{ type: 'scatter', mode: 'lines', name: plain(names[index]), x: RECALLS, y,
      line: { color: color(MODEL_COLORS[index]) },
      ...(scores ? { text: scores.map((value) => `<br>score ${value.toFixed(2)}`) } : {}),
      hovertemplate: `recall %{x:.2f}, precision %{y:.3f}${scores ? '%{text}' : ''}` }];
  });
  const threshold = analyses[0].curves.thresholds[overlap].toFixed(2);
  return [traces, frame(`Precision and recall at ${overlapName(analyses[0].kind)} ${threshold}, ${className(view)}`, {
    showlegend: true, xaxis: { title: { text: 'recall' }, range: [0, 1.01] },
    yaxis: { title: { text: 'precision' }, range: [0, 1.03] },
    legend: { below: 50 }, margin: { b: 90 } })];
}

function scoresPlot(view) {
  const { names, analyses, cls } = view;
  const sum = (lists) => (cls === null
    ? lists[0].map((_, bin) => lists.reduce((total, list) => total + list[bin], 0)) : lists[cls]);
  const traces = analyses.flatMap(({ histograms }, index) => [['true positives', 'true_positives', 'solid'],
    ['false positives', 'false_positives', 'dot']].map(([title, key, dash]) => {
    const values = sum(histograms[key]);
    return { type: 'scatter', mode: 'lines', name: `${plain(names[index])}, ${title}`, x: histograms.edges,
      y: [...values, values.at(-1)], line: { shape: 'hv', dash, color: color(MODEL_COLORS[index]) },
      hovertemplate: '%{y} from score %{x:.2f}' };
  }));
  return [traces, frame(`Predictions by score, ${className(view)}`, { xaxis: { title: { text: 'score' } },
    yaxis: { title: { text: 'number' }, rangemode: 'tozero' }, legend: { below: 50 },
    margin: { b: isNarrow() ? 140 : 100 } })];
}

function confusionPlot(name, { kind, classes, confusion }) {
  const labels = [...classes, '(background)'].map(plain);
  const shares = confusion.counts.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (total ? count / total : 0));
  });
  const what = kind === 'semantic' ? 'pixels' : 'objects';
  const axis = { type: 'category', automargin: true, showgrid: false };
  return [[{ type: 'heatmap', x: labels, y: labels, z: shares, customdata: confusion.counts, zmin: 0, zmax: 1,
    colorscale: [[0, color('--page')], [1, color('--mark')]], colorbar: { title: { text: 'share of row' }, thickness: 12 },
    hovertemplate: `truth %{y}<br>predicted %{x}<br>%{customdata} ${what}, %{z:.1%} of the row<extra></extra>` }],
  frame(`Confusion matrix of ${plain(name)}`, { height: isNarrow() ? 420 : 560,
    xaxis: { ...axis, title: { text: 'predicted class' }, tickangle: -60 },
    yaxis: { ...axis, title: { text: 'ground-truth class' }, autorange: 'reversed' } })];
}

function precisionPlot({ names, analyses }) {
  const [first, second] = analyses;
  const metric = first.kind === 'semantic' ? 'IoU' : 'AP';
  const known = first.classes.map((name, index) => index)
    .filter((index) => first.precision[index] !== null || second.precision[index] !== null)
    .sort((a, b) => (first.precision[a] ?? 0) - (first.precision[b] ?? 0));
  const traces = analyses.map((one, index) => ({ type: 'scatter', mode: 'markers', name: plain(names[index]),
    x: known.map((cls) => (one.precision[cls] === null ? null : 100 * one.precision[cls])),
    y: known.map((cls) => plain(one.classes[cls])), customdata: known.map((cls) => [one.objects[cls], one.predictions[cls]]),
    marker: { size: 9, color: color(MODEL_COLORS[index]), symbol: ['circle', 'diamond'][index] },
    hovertemplate: `%{y}: %{x:.1f}<br>%{customdata[0]} objects, %{customdata[1]} predictions` }));
  return [traces, frame(`${metric} of each class`, { height: 160 + 18 * known.length, xaxis: { title: { text: metric } },
    yaxis: { type: 'category', automargin: true, dtick: 1 },
    legend: { y: 1, yanchor: 'bottom', x: 1, xanchor: 'right' } })];
}
