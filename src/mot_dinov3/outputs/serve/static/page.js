"use strict";

const FATES = ["critical", "refresh", "reused", "deferred", "starved"];
let stream = 0;

function list(place, rows) {
  at(place).replaceChildren(...rows.flatMap(([name, value, kind]) => {
    const term = made("dt");
    if (kind) term.append(made("i", undefined, kind));
    term.append(name);
    return [term, made("dd", value)];
  }));
}

function note(text) {
  at("note").hidden = !text;
  at("note").textContent = text;
}

function told(now) {
  at("name").textContent = now.name ?? "";
  document.title = `${now.name ?? "mot_dinov3"} – mot_dinov3`;
  const lost = now.condition && now.condition !== "connected";
  const silent = !now.over && now.silent_s > SILENT_S;
  if (now.over) pill("ended", "");
  else if (now.stopping) pill("stopping", "warn");
  else if (!now.frame) pill("starting", "warn");
  else if (lost) pill("connection lost", "bad");
  else if (silent) pill("no frames", "warn");
  else pill(now.condition ? "live" : "running", "good");
  if (now.over) note("The run has ended. This is its last picture.");
  else if (lost) note(`The source is ${now.condition}.`);
  else note(silent ? `No frame for ${now.silent_s.toFixed(0)} s.` : "");
  at("stop").disabled = now.over || now.stopping;
  over = now.over;
  figures(now);
}

function figures(now) {
  const run = now.run, frame = now.frame;
  if (!frame || !run.frames) return;
  const total = now.total ? ` of ${whole(now.total)}` : "";
  at("progress").textContent =
    `frame ${whole(run.frames)}${total} · ${tenths(run.wall_s)} s · ${whole(run.detections)} ${run.detections === 1 ? "detection" : "detections"}`;
  at("bar").hidden = !now.total;
  at("bar").firstElementChild.style.width = `${Math.min(100, 100 * run.frames / (now.total || 1))}%`;
  at("fps").textContent = tenths(run.fps);
  at("tracks").textContent = whole(frame.tracks);
  at("latency").textContent = tenths(run.latency_ms.p50);
  at("backlog").textContent = whole(run.backlog);
  embeddings(run.embeddings);
  const budget = run.budget;
  list("budget", budget.ms ? [
    ["a frame may take", `${tenths(frame.budget_ms)} ms`],
    ["the latest took", `${tenths(frame.embed_ms)} ms`],
    ["frames over", whole(budget.frames_over)],
    ["worst by", `${tenths(budget.worst_over_ms)} ms`],
  ] : [["none", "refreshes are unlimited"]]);
  stages(run.stages);
  const faults = Object.entries(now.faults ?? {}).filter(([, n]) => n);
  list("faults", faults.length ? faults.map(([name, n]) => [name.replaceAll("_", " "), whole(n)])
    : [["no faults", ""]]);
  chart(now.recent);
}

function embeddings(counts) {
  const all = FATES.reduce((sum, name) => sum + counts[name], 0) || 1;
  at("fates").replaceChildren(...FATES.map(name => {
    const part = made("i", undefined, name);
    part.style.width = `${100 * counts[name] / all}%`;
    return part;
  }));
  const shown = FATES.filter(name => counts[name] || name !== "starved");
  list("embeddings", [
    ...shown.map(name => [name, `${whole(counts[name])}  (${tenths(100 * counts[name] / all)} %)`, name]),
    ["computed a frame", counts.per_frame.toFixed(2)],
  ]);
}

function stages(table) {
  const rows = Object.entries(table);
  const most = Math.max(...rows.map(([, row]) => row.share), 1e-9);
  at("stages").replaceChildren(...rows.map(([name, row]) => {
    const out = made("tr"), share = made("td", undefined, "wide"), bar = made("i");
    bar.style.width = `${100 * row.share / most}%`;
    share.append(bar);
    out.append(made("td", name), made("td", row.mean_ms.toFixed(2)), made("td", tenths(row.p95_ms)), share);
    return out;
  }));
}

/* Some slow frames, such as the first ones, must not flatten all the others and the budget. */
function usualTop(values, budget) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share => 1.25 * (sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  let top = Math.max(at(.95), 1.25 * budget, 1);
  if (budget) top = Math.min(top, Math.max(4 * budget, at(.75)));
  const whole = 1.05 * Math.max(sorted.at(-1) ?? 0, budget, 1);
  return whole <= 2 * top ? whole : top;
}

/* Whole frames above, embedding and its budget below: each has an axis of its own. */
function chart(rows) {
  const canvas = at("chart"), scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "right";
  const middle = Math.round(height * .46);
  const beyond = strip(pen, rows, [[2, "--grey"]], [0, middle, width])
    + strip(pen, rows, [[0, "--embed"], [1, "--budget"]], [middle, height, width]);
  at("beyond").textContent = beyond ? `${whole(beyond)} beyond the axis` : "";
}

/* Draws columns of the rows between two heights; returns how many values lie beyond the axis. */
function strip(pen, rows, columns, [above, below, width]) {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const values = rows.map(row => row[columns[0][0]]);
  const budget = columns.length > 1 ? Math.max(...rows.map(row => row[1]), 0) : 0;
  const top = usualTop(values, budget);
  const left = 38, x = i => left + (width - left - 4) * i / Math.max(rows.length - 1, 1);
  const y = ms => below - 6 - (below - above - 16) * Math.min(ms, top) / top;
  for (const ms of [0, top]) {
    pen.strokeStyle = colour("--line");
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(left, y(ms)); pen.lineTo(width, y(ms)); pen.stroke();
    pen.fillStyle = colour("--soft");
    pen.fillText(ms.toFixed(0), left - 8, y(ms) + 4);
  }
  columns.forEach(([column, name]) => {
    if (column === 1 && !budget) return;
    pen.strokeStyle = colour(name);
    pen.lineWidth = 1.6;
    pen.setLineDash(column === 1 ? [5, 4] : []);
    pen.beginPath();
    rows.forEach((row, i) => pen.lineTo(x(i), y(row[column])));
    pen.stroke();
  });
  pen.setLineDash([]);
  return values.filter(ms => ms > top).length;
}

function unreachable() {
  note("The run has ended, or its page cannot be reached any more.");
}

at("stream").addEventListener("error", () => {
  if (!over) setTimeout(() => { at("stream").src = `stream?${++stream}`; }, 1000);
});

look();
