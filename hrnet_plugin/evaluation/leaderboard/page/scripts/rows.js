// ---- rows of the table, in blocks that exist only near the visible part
const BLOCK = 25;
const blocks = new Map();  // tbody -> its rows, and the index of the first one

const blockWatcher = new IntersectionObserver((changes) => changes.forEach(({ target, isIntersecting }) => {
  if (isIntersecting) fillBlock(target);
  else if (!target.contains(document.activeElement)) emptyBlock(target);
}), { root: $('#table'), rootMargin: '800px 0px' });

// keepsPlace: whether the table stays where it is scrolled to
function drawRows(keepsPlace = false) {
  const place = keepsPlace ? $('#table').scrollTop : 0;
  const before = keepsPlace ? [...blocks].map(([body, { height }]) => ({ height, isFilled: !body.dataset.empty })) : [];
  const rows = shownItems();
  for (const cell of all('#table thead th')) {
    if (cell.dataset.column === state.sort) cell.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
    else cell.removeAttribute('aria-sort');
  }
  blockWatcher.disconnect();
  blocks.clear();
  const table = $('#table table');
  [...table.tBodies].forEach((body) => body.remove());
  table.ariaRowCount = String(rows.length + 1);
  for (let first = 0; first < rows.length; first += BLOCK) {
    const body = element('tbody');
    const { height = null, isFilled = first === 0 } = before[first / BLOCK] ?? {};
    blocks.set(body, { first, rows: rows.slice(first, first + BLOCK), height });
    if (isFilled) fillBlock(body);
    else emptyBlock(body);
  }
  table.append(...blocks.keys());
  estimateHeights();
  $('#table').scrollTop = place;
  for (const body of blocks.keys()) blockWatcher.observe(body);
  $('#count').textContent = countText(rows);
  drawOwnButton(rows);
}

// blocks that were not drawn yet have the row height of the first one, measured once for the same columns
function estimateHeights() {
  const table = $('#table table');
  const [first] = blocks.keys();
  if (blocks.size < 2 || table.style.getPropertyValue('--row-height')) return;
  table.style.setProperty('--row-height', `${first.offsetHeight / blocks.get(first).rows.length}px`);
}

function fillBlock(body) {
  const { rows, first } = blocks.get(body);
  if (body.rows.length === rows.length && !body.dataset.empty) return;
  delete body.dataset.empty;
  body.replaceChildren(...rows.map((item, index) => tableRow(item, first + index + 2)));
}

function emptyBlock(body) {
  const block = blocks.get(body);
  if (!block || body.dataset.empty) return;
  if (body.isConnected) block.height = body.offsetHeight;
  const cell = element('td', { colSpan: state.columns.length });
  cell.style.height = block.height ? `${block.height}px` : `calc(${block.rows.length} * var(--row-height))`;
  body.dataset.empty = 'true';
  body.replaceChildren(element('tr', { ariaHidden: 'true' }, [cell]));
}

// the browser would scroll to the end of estimated heights
function listenToRows() {
  const scroll = $('#table');
  scroll.addEventListener('keydown', (event) => {
    if (event.key !== 'End' || event.target !== scroll || !blocks.size) return;
    event.preventDefault();
    [...blocks.keys()].slice(-3).forEach(fillBlock);
    scroll.scrollTop = scroll.scrollHeight;
  });
}

const fillAllRows = () => [...blocks.keys()].forEach(fillBlock);

function tableRow({ row, others, isMember }, place) {
  const cells = state.columns.map((column) => {
    const content = column.fill ? column.fill(row) : [column.text(row)];
    const note = column.note?.(row);
    if (note) content.push(element('small', { textContent: note }));
    if (column.id === 'model' && others.length) content.push(groupButton(row, others));
    return element('td', { className: cellClass(column), title: column.hint?.(row) ?? '' }, content);
  });
  const classes = [row.source === 'own' ? 'own' : '', isMember ? 'member' : ''];
  return element('tr', { className: classes.filter(Boolean).join(' '), ariaRowIndex: String(place) }, cells);
}
