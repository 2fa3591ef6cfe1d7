// ---- whole page
function drawShown() {
  state.rows = matchingRows();
  drawTable();
  drawCosts();
  drawSizes();
}

function drawBoard() {
  $('#table-title').textContent = `Ranking: ${state.board.title}`;
  state.columns = [];
  fillFilters();
  drawShown();
  drawChooser();
  fillPair();
  drawPair();
}

function drawAll() {
  readAddress();
  applyTheme();
  drawBoard();
  drawComparison();
  drawTrends();
}

const focusedColumn = () => document.activeElement.closest('#table th')?.dataset.column;

function listenToWindow() {
  window.addEventListener('hashchange', drawAll);
  let width = window.innerWidth;
  window.addEventListener('resize', () => {
    if (width === window.innerWidth) return;  // phones change the height when they scroll
    width = window.innerWidth;
    boards.forEach((board) => { delete board.columns; });
    state.columns = [];
    const focused = focusedColumn();
    drawTable();
    document.querySelector(`#table [data-column="${CSS.escape(focused ?? '')}"] button`)?.focus({ preventScroll: true });
    drawSizes();
  });
  $('.skip').addEventListener('click', (event) => {  // keeps the view in the hash
    event.preventDefault();
    $('#table').focus();
  });
  $('#axes').addEventListener('change', () => {
    state.axes = $('#axes').value;
    drawCosts();
    writeAddress();
  });
}

fillComparisons();
fillTrends();
listenToTheme();
if (boards.length) {
  fillBoards();
  [listenToFilters, listenToChooser, listenToConfigs, listenToDownload, listenToGroups, listenToOwn, listenToPair, listenToRows,
    listenToWindow].forEach((run) => run());
  drawAll();
} else {
  all('form, main > section:not(#comparisons, #trends)').forEach((part) => { part.hidden = true; });
  $('main').prepend(element('p', { textContent: 'No rows.' }));
  drawComparison();
  drawTrends();
}
