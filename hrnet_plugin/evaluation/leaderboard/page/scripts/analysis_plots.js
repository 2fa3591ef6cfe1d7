// ---- plots of analyses
const MODEL_COLORS = ['--own', '--paper'];
const RECALLS = Array.from({ length: 101 }, (_, index) => index / 100);
const className = ({ analyses, cls }) => (cls === null ? 'all classes' : brief(analyses[0].classes[cls]));
// short and different names for legends and titles
function modelName(names, index) {
  const short = names.map((name) => shorten(name, isNarrow() ? 24 : 36));
  return brief(short[0] === short[1] ? `${['first', 'second'][index]}, ${short[index]}` : short[index]);
}
const overlapName = (kind) => (kind === 'keypoints' ? 'OKS' : 'IoU');

function curvesPlot(view) {
  const { names, analyses, cls, overlap } = view;
  const traces = analyses.flatMap(({ curves }, index) => {
    const text = cls === null ? curves.mean : curves.precision[cls];
    if (!text) return [];
    const y = [...decodeNumbers(text, Uint16Array)].slice(101 * overlap, 101 * (overlap + 1)).map((value) => value / 10000);
    // scores are known for the first threshold only
    const scores = cls !== null && overlap === 0 ? [...decodeNumbers(curves.scores[cls], Float32Array)] : null;
    return [{ type: 'scatter', mode: 'lines', name: modelName(names, index), x: RECALLS, y,
      line: { color: color(MODEL_COLORS[index]) },
      ...(scores ? { text: scores.map((value) => `\nscore ${value.toFixed(2)}`) } : {}),
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
    return { type: 'scatter', mode: 'lines', name: `${modelName(names, index)}, ${title}`, x: histograms.edges,
      y: [...values, values.at(-1)], line: { shape: 'hv', dash, color: color(MODEL_COLORS[index]) },
      hovertemplate: '%{y} from score %{x:.2f}' };
  }));
  return [traces, frame(`Predictions by score, ${className(view)}, true at ${overlapName(analyses[0].kind)} ${
    analyses[0].histograms.overlap.toFixed(2)}`, { xaxis: { title: { text: 'score' } },
    yaxis: { title: { text: 'predictions' }, rangemode: 'tozero' }, legend: { below: 50 },
    margin: { b: isNarrow() ? 140 : 100 } })];
}

// axes of numbers, since two classes may have the same name. As many labels as fit in the pixels.
function labelAxis(labels, pixels, title) {
  const step = Math.ceil(12 * labels.length / pixels);
  const tickvals = labels.map((label, index) => index).filter((index) => index % step === 0);
  return { automargin: true, showgrid: false, zeroline: false, tickvals, ticktext: tickvals.map((index) => labels[index]),
    tickfont: { size: labels.length > 40 ? 9 : 12 }, title: { text: title } };
}

// places of the classes that occur in one of the matrices, the same ones for all
function occurring(analyses) {
  const matrices = analyses.map(({ confusion }) => confusion.counts);
  return matrices[0].map((row, index) => index).filter((index) => matrices.some((counts) => counts[index].some(Boolean)
    || counts.some((row) => row[index])));
}

// kept: places of the classes shown
function confusionPlot(name, { kind, classes, confusion }, kept, width) {
  const labels = kept.map((index) => brief(classes[index] ?? '(background)'));
  const places = labels.map((label, index) => index);
  const matrix = kept.map((truth) => kept.map((found) => confusion.counts[truth][found]));
  const shares = matrix.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (total ? count / total : 0));
  });
  const what = kind === 'semantic' ? 'pixels' : 'objects';
  const matched = kind === 'semantic' ? ''
    : ` (score ≥ ${confusion.score.toFixed(2)}, ${overlapName(kind)} ≥ ${confusion.overlap.toFixed(2)})`;
  const height = Math.min(isNarrow() ? 440 : 1250, Math.max(isNarrow() ? 440 : 560, 230 + 12 * labels.length));
  return [[{ type: 'heatmap', x: places, y: places, z: shares, zmin: 0, zmax: 1,
    customdata: matrix.map((row, truth) => row.map((count, found) => [count, labels[truth], labels[found]])),
    colorscale: [[0, color('--page')], [1, color('--mark')]], colorbar: { title: { text: 'share of row' }, thickness: 12 },
    hovertemplate: `truth %{customdata[1]}<br>predicted %{customdata[2]}<br>%{customdata[0]} ${what}, `
      + '%{z:.1%} of the row<extra></extra>' }],
  frame(`Confusion matrix of ${name}`, { height,
    xaxis: { ...labelAxis(labels, width - 200, `predicted class${matched}`), tickangle: -60 },
    yaxis: { ...labelAxis(labels, height - 220, 'ground-truth class'), autorange: 'reversed' } })];
}

function precisionPlot({ names, analyses }) {
  const [first, second] = analyses;
  const [metric, unit] = first.kind === 'semantic' ? ['IoU', 'pixels'] : ['AP', 'objects'];
  const known = first.classes.map((name, index) => index)
    .filter((index) => first.precision[index] !== null || second.precision[index] !== null)
    .sort((a, b) => (first.precision[a] ?? 0) - (first.precision[b] ?? 0));
  const traces = analyses.map((one, index) => ({ type: 'scatter', mode: 'markers', name: modelName(names, index),
    x: known.map((cls) => (one.precision[cls] === null ? null : 100 * one.precision[cls])),
    y: known.map((cls) => brief(one.classes[cls])), customdata: known.map((cls) => [one.objects[cls], one.predictions[cls]]),
    marker: { size: 9, color: color(MODEL_COLORS[index]), symbol: ['circle', 'diamond'][index] },
    hovertemplate: `%{y}: %{x:.1f}<br>%{customdata[0]} ${unit}, %{customdata[1]} predicted` }));
  return [traces, frame(`${metric} of each class`, { height: 200 + 18 * known.length, xaxis: { title: { text: metric } },
    yaxis: { type: 'category', automargin: true, dtick: 1, range: [-0.7, known.length - 0.3] },
    legend: { above: true } })];
}
