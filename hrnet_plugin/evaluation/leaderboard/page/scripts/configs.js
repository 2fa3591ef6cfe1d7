// ---- dialog with the config of a row
// local results have no button: their config may differ from the shipped one of the same name
const hasConfig = (row) => row.source !== 'own' && Object.hasOwn(configs, row.config ?? '');

function fillConfig(row) {
  if (!hasConfig(row)) return [row.config ?? ''];
  const button = element('button', { type: 'button', className: 'config', ariaHasPopup: 'dialog', textContent: row.config });
  button.addEventListener('click', () => showConfig(row));
  return [button];
}

function showConfig(row) {
  $('#config-title').textContent = row.config;
  $('#config-model').textContent = rowName(row);
  $('#config-commands').textContent = `mim train hrnet_plugin ${row.config}.py\nhrnet config ${row.config}`;
  $('#config-text').textContent = configs[row.config];
  const links = ['checkpoint', 'source', 'paper'].filter((name) => row.links?.[name]);
  $('#config-links').replaceChildren(...links.map((name) => element('li', {}, [link(name, row.links[name])])));
  $('#config').showModal();
}

function listenToConfigs() {
  $('#config-close').addEventListener('click', () => $('#config').close());
  $('#config').addEventListener('click', (event) => { if (event.target === $('#config')) $('#config').close(); });
}
