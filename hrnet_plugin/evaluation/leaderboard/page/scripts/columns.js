// ---- columns: text and sort key of a cell
const columns = () => [
  { title: '#', text: (row) => (row.rank === null ? '' : String(row.rank)), key: (row) => row.rank, up: true },
  { title: 'Model', text: (row) => row.model, key: (row) => row.model, up: true },
  ...state.board.metrics.map((name) => ({ title: state.board.titles[name],
    text: (row) => shown(row.metrics[name], state.board.digits[name]),
    key: (row) => row.metrics[name] ?? null, up: state.board.lower.includes(name) })),
  ...numbers.map(([name, title]) => ({ title, text: (row) => shown(row[name]), key: (row) => row[name], up: true,
    hint: (row) => (name === 'ms' ? row.machine : row.unit) })),
  { title: 'Source', text: (row) => row.where, key: (row) => row.where, up: true },
];
