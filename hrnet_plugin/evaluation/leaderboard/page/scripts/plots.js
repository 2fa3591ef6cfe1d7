// ---- plots, which are drawn when they are in sight and the browser is idle
const plots = new Map();  // id -> function that returns traces and layout, or null for no plot
const visible = new Set();
const stale = new Set();
let plotTimer = 0;

const plotWatcher = new IntersectionObserver((changes) => {
  changes.forEach(({ target, isIntersecting }) => (isIntersecting ? visible.add(target.id) : visible.delete(target.id)));
  drawNextPlot();
}, { rootMargin: '300px 0px' });

const whenIdle = window.requestIdleCallback
  ? (run) => window.requestIdleCallback(run, { timeout: 500 }) : (run) => setTimeout(run, 20);

// make: returns [traces, layout]
function setPlot(id, make) {
  if (!plots.has(id)) plotWatcher.observe(document.getElementById(id));
  plots.set(id, make);
  redrawPlots([id]);
}

function redrawPlots(ids = plots.keys()) {
  for (const id of ids) {
    stale.add(id);
    document.getElementById(id).ariaBusy = 'true';
  }
  clearTimeout(plotTimer);
  plotTimer = setTimeout(drawNextPlot, 150);  // one drawing for several letters of a search
}

function drawNextPlot() {
  const id = [...stale].find((one) => visible.has(one));
  if (id === undefined) return;
  if (document.readyState === 'loading') {  // a slow browser has read only a part of plotly
    document.addEventListener('DOMContentLoaded', drawNextPlot, { once: true });
    return;
  }
  whenIdle(() => {
    if (stale.has(id)) drawPlot(id);
    drawNextPlot();
  });
}

const drawPlotsNow = () => [...plots.keys()].forEach(drawPlot);

// 4.5 MB of script, which would delay the first paint
function loadPlotly() {
  const source = document.getElementById('plotly');
  if (!source) return;
  source.remove();
  document.head.append(element('script', { textContent: source.textContent }));
}

// plotly parses texts as markup, and a link or style in a foreign record could load external files. Images cannot be saved
// with characters that XML does not allow.
const escapeMarkup = (text) => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]/g, '\ufffd')
  .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>');

// traces or layout with all texts escaped. Only templates of hover texts have markup, and no text of a record.
function escapeTexts(value, name = '') {
  if (typeof value === 'string') return name === 'hovertemplate' ? value : escapeMarkup(value);
  if (Array.isArray(value)) return value.map((one) => escapeTexts(one, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escapeTexts(one, key)]));
}

function drawPlot(id) {
  loadPlotly();
  stale.delete(id);
  const plot = document.getElementById(id);
  const [traces, layout] = plots.get(id)();
  const owner = plot.closest('#comparisons') ? 'comparison' : state.board.title;
  plot.style.minHeight = `${layout.height}px`;
  Plotly.react(plot, escapeTexts(traces), escapeTexts(layout), { responsive: true, displaylogo: false, displayModeBar: true,
    modeBarButtons: [['toImage', 'zoom2d', 'pan2d', 'resetScale2d']],
    toImageButtonOptions: { format: 'png', scale: 2, filename: fileName(`${owner} ${layout.title.text}`) } });
  plot.ariaBusy = 'false';
}

// more: layout of plotly. A legend with `below` is that many pixels below the plot, and one with `above` is above it.
function frame(title, more = {}) {
  const { xaxis, yaxis, legend, legend2, height = isNarrow() ? 420 : 440, margin = {}, ...others } = more;
  const top = isNarrow() ? 80 : 50;  // narrow: the title is below the toolbar
  const space = { l: 55, r: 15, t: legend?.above ? top + 40 : top, b: 60, ...margin };
  const inner = height - space.t - space.b;
  const place = ({ below, above, ...own }) => ({ orientation: 'h', ...own,
    ...(below ? { x: 0, y: -below / inner, yanchor: 'top' } : {}),
    ...(above ? { x: 0, xanchor: 'left', y: 1 + 6 / inner, yanchor: 'bottom' } : {}) });
  const grid = color('--grid');
  const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid };
  const axisTitle = (own) => (own?.title ? { title: { standoff: 6, ...own.title } } : {});
  return {
    title: { text: title, font: { size: 15 }, x: 0, xanchor: 'left', y: 1 - (isNarrow() ? 36 : 8) / height, yanchor: 'top' },
    autosize: true, height, margin: space, hovermode: 'closest', dragmode: 'zoom', paper_bgcolor: color('--page'),
    plot_bgcolor: color('--page'), font: { color: color('--ink'), family: 'system-ui, sans-serif' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: color('--soft'), activecolor: color('--mark') },
    ...(legend ? { legend: place(legend) } : {}), ...(legend2 ? { legend2: place(legend2) } : {}),
    xaxis: { ...axis, ...xaxis, ...axisTitle(xaxis) }, yaxis: { ...axis, ...yaxis, ...axisTitle(yaxis) }, ...others };
}

const valueFormat = (digits) => (digits === null ? '.4~g' : `.${digits}f`);
const hover = (row) => `${brief(row.model)}\n${brief(row.where)}`;
