// ---- one row per model, with those of other sources below it on demand
// items in the order of the table: a row, the other rows of its model, and whether it is one of those
function shownItems() {
  const rows = sortedRows();
  if (!state.isGrouped) return rows.map((row) => ({ row, others: [] }));
  const groups = new Map();
  for (const row of rows) {
    if (groups.has(row.group)) groups.get(row.group).push(row);
    else groups.set(row.group, [row]);
  }
  return [...groups].flatMap(([group, [row, ...others]]) => [{ row, others },
    ...(state.open.has(group) ? others.map((other) => ({ row: other, others: [], isMember: true })) : [])]);
}

function countText(items) {
  const total = `${state.rows.length} of ${state.board.rows.length} rows`;
  return state.isGrouped ? `${total}, ${items.filter((item) => !item.isMember).length} models` : total;
}

function groupButton(row, others) {
  const isOpen = state.open.has(row.group);
  const button = element('button', { type: 'button', className: 'more', ariaExpanded: String(isOpen),
    textContent: `${isOpen ? 'Hide' : 'Show'} ${others.length} more` });
  button.append(element('span', { className: 'unseen', textContent: ` of ${row.model}` }));
  button.dataset.group = row.group;
  button.addEventListener('click', () => {
    if (!state.open.delete(row.group)) state.open.add(row.group);
    drawRows(true);
    all('#table .more').find((one) => one.dataset.group === row.group)?.focus({ preventScroll: true });
  });
  return button;
}

function listenToGroups() {
  $('#grouped').addEventListener('change', () => {
    state.isGrouped = $('#grouped').checked;
    state.open.clear();
    drawRows();
    writeAddress();
  });
}
