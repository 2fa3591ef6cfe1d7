function fillBoards() {
  boards.forEach((board, index) => $('#board').append(element('option', { value: index, textContent: board.title })));
  if (!boards.length) $('#count').textContent = 'No rows.';
}

function fillFilters() {
  for (const select of all('[data-filter]')) {
    const name = select.dataset.filter;
    const values = [...new Set(state.board.rows.map((row) => row[name]).filter(Boolean))].sort();
    select.replaceChildren(element('option', { value: '', textContent: 'all' }),
      ...values.map((value) => element('option', { value, textContent: value })));
    select.disabled = values.length < 2;
  }
}

function chosenRows() {
  const words = $('#search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const filters = all('[data-filter]').filter((select) => select.value);
  return state.board.rows.filter((row) => filters.every((select) => row[select.dataset.filter] === select.value)
    && words.every((word) => `${row.model} ${row.where}`.toLowerCase().includes(word)));
}
