// ---- curves, confusion matrices and score histograms of two models, in a section of a pair or of a comparison
// section: element with the controls. pair: names of the models, and kind of results -> analyses of both.
function drawAnalyses(section, { names, kinds }) {
  section.hidden = !Object.keys(kinds).length;
  if (section.hidden) return;
  if (!section.children.length) buildAnalyses(section);
  const part = (name) => section.querySelector(`[data-part="${name}"]`);
  const fill = (name, options) => {
    const before = part(name).value;
    part(name).replaceChildren(...options.map(([value, textContent]) => element('option', { value, textContent })));
    if (options.some(([value]) => String(value) === before)) part(name).value = before;
    part(name).closest('label').hidden = options.length < 2;
  };
  const nameOverlap = (kind) => { part('overlap-name').textContent = overlapName(kind); };
  fill('kind', Object.keys(kinds).map((kind) => [kind, KINDS[kind][0]]));
  const draw = () => {
    const analyses = kinds[part('kind').value];
    const [first] = analyses;
    nameOverlap(first.kind);
    fill('class', [['', 'all classes'], ...first.classes.map((name, index) => [index, name])]);
    fill('overlap', (first.curves?.thresholds ?? []).map((value, index) => [index, value.toFixed(2)]));
    const view = { names, analyses, cls: part('class').value === '' ? null : Number(part('class').value),
      overlap: Number(part('overlap').value) };
    const { id } = section;
    drawIf(`${id}-curves`, first.curves, () => curvesPlot(view));
    drawIf(`${id}-scores`, first.histograms, () => scoresPlot(view));
    analyses.forEach((one, index) => {
      const name = `${id}-confusion-${index}`;
      drawIf(name, true, () => confusionPlot(modelName(names, index), one, occurring(analyses),
        document.getElementById(name).clientWidth));
    });
    drawIf(`${id}-precision`, true, () => precisionPlot(view));
  };
  section.onchange = draw;
  draw();
}

function drawIf(id, exists, make) {
  document.getElementById(id).closest('figure').hidden = !exists;
  if (exists) setPlot(id, make);
}

function buildAnalyses(section) {
  section.append(document.getElementById('analyses-parts').content.cloneNode(true));
  section.querySelectorAll('.plot').forEach((plot) => { plot.id = `${section.id}-${plot.dataset.plot}`; });
}

// base64 of little-endian numbers
function decodeNumbers(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

// rows of two records that both have an analysis of a kind
function commonAnalyses(first, second) {
  const [before, after] = [first.analyses ?? {}, second.analyses ?? {}];
  return Object.fromEntries(Object.keys(before).filter((kind) => kind in after
    && before[kind].classes.join('\n') === after[kind].classes.join('\n')).map((kind) => [kind, [before[kind], after[kind]]]));
}
