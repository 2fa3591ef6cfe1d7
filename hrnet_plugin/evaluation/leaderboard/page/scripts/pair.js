// ---- two rows
const known = (row) => Object.keys(row.classes).length || Object.keys(row.pictures).length;

function fillPair() {
  const rows = state.board.rows.filter(known);
  $('#pair').hidden = rows.length < 2;
  for (const [id, place] of [['#first', 0], ['#second', 1]]) {
    $(id).replaceChildren(...rows.map((row) => element('option', { value: state.board.rows.indexOf(row),
      textContent: `${row.model} (${row.where})` })));
    if (rows.length > 1) $(id).selectedIndex = place;
  }
}

function drawPair() {
  if ($('#pair').hidden) return;
  const [first, second] = ['#first', '#second'].map((id) => state.board.rows[$(id).value]);
  const names = Object.keys(first.pictures).filter((name) => name in second.pictures);
  const classes = Object.keys(first.classes).filter((name) => name in second.classes)
    .map((name) => [name, second.classes[name] - first.classes[name]]).sort((a, b) => a[1] - b[1]);
  $('#plot-classes').hidden = !classes.length;
  $('#pair .empty').hidden = Boolean(classes.length || names.length);
  if (classes.length) drawDifferences('plot-classes', classes, 'AP');
  $('#pictures').replaceChildren(...names.flatMap((name) => [first, second].map((row) => element('figure', {}, [
    element('img', { src: row.pictures[name], alt: `${name}, predictions of ${row.model}`, loading: 'lazy' }),
    element('figcaption', { textContent: `${name}: ${row.model}` })]))));
}
