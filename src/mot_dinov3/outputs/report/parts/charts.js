/* Draws the charts, keeps their time axes together, and hears clicks. */
const charts = new Map();
const FRAMES = 'frames';
let zooming = false;

/* The same values with '@ink' and its like replaced by the colours of the theme. */
function themed(value) {
  if (typeof value === 'string') return value.startsWith('@') ? cssValue('--' + value.slice(1)) : value;
  if (Array.isArray(value)) return value.length && typeof value[0] === 'number' ? value : value.map(themed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner)]));
}

function axis(own) {
  const usual = { gridcolor: '@grid', linecolor: '@line', zerolinecolor: '@line', zeroline: false, automargin: true };
  return Object.assign(usual, own);
}

function layoutOf(chart) {
  const own = chart.layout;
  const fallback = chart.seek === FRAMES ? { title: { text: 'frame' }, tickformat: ',d', range: page.span } : {};
  return themed({
    margin: { l: 50, r: 12, t: 26, b: 42 },
    showlegend: false,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: '@ink' },
    hovermode: 'x unified',
    hoverdistance: -1,
    dragmode: 'zoom',
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: '@muted', activecolor: '@accent' },
    hoverlabel: { bgcolor: '@card', bordercolor: '@line', font: { color: '@ink' } },
    ...own,
    xaxis: axis(Object.assign({}, fallback, own.xaxis)),
    yaxis: axis(own.yaxis || {}),
  });
}

const CONFIG = {
  displaylogo: false,
  responsive: true,
  plotlyServerURL: '',
  showSendToCloud: false,
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
};

async function draw(box, chart) {
  await Plotly.newPlot(box, themed(chart.traces), layoutOf(chart), CONFIG);
  charts.set(chart.key, { box, chart, head: null });
  box.before(legendOf(box, chart));
  box.on('plotly_click', (event) => choose(frameOf(box, chart, event)));
  if (chart.seek !== FRAMES) return;
  const head = document.createElement('div');
  head.className = 'playhead';
  head.hidden = true;
  box.append(head);
  charts.get(chart.key).head = head;
  box.on('plotly_relayout', (change) => follow(box, change));
  box.on('plotly_afterplot', () => place(current));
}

/* Names that plotly shows are escaped, as it knows some tags; here they are text anyway. */
function readable(name) {
  return name.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#36;/g, '$').replace(/&amp;/g, '&');
}

/* A row of names with their colours; a click hides or shows what bears the name. */
function legendOf(box, chart) {
  const row = document.createElement('div');
  row.className = 'legend';
  chart.traces.forEach((trace, number) => {
    if (trace.showlegend === false) return;
    const chip = document.createElement('button');
    chip.type = 'button';
    chip.className = trace.mode === 'lines' && !trace.stackgroup ? 'stroke' : 'fill';
    chip.style.setProperty('--key', colourOf(trace));
    chip.textContent = readable(trace.name);
    chip.setAttribute('aria-pressed', 'true');
    chip.addEventListener('click', () => {
      const on = chip.getAttribute('aria-pressed') !== 'true';
      const same = chart.traces.flatMap((other, place) =>
        place === number || (other.legendgroup && other.legendgroup === trace.legendgroup) ? [place] : []);
      chip.setAttribute('aria-pressed', String(on));
      for (const place of same) chart.traces[place].visible = on;
      Plotly.restyle(box, { visible: on }, same);
    });
    row.append(chip);
  });
  return row;
}

function colourOf(trace) {
  const colour = (trace.mode === 'markers' || trace.type === 'bar' ? trace.marker : trace.line).color;
  return colour.startsWith('@') ? `var(--${colour.slice(1)})` : colour;
}

/* The frame that was clicked: under the pointer, or what the point says of itself. */
function frameOf(box, chart, event) {
  if (chart.seek !== FRAMES) return event.points[0].customdata;
  const across = box._fullLayout.xaxis;
  const x = event.event.clientX - box.getBoundingClientRect().left - across._offset;
  return Math.max(page.span[0], Math.min(page.span[1], Math.round(across.p2d(x))));
}

/* Zoom the other time axes along. */
async function follow(source, change) {
  if (zooming) return;
  const range = change['xaxis.range'] || ('xaxis.range[0]' in change
    ? [change['xaxis.range[0]'], change['xaxis.range[1]']] : null);
  if (!range && !change['xaxis.autorange']) return;
  zooming = true;
  try {
    const same = [...charts.values()].filter((one) => one.chart.seek === FRAMES && one.box !== source);
    await Promise.all(same.map((one) => Plotly.relayout(one.box, { 'xaxis.range': range || page.span })));
  } finally {
    zooming = false;
  }
}

let current = null;

/* Put the line that marks the shown frame where it belongs. */
function place(frame) {
  current = frame;
  for (const { box, head } of charts.values()) {
    if (!head) continue;
    const { xaxis, yaxis } = box._fullLayout;
    const x = frame === null ? NaN : xaxis.d2p(frame);
    head.hidden = !(x >= 0 && x <= xaxis._length);
    if (head.hidden) continue;
    head.style.left = `${xaxis._offset + x}px`;
    head.style.top = `${yaxis._offset}px`;
    head.style.height = `${yaxis._length}px`;
  }
}

async function drawAll() {
  for (const chart of page.charts) {
    await draw(document.getElementById('chart-' + chart.key), chart);
    await new Promise((done) => setTimeout(done));
  }
  root.dataset.drawn = String(charts.size);
}

async function redraw() {
  for (const { box, chart } of charts.values()) {
    await Plotly.react(box, themed(chart.traces), layoutOf(chart), CONFIG);
  }
}

document.getElementById('theme').addEventListener('click', () => {
  setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark');
  redraw();
});
