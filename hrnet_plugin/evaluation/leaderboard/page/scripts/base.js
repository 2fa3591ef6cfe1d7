const { boards, numbers, comparisons } = JSON.parse(document.getElementById('data').textContent);
const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const element = (tag, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const state = { board: boards[0], sort: null, down: true, rows: [] };
const settings = { responsive: true, displayModeBar: false };
const colors = { own: '#b35900', paper: '#0b5cad', official: '#3f8f5f', mmdet: '#7a52a8', mmpose: '#7a52a8',
  mmseg: '#7a52a8' };
const frame = (title, more = {}) => ({ title: { text: title, font: { size: 15 }, x: 0, xanchor: 'left' }, autosize: true, height: 380,
  margin: { l: 55, r: 15, t: 40, b: 50 }, hovermode: 'closest', legend: { orientation: 'h', y: -0.2 }, ...more });
// digits null: four significant digits, without an exponent
const significant = (value) => (Math.abs(value) < 1e4 ? String(Number(value.toPrecision(4))) : value.toFixed(0));
const shown = (value, digits = 1) => (value === null || value === undefined ? ''
  : digits === null ? significant(value) : value.toFixed(digits));
const format = (digits) => (digits === null ? '.4~g' : `.${digits}f`);

// plotly parses texts as markup, and a link or style in a foreign record could load external files
const plain = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
