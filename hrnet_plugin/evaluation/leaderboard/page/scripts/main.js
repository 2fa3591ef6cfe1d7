// ---- whole page
function drawShown() {
  state.rows = chosenRows();
  drawRows();
  drawCost('macs_in_billions', 'GMACs');
  drawCost('ms', 'ms per image');
  drawCost('weights_in_millions', 'millions of parameters');
  drawSizes();
}

function drawBoard() {
  state.board = boards[$('#board').value || 0];
  state.sort = null;
  fillFilters();
  drawHead();
  fillPair();
  drawShown();
  drawPair();
}

fillBoards();
fillComparisons();
if (!boards.length) return;
$('#board').addEventListener('change', drawBoard);
all('[data-filter]').forEach((select) => select.addEventListener('change', drawShown));
$('#search').addEventListener('input', drawShown);
$('#filters').addEventListener('submit', (event) => event.preventDefault());
$('#filters').addEventListener('reset', (event) => {
  event.preventDefault();
  $('#search').value = '';
  all('[data-filter]').forEach((select) => { select.value = ''; });
  drawShown();
});
['#first', '#second'].forEach((id) => $(id).addEventListener('change', drawPair));
drawBoard();
