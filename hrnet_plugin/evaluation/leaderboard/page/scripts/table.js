// ---- head and order of the table
function drawTable() {
  const columns = chooseColumns();
  const isSame = columns.length === state.columns.length && columns.every((column, index) => column === state.columns[index]);
  state.columns = columns;
  if (!columns.some((column) => column.id === state.sort)) state.sort = null;
  if (!isSame) {
    drawHead();
    markChosen();
  }
  drawRows();
}

function drawHead() {
  const total = state.columns.reduce((sum, column) => sum + column.pixels, 0);
  const table = $('#table table');
  table.style.minWidth = `${total}px`;
  table.style.removeProperty('--row-height');
  table.style.setProperty('--rank-width', `${state.columns[0].pixels}px`);
  $('#table colgroup').replaceChildren(...state.columns.map((column) => {
    const col = element('col');
    // columns of text share the space that is left
    col.style.width = column.isText ? `${100 * column.pixels / total}%` : `${column.pixels}px`;
    return col;
  }));
  $('#table thead').replaceChildren(element('tr', { ariaRowIndex: '1' }, state.columns.map(headCell)));
}

function headCell(column) {
  const button = element('button', { type: 'button' }, [column.title]);
  if (column.direction) {
    const [arrow, words] = DIRECTIONS[column.direction];
    button.append(' ', element('span', { className: 'direction', ariaHidden: 'true', textContent: arrow }),
      element('span', { className: 'unseen', textContent: ` ${words}` }));
  }
  button.addEventListener('click', () => sortBy(column));
  const cell = element('th', { scope: 'col', className: cellClass(column) }, [button]);
  cell.dataset.column = column.id;
  return cell;
}

const cellClass = (column) => [column.kind, column.isText ? 'text' : ''].filter(Boolean).join(' ');

function sortBy(column) {
  const isSame = state.sort === column.id;
  state.down = isSame ? !state.down : ['higher', 'unknown'].includes(column.direction);
  state.sort = column.id;
  drawRows();
  writeAddress();
}

// texts in this form sort numbers by value; Intl.Collator takes 100 ms for 5000 rows
const sortKey = (text) => text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(9, '0'));

function sortedRows() {
  const column = state.columns.find(({ id }) => id === state.sort);
  if (!column) return state.rows;
  const keyed = state.rows.map((row) => [column.value(row), row]);
  const missing = keyed.filter(([key]) => key === null);  // last in both directions
  const known = keyed.filter(([key]) => key !== null).map(([key, row]) => [column.isText ? sortKey(key) : key, row]);
  const order = column.isText ? ([a], [b]) => (a > b) - (a < b) : ([a], [b]) => a - b;
  known.sort(state.down ? (a, b) => order(b, a) : order);
  return [...known, ...missing].map(([, row]) => row);
}
