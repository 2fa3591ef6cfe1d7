// ---- rows and columns shown, as CSV
// the rule of hrnet_plugin/escaping.py
const FORMULA = new RegExp([
  /^(?=\s*[=@＝＠]|(?!-$)\s*[+\-＋－]|[\t\r\n])/,
  /(;)(?=[\s"]*(?:[=@＝＠]|[+\-＋－](?!\s*\p{L}[\p{L}\p{N}_]*(?:\s+\p{L}[\p{L}\p{N}_]*)*\s*(?:;|$)))|[\t\r\n])/u,
].map((part) => part.source).join('|'), 'gu');

function csvField(value) {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  // some spreadsheets end a row at a line break in quotes
  const text = value.replace(FORMULA, "$1'")
    .replace(/[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g, ' ');
  return /[",;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function shownCsv() {
  const lines = [state.columns.map((column) => csvField(column.title)),
    ...shownItems().map(({ row }) => state.columns.map((column) => csvField(column.value(row))))];
  return `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`;
}

function listenToDownload() {
  $('#download').addEventListener('click', () => {
    const address = URL.createObjectURL(new Blob([shownCsv()], { type: 'text/csv' }));
    element('a', { href: address, download: `${fileName(state.board.title)}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
}
