const { boards, configs, numbers, comparisons, trends } = JSON.parse(document.getElementById('data').textContent);

const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const element = (tag, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// board: ranking. rows: those that match the filters, by rank. sort: id of a column, or null for the rank.
// isGrouped: one row per model. open: groups whose other rows are shown.
// chosen: set of column ids, or null for an automatic choice. columns: those shown.
const state = { board: boards[0], rows: [], sort: null, down: false, chosen: null, columns: [], theme: '', axes: '',
  isGrouped: false, open: new Set() };

const isNarrow = () => window.innerWidth < 640;

// digits null: four significant digits, without an exponent
const significant = (value) => (Math.abs(value) < 1e4 ? String(Number(value.toPrecision(4))) : value.toFixed(0));
const shown = (value, digits = 1) => (value === null || value === undefined ? ''
  : digits === null ? significant(value) : value.toFixed(digits));

// names of files often differ at the end. Characters of two code units stay whole, or no plot could be saved.
function shorten(text, most) {
  const letters = [...text];
  if (letters.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${letters.slice(0, half).join('')}…${letters.slice(-half).join('')}`;
}

// a name in one line of a plot
const brief = (text) => shorten(text.replace(/\s+/g, ' '), 120);

// systems allow about 255 characters
const fileName = (text) => text.toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 150);

// missing keys are empty, which keeps the data small
for (const board of boards) {
  board.rows.forEach((row, index) => {
    row.index = index;
    row.metrics = Object.fromEntries(board.metrics.map(({ name }, place) => [name, row.metrics[place] ?? null]));
    row.words = [row.model, row.where, row.config].filter(Boolean).join(' ').toLowerCase();
  });
}
