// ---- comparisons of two files, written by `compare`
const signed = (value) => {
  const rounded = (100 * value).toFixed(1);
  return Number(rounded) < 0 ? `\u2212${rounded.slice(1)}` : `+${rounded.replace('-', '')}`;
};
// kind of a comparison -> its results, first metric, title of the error types, and their cost
const kinds = {
  bbox: ['Boxes', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
  segm: ['Masks', 'AP', 'error types at IoU 0.5', 'AP50 gain if fixed'],
  keypoints: ['Keypoints', 'AP', 'labeled keypoints by type', 'mean OKS lost'],
  semantic: ['Label maps', 'mIoU'],
};

function fillComparisons() {
  $('#comparisons').hidden = !comparisons.length;
  $('#comparison').append(...comparisons.map((one, index) => element('option', { value: index,
    textContent: one.names.join(' and ') })));
  $('#comparison').addEventListener('change', drawComparison);
  if (comparisons.length) drawComparison();
}

function drawComparison() {
  const one = comparisons[$('#comparison').value];
  const [first, second] = one.names;
  const { interval } = one;
  const [results, metric, types, cost] = kinds[one.kind];
  $('#comparison-text').textContent = `${results} in ${one.images} images. ${metric} of ${second} `
    + `minus ${metric} of ${first}: ${signed(interval.difference)}, 95 % interval ${signed(interval.low)} to `
    + `${signed(interval.high)} (paired bootstrap, ${interval.draws} draws): ${interval.low <= 0 && interval.high >= 0
      ? 'no significant difference' : `${interval.low > 0 ? second : first} is better`}. ${second} has the higher ${metric} in `
    + `${Math.round(100 * interval.better)} % of the draws.`;
  const row = (tag, cells) => element('tr', {}, cells.map((cell) => element(tag, { textContent: cell })));
  const table = (name, head, rows) => {
    $(`#comparison-${name} thead`).replaceChildren(row('th', head));
    $(`#comparison-${name} tbody`).replaceChildren(...rows.map((cells) => row('td', cells)));
  };
  const per = (value) => (value === null ? '' : (100 * value).toFixed(1));
  table('metrics', ['', first, second, 'difference'], Object.entries(one.metrics).filter(([, pair]) => pair[0] !== null
    || pair[1] !== null).map(([name, pair]) => [name, per(pair[0]), per(pair[1]),
    pair.includes(null) ? '' : signed(pair[1] - pair[0])]));
  const errors = one.errors || [];
  table('errors', errors.length ? [types, first, second, `${cost}, ${first}`, `${cost}, ${second}`] : [],
    Object.keys(errors.length ? errors[0].numbers : {}).map((kind) => [kind, ...errors.map((each) => each.numbers[kind]),
      ...errors.map((each) => signed(each.costs[kind]))]));
  const keypoints = Object.entries(one.keypoints || {});
  table('keypoints', keypoints.length ? ['good keypoints', first, second, 'difference'] : [],
    keypoints.filter(([, pair]) => pair[0] !== null).map(([name, pair]) => [name, per(pair[0]), per(pair[1]),
      signed(pair[1] - pair[0])]));
  const classes = Object.entries(one.classes).filter(([, pair]) => pair[0] !== null && pair[1] !== null)
    .map(([name, pair]) => [name, 100 * (pair[1] - pair[0])]).sort((a, b) => a[1] - b[1]);
  drawDifferences('plot-comparison', classes, metric === 'AP' ? 'AP' : 'IoU');
  $('#comparison-images').textContent = one.differing.length ? `Images with the largest differences: ${one.differing.map(
    ([name, pair]) => `${name} (${signed(pair[1] - pair[0])})`).join(', ')}.` : '';
}
