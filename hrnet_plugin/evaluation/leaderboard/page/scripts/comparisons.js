// ---- comparisons of two files, written by `compare`
const signed = (value) => {
  const rounded = (100 * value).toFixed(1);
  return Number(rounded) < 0 ? `\u2212${rounded.slice(1)}` : `+${rounded.replace('-', '')}`;
};
const percent = (value) => (value === null ? '' : (100 * value).toFixed(1));

// kind of a comparison -> its results, first metric, title of the error types, and their cost
const KINDS = {
  bbox: ['Boxes', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
  segm: ['Masks', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
  keypoints: ['Keypoints', 'AP', 'labeled keypoints by type', 'mean OKS lost'],
  semantic: ['Label maps', 'mIoU'],
};

function fillComparisons() {
  $('#comparisons').hidden = !comparisons.length;
  $('#comparison').replaceChildren(...comparisons.map((one, index) => element('option', { value: index,
    textContent: `${one.names.join(' and ')} (${comparisonTitle(one)})` })));
  $('#comparison').addEventListener('change', () => {
    drawComparison();
    writeAddress();
  });
}

const comparisonTitle = (one) => `${KINDS[one.kind][0].toLowerCase()}, ${one.images} images`;

function comparisonText(one) {
  const [first, second] = one.names;
  const [results, metric] = KINDS[one.kind];
  const { difference, low, high, better, draws } = one.interval;
  const verdict = low <= 0 && high >= 0 ? 'no significant difference' : `${low > 0 ? second : first} is better`;
  return `${results} in ${one.images} images. ${metric} of ${second} minus ${metric} of ${first}: ${signed(difference)}, `
    + `95 % interval ${signed(low)} to ${signed(high)} (paired bootstrap, ${draws} draws): ${verdict}. ${second} has the `
    + `higher ${metric} in ${Math.round(100 * better)} % of the draws.`;
}

function smallTable(name, head, rows) {
  const line = (tag, cells) => element('tr', {}, cells.map((cell) => element(tag, { textContent: cell,
    ...(tag === 'th' ? { scope: 'col' } : {}) })));
  const table = $(`#comparison-${name}`);
  table.closest('.scroll').hidden = !rows.length;
  table.tHead.replaceChildren(...(rows.length ? [line('th', head)] : []));
  table.tBodies[0].replaceChildren(...rows.map((cells) => line('td', cells)));
}

function drawComparison() {
  if (!comparisons.length) return;
  const one = comparisons[$('#comparison').value];
  const [, metric, types, cost] = KINDS[one.kind];
  const [first, second] = one.names;
  $('#comparison-title').textContent = `${first} and ${second}: ${comparisonTitle(one)}`;
  $('#comparison-text').textContent = comparisonText(one);
  smallTable('metrics', ['metric (%)', first, second, 'difference'], Object.entries(one.metrics)
    .filter(([, pair]) => pair[0] !== null || pair[1] !== null).map(([name, pair]) => [name, ...pair.map(percent),
      pair.includes(null) ? '' : signed(pair[1] - pair[0])]));
  const errors = one.errors || [];
  const costText = one.kind === 'keypoints' ? percent : signed;  // a gain may be negative
  smallTable('errors', [types, first, second, `${cost} (%), ${first}`, `${cost} (%), ${second}`],
    Object.keys(errors[0]?.numbers ?? {}).map((kind) => [kind, ...errors.map((each) => each.numbers[kind]),
      ...errors.map((each) => costText(each.costs[kind]))]));
  smallTable('keypoints', ['good keypoints (%)', first, second, 'difference'], Object.entries(one.keypoints || {})
    .filter(([, pair]) => pair[0] !== null).map(([name, pair]) => [name, ...pair.map(percent), signed(pair[1] - pair[0])]));
  drawAnalyses($('#comparison-analyses'), { names: one.names, kinds: one.analyses ? { [one.kind]: one.analyses } : {} });
  const classes = Object.entries(one.classes).filter(([, pair]) => pair[0] !== null && pair[1] !== null)
    .map(([name, pair]) => [name, 100 * (pair[1] - pair[0])]).sort((a, b) => a[1] - b[1]);
  $('#plot-comparison').closest('figure').hidden = !classes.length;
  if (classes.length) differencesPlot('plot-comparison', classes, metric === 'AP' ? 'AP' : 'IoU', one.names);
  $('#comparison-images').textContent = one.differing.length ? `Images with the largest differences, second minus first in percent: ${one.differing.map(
    ([name, pair]) => `${name} (${signed(pair[1] - pair[0])})`).join(', ')}.` : '';
}
