/* What all parts of the page share: its data, its theme, and frames as the common clock. */
const page = JSON.parse(document.getElementById('data').textContent);
const listeners = [];

/* Show the chosen frame everywhere. */
function choose(frame) {
  for (const listener of listeners) listener(frame);
}

/* y at x on a line through ascending xs; the ends go on with the slope of their neighbours. */
function between(xs, ys, x) {
  const last = xs.length - 1;
  if (last < 0) return 0;
  if (last === 0) return ys[0];
  let low = 0, high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  const width = xs[high] - xs[low];
  return width ? ys[low] + (ys[high] - ys[low]) * (x - xs[low]) / width : ys[low];
}

const root = document.documentElement;
const dark = window.matchMedia('(prefers-color-scheme: dark)');

function setTheme(name) {
  root.dataset.theme = name;
}

function cssValue(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

setTheme(dark.matches ? 'dark' : 'light');
