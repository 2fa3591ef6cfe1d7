// ---- table
function drawHead() {
  const cells = columns().map((column, index) => {
    const button = element('button', { type: 'button', textContent: column.title });
    button.addEventListener('click', () => sortBy(index));
    return element('th', { scope: 'col' }, [button]);
  });
  $('#table thead').replaceChildren(element('tr', {}, cells));
}

function sortBy(index) {
  const same = state.sort === index;
  state.down = same ? !state.down : !columns()[index].up;
  state.sort = index;
  drawRows();
}

function drawRows() {
  const list = columns();
  const rows = [...state.rows];
  if (state.sort !== null) {
    const { key } = list[state.sort];
    const sign = state.down ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === y) return 0;
      if (x === null || x === '') return 1;  // missing values are last in both directions
      if (y === null || y === '') return -1;
      return sign * (typeof x === 'string' ? x.localeCompare(y, 'en', { numeric: true }) : x - y);
    });
  }
  all('#table thead th').forEach((head, index) => {
    if (index === state.sort) head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  });
  $('#table tbody').replaceChildren(...rows.map((row) => element('tr', { className: row.source === 'own' ? 'own' : '' },
    list.map((column, index) => {
      const hint = column.hint ? column.hint(row) : index === 1 ? row.partial : '';
      const cell = element('td', { textContent: column.text(row), title: hint || '' });
      if (index === 1 && row.partial) cell.classList.add('partial');
      return cell;
    }))));
  $('#count').textContent = `${rows.length} of ${state.board.rows.length} rows`;
}
