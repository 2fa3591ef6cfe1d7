// ---- labels of points on the Pareto front, as many as fit
const LABEL = { letter: 6.1, height: 14, gap: 6, most: 40 };  // pixels, and the maximum number of letters

function frontLabel(row) {
  const network = row.width || row.backbone?.replace(/-FPN$/, '');
  const text = [row.method, network].filter(Boolean).join(', ');
  const letters = [...text.replace(/\s+/g, ' ')];
  return letters.length > LABEL.most ? `${letters.slice(0, LABEL.most - 1).join('')}…` : letters.join('');
}

// points: all points, x and y in the units of the ranges; those with a text are on the front. Returns annotations of plotly.
function placeLabels(points, xRange, yRange, layout, width) {
  const { l, r, t, b } = layout.margin;
  const [across, down] = [width - l - r, layout.height - t - b];
  const scaled = points.map((point) => ({ ...point, left: across * (point.x - xRange[0]) / (xRange[1] - xRange[0]),
    top: down * (yRange[1] - point.y) / (yRange[1] - yRange[0]) }));
  const taken = scaled.map(({ left, top }) => ({ x0: left - 5, x1: left + 5, y0: top - 5, y1: top + 5 }));
  const placed = [];
  for (const point of scaled.filter((one) => one.text).reverse()) {  // the best first
    const size = point.text.length * LABEL.letter;
    const found = ['right', 'left'].map((xanchor) => {
      const x0 = xanchor === 'right' ? point.left - LABEL.gap - size : point.left + LABEL.gap;
      const y1 = point.top - LABEL.gap;
      return { xanchor, box: { x0, x1: x0 + size, y0: y1 - LABEL.height, y1 } };
    }).find(({ box }) => box.x0 >= 0 && box.x1 <= across && box.y0 >= 0 && !taken.some((one) => overlaps(one, box)));
    if (!found) continue;
    taken.push(found.box);
    const isRight = found.xanchor === 'right';
    placed.push({ x: point.x, y: point.y, text: point.text, showarrow: false, xanchor: found.xanchor,
      yanchor: 'bottom', xshift: isRight ? -LABEL.gap : LABEL.gap, yshift: LABEL.gap - 3,
      font: { size: 11, color: color('--soft') } });
  }
  return placed;
}

const overlaps = (a, b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
