// ---- light and dark colors
const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');
const sourceColors = { own: '--own', paper: '--paper', official: '--official' };
const sourceName = (source) => (source === 'own' ? 'your result' : source);
const sourceColor = (source) => sourceColors[source] || '--host';

const isDark = () => (state.theme ? state.theme === 'dark' : systemIsDark.matches);

// browsers resolve light-dark() in properties of elements only
function color(name) {
  const probe = document.body.appendChild(element('span'));
  probe.style.color = `var(${name})`;
  probe.style.forcedColorAdjust = 'none';  // plots need their colors in the high contrast mode too
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function applyTheme() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  else delete document.documentElement.dataset.theme;
  $('#theme').textContent = isDark() ? 'Light mode' : 'Dark mode';
  redrawPlots();
}

function listenToTheme() {
  $('#theme').addEventListener('click', () => {
    state.theme = isDark() ? 'light' : 'dark';
    applyTheme();
    writeAddress();
  });
  systemIsDark.addEventListener('change', applyTheme);
  window.addEventListener('beforeprint', () => {
    document.documentElement.dataset.theme = 'light';
    fillAllRows();
    drawPlotsNow();
  });
  window.addEventListener('afterprint', () => {
    applyTheme();
    drawRows();
  });
}
