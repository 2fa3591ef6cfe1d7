// ---- menu of columns
function drawChooser() {
  const shownIds = new Set(state.columns.map((column) => column.id));
  const boxes = boardColumns().filter((column) => !column.kind).map((column) => {
    const box = element('input', { type: 'checkbox', value: column.id, checked: shownIds.has(column.id) });
    return element('label', {}, [box, column.title]);
  });
  $('#column-list').replaceChildren(...boxes);
}

function markChosen() {
  const shownIds = new Set(state.columns.map((column) => column.id));
  all('#column-list input').forEach((box) => { box.checked = shownIds.has(box.value); });
}

function listenToChooser() {
  const menu = $('#columns');
  const change = (chosen) => {
    state.chosen = chosen;
    drawTable();
    writeAddress();
  };
  $('#column-list').addEventListener('change', () => {
    change(new Set(all('#column-list input').filter((box) => box.checked).map((box) => box.value)));
  });
  $('#columns-automatic').addEventListener('click', () => change(null));
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
  document.addEventListener('click', (event) => { if (!menu.contains(event.target)) menu.open = false; });
}
