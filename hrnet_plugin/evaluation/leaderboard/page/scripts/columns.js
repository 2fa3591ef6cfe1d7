// ---- columns: value to sort by and to download, text and note of a cell
const DIRECTIONS = { higher: ['↑', 'higher is better'], lower: ['↓', 'lower is better'],
  unknown: ['?', 'unknown direction'] };

function allColumns() {
  const { board } = state;
  const metric = ({ name, title, digits, direction }) => ({ id: name, title, direction,
    value: (row) => row.metrics[name], text: (row) => shown(row.metrics[name], digits) });
  const cost = ([name, title]) => ({ id: name, title, direction: 'lower', value: (row) => row[name] ?? null,
    text: (row) => shown(row[name]), note: (row) => row.notes?.[name],
    hint: (row) => (name === 'ms' ? row.machine : row.unit) });
  const text = (id, title, more) => ({ id, title, isText: true, value: (row) => row[id] ?? null,
    text: (row) => row[id] ?? '', ...more });
  const [first, ...others] = [...board.metrics].sort((a, b) => (b.name === board.metric) - (a.name === board.metric));
  return [
    { id: '#', title: '#', kind: 'rank', value: (row) => row.rank ?? null, text: (row) => String(row.rank ?? '') },
    text('model', 'Model', { kind: 'model', fill: fillModel, width: () => (isNarrow() ? 150 : 250) }),
    ...(first ? [{ ...metric(first), isMain: true }] : []),
    text('where', 'Source', { fill: fillSource, width: () => 185, isHidden: isNarrow }),
    text('config', 'Config', { fill: fillConfig, width: () => 230, isHidden: isNarrow }),
    { id: 'links', title: 'Links', isText: true, width: () => 165, isLast: isNarrow, fill: fillLinks,
      value: ({ links = {} }) => linkNames(links).map((name) => links[name]).join(' ') || null },
    ...others.map(metric),
    ...numbers.map(cost),
    text('unit', 'Unit of counts', { width: () => 220, isExtra: true }),
    text('machine', 'Machine', { width: () => 180, isExtra: true }),
  ];
}

// addresses come from the published tables; others are no links
const link = (text, address) => (address?.startsWith('https://')
  ? element('a', { href: address, rel: 'noreferrer', textContent: text }) : text);

// the column of sources has the link to the source
const linkNames = (links) => ['checkpoint', 'paper'].filter((name) => links[name] && links[name] !== links.source);

const fillLinks = ({ links = {} }) => linkNames(links).map((name) => link(name, links[name]));

function fillModel(row) {
  const details = [row.backbone, row.schedule, row.size?.replace('x', ' x '), row.note,
    row.test && `tested with ${row.test}`];
  return [row.method, element('small', { textContent: details.filter(Boolean).join(' · ') }),
    ...(row.partial ? [element('small', {}, [element('span', { className: 'partial', textContent: row.partial })])] : []),
    ...(isNarrow() ? [element('small', {}, [sourceBadge(row), ' ', link(row.detail, row.links?.source)]),
      element('small', {}, fillConfig(row))] : [])];
}

const fillSource = (row) => [sourceBadge(row), element('small', {}, [link(row.detail, row.links?.source)])];

function sourceBadge(row) {
  const badge = element('span', { className: 'badge', textContent: sourceName(row.source) });
  badge.style.setProperty('--source', `var(${sourceColor(row.source)})`);
  return badge;
}

// widths in pixels depend on all rows of the ranking, so that filters do not move columns
function columnWidth(column) {
  if (column.width) return column.width();
  const arrow = column.direction ? 2 : 0;
  const longest = Math.max(...state.board.rows.map((row) => column.text(row).length));
  return Math.ceil(Math.max(8.6 * (column.title.length + arrow + 1), 8 * longest) + (isNarrow() ? 14 : 20));
}

const hasValue = (column, rows) => rows.some((row) => column.value(row) !== null);

// columns that at least one row of the ranking has
function boardColumns() {
  state.board.columns ??= allColumns().filter((column) => column.kind || column.isMain
    || hasValue(column, state.board.rows)).map((column) => ({ ...column, pixels: columnWidth(column) }));
  return state.board.columns;
}

// rank, model, ranking metric, and then what fits: source, config, costs and the other metrics
function automaticColumns() {
  const list = boardColumns();
  const costs = numbers.map(([name]) => name);
  const priority = (column) => (column.kind || column.isMain ? 0 : column.isLast?.() ? 4 : column.isText ? 1
    : costs.includes(column.id) ? 2 : 3);
  const candidates = list.filter((column) => !column.isExtra && !column.isHidden?.()
    && (column.kind || column.isMain || hasValue(column, state.rows))).sort((a, b) => priority(a) - priority(b));
  let left = $('#table').clientWidth;
  const fitting = new Set(candidates.filter((column) => {
    if (priority(column) && column.pixels > left) return false;
    left -= column.pixels;
    return true;
  }));
  return list.filter((column) => fitting.has(column));
}

function chooseColumns() {
  return state.chosen ? boardColumns().filter((column) => column.kind || state.chosen.has(column.id)) : automaticColumns();
}
