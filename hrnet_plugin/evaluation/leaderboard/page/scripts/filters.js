// ---- datasets and filters
function fillBoards() {
  const group = (label, isOwn) => {
    const options = boards.map((board, index) => (board.own === isOwn
      ? element('option', { value: index, textContent: board.title }) : null)).filter(Boolean);
    return options.length ? [element('optgroup', { label }, options)] : [];
  };
  $('#board').replaceChildren(...group('With your results', true), ...group('Published results', false));
}

function fillFilters() {
  for (const select of all('[data-filter]')) {
    const name = select.dataset.filter;
    const before = select.value;
    const values = [...new Set(state.board.rows.map((row) => row[name]).filter(Boolean))].sort();
    select.replaceChildren(element('option', { value: '', textContent: 'all' }),
      ...values.map((value) => element('option', { value, textContent: value })));
    select.disabled = values.length < 2;
    select.value = values.length > 1 && values.includes(before) ? before : '';
  }
}

function matchingRows() {
  const words = $('#search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const filters = all('[data-filter]').filter((select) => select.value).map((select) => [select.dataset.filter, select.value]);
  return state.board.rows.filter((row) => filters.every(([name, value]) => row[name] === value)
    && words.every((word) => row.words.includes(word)));
}

function listenToFilters() {
  $('#board').addEventListener('change', () => {
    state.board = boards[$('#board').value];
    drawBoard();
    writeAddress();
  });
  all('[data-filter]').forEach((select) => select.addEventListener('change', () => {
    drawShown();
    writeAddress();
  }));
  $('#search').addEventListener('input', () => {
    drawShown();
    writeAddress(true);
  });
  $('#filters').addEventListener('submit', (event) => event.preventDefault());
  $('#filters').addEventListener('reset', (event) => {
    event.preventDefault();
    [$('#search'), ...all('[data-filter]')].forEach((field) => { field.value = ''; });
    drawShown();
    writeAddress();
  });
}
