// ---- way to your first result in a long table
function firstOwn(items) {
  return items.findIndex(({ row }) => row.source === 'own');
}

function drawOwnButton(items) {
  const row = items[firstOwn(items)]?.row;
  $('#own').hidden = !row;
  if (row) $('#own').textContent = row.rank === undefined ? 'Your first result' : `Your first result: rank ${row.rank}`;
}

function listenToOwn() {
  $('#own').addEventListener('click', () => {
    const index = firstOwn(shownItems());
    const body = [...blocks.keys()][Math.floor(index / BLOCK)];
    fillBlock(body);
    body.rows[index % BLOCK].scrollIntoView({ block: 'center' });
    $('#table').focus({ preventScroll: true });
  });
}
