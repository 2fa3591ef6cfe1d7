// ---- view in the hash of the address. Values that the page does not know are ignored.
const fields = () => [...all('[data-filter]').map((select) => [select.dataset.filter, select]), ['search', $('#search')],
  ['axes', $('#axes')], ['trend', $('#trend')]];

function currentAddress() {
  const words = new URLSearchParams();
  if (state.board !== boards[0]) words.set('board', state.board.title);
  for (const [name, field] of fields()) {
    if (field.value && field.value !== field.options?.[0].value) words.set(name, field.value);
  }
  if (state.sort !== null) words.set('sort', `${state.down ? '-' : '+'}${state.sort}`);
  state.chosen?.forEach((id) => words.append('column', id));
  if (state.chosen && !state.chosen.size) words.append('column', '');
  for (const [name, row] of Object.entries(state.pair ?? {})) if (row) words.set(name, rowName(row));
  if (comparisons.length && $('#comparison').value !== '0') words.set('comparison', $('#comparison').value);
  if (state.isGrouped) words.set('grouped', '1');
  if (state.theme) words.set('theme', state.theme);
  return words.toString();
}

// replace: change the entry of the browser's history instead of adding one, as for each letter of a search
function writeAddress(replace = false) {
  const address = currentAddress();
  if (address === window.location.hash.slice(1)) return;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', `#${address}`);
}

function readAddress() {
  const words = new URLSearchParams(window.location.hash.slice(1));
  state.board = boards.find((board) => board.title === words.get('board')) ?? boards[0];
  $('#board').value = boards.indexOf(state.board);
  fillFilters();
  for (const [name, field] of fields()) {
    if (field.options) setSelect(field, words.get(name));
    else field.value = words.get(name) ?? '';
  }
  const ids = boardColumns().map((column) => column.id);
  const sort = words.get('sort') ?? '';
  state.sort = ids.includes(sort.slice(1)) ? sort.slice(1) : null;
  state.down = sort.startsWith('-');
  const columns = words.getAll('column');
  state.chosen = columns.length ? new Set(columns.filter((id) => ids.includes(id))) : null;
  state.pair = { first: namedRow(words.get('first')), second: namedRow(words.get('second')) };
  setSelect($('#comparison'), words.get('comparison'));
  state.theme = ['light', 'dark'].includes(words.get('theme')) ? words.get('theme') : '';
  state.axes = $('#axes').value;
  state.isGrouped = words.get('grouped') === '1';
  $('#grouped').checked = state.isGrouped;
}

// an unknown value selects the first option
function setSelect(select, value) {
  select.value = value ?? '';
  if (select.selectedIndex === -1) select.selectedIndex = 0;
}

const rowName = (row) => `${row.model} (${row.where})`;
const namedRow = (name) => (name === null ? null : state.board.rows.find((row) => rowName(row) === name) ?? null);
