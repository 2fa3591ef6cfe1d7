// ---- two rows of a ranking
const hasDetails = (row) => row.classes || row.pictures || row.analyses;

function fillPair() {
  const rows = state.board.rows.filter(hasDetails);
  $('#pair').hidden = rows.length < 2;
  const chosen = state.pair ?? {};
  for (const [name, place] of [['first', 0], ['second', 1]]) {
    $(`#${name}`).replaceChildren(...rows.map((row) => element('option', { value: row.index, textContent: rowName(row) })));
    if (rows.length > 1) $(`#${name}`).value = rows.includes(chosen[name]) ? chosen[name].index : rows[place].index;
  }
}

function drawPair() {
  if ($('#pair').hidden) return;
  const [first, second] = ['#first', '#second'].map((id) => state.board.rows[$(id).value]);
  const names = Object.keys(first.pictures ?? {}).filter((name) => name in (second.pictures ?? {}));
  const classes = commonClasses(first, second);
  $('#plot-classes').hidden = !classes.length;
  const kinds = commonAnalyses(first, second);
  drawAnalyses($('#pair-analyses'), { names: pairNames(first, second), kinds });
  $('#pair .empty').hidden = Boolean(classes.length || names.length || Object.keys(kinds).length);
  if (classes.length) differencesPlot('plot-classes', classes, 'AP', pairNames(first, second));
  $('#pictures').replaceChildren(...names.flatMap((name) => [first, second].map((row) => element('figure', {}, [
    element('img', { src: row.pictures[name], alt: `${name}, predictions of ${row.model}`, decoding: 'async' }),
    element('figcaption', { textContent: `${name}: ${row.model}` })]))));
}

// legends need short names
const pairNames = (...rows) => rows.map((row, index) => `${['first', 'second'][index]}, ${row.detail}`);

// [class, difference] of the classes that both rows have
function commonClasses(first, second) {
  const [before, after] = [first.classes ?? [], second.classes ?? []];
  return state.board.classes.map((name, index) => [name, before[index], after[index]])
    .filter(([, a, b]) => typeof a === 'number' && typeof b === 'number')
    .map(([name, a, b]) => [name, b - a]).sort((a, b) => a[1] - b[1]);
}

function listenToPair() {
  for (const name of ['first', 'second']) {
    $(`#${name}`).addEventListener('change', (event) => {
      state.pair = { ...state.pair, [name]: state.board.rows[event.target.value] };
      drawPair();
      writeAddress();
    });
  }
}
