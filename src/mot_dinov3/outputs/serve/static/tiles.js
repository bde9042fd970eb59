"use strict";

const PICTURE_MS = 250;
const tiles = [];

/* Pictures are asked for one by one: a stream for each would use up a browser's connections.
   Each is shown once it is there, so that the last one stays when no more come. */
class Tile {
  constructor(number) {
    this.place = `${number}/`;
    this.count = 0;
    this.has = this.over = this.waits = false;
    const root = made("a", undefined, "tile"), head = made("div", undefined, "head");
    root.href = this.place;
    this.name = made("h2");
    this.state = made("span", "connecting", "pill");
    this.state.setAttribute("role", "status");
    head.append(this.name, this.state);
    const frame = made("div", undefined, "frame");
    this.picture = made("img");
    this.picture.hidden = true;
    this.note = made("p");
    this.note.hidden = true;
    frame.append(this.picture, this.note);
    this.counters = made("dl");
    root.append(head, frame, this.counters);
    at("tiles").append(root);
  }

  again(ms) {
    this.waits = false;
    if (!this.over) setTimeout(() => this.look(), ms);
  }

  look() {
    if (!this.has || this.waits) return;
    this.waits = true;
    const next = made("img");
    next.addEventListener("load", () => {
      next.alt = this.picture.alt;
      this.picture.replaceWith(next);
      this.picture = next;
      this.again(PICTURE_MS);
    });
    next.addEventListener("error", () => this.again(4 * PICTURE_MS));
    next.src = `${this.place}picture?${++this.count}`;
  }

  told(now) {
    const small = made("small", now.name === now.label ? "" : now.name);
    this.name.replaceChildren(now.label, small);
    this.picture.alt = `The newest picture of ${now.label} with the tracks drawn into it`;
    const lost = now.condition && now.condition !== "connected", silent = now.silent_s > SILENT_S;
    let pill = ["live", "good"], note = "";
    if (now.reason) [pill, note] = [["ended", ""], now.reason];
    else if (now.stopping) pill = ["stopping", "warn"];
    else if (!now.frame) pill = ["starting", "warn"];
    else if (lost) [pill, note] = [["connection lost", "bad"], `The source is ${now.condition}.`];
    else if (silent) [pill, note] = [["no frames", "warn"], `No frame for ${now.silent_s.toFixed(0)} s.`];
    this.state.textContent = pill[0];
    this.state.className = `pill ${pill[1]}`;
    this.note.hidden = !note;
    this.note.textContent = note;
    this.show_counters(now);
    const first = now.frame && !this.has;
    this.has = Boolean(now.frame);
    if (first) this.look();
    if (now.reason && !this.over) {
      this.over = true;
      this.look();
    }
  }

  show_counters(now) {
    const {run, frame} = now;
    if (!frame || !run.frames) return;
    const rows = [
      ["FPS", tenths(run.fps)], ["tracks in view", whole(frame.tracks)],
      ["ms latency", tenths(run.latency_ms.p50)],
    ];
    if (run.budget?.ms) rows.push(["ms embedding", `${frame.embed_ms.toFixed(0)} / ${frame.budget_ms.toFixed(0)}`]);
    rows.push(["waiting", whole(run.backlog)], ["dropped", whole(now.faults.dropped)]);
    if (now.faults.gaps) rows.push(["dropouts", whole(now.faults.gaps)]);
    this.counters.replaceChildren(...rows.map(([name, value]) => {
      const pair = made("div");
      pair.append(made("dt", name), made("dd", value));
      return pair;
    }));
  }
}

function told(now) {
  const all = now.cameras;
  while (tiles.length < all.length) tiles.push(new Tile(tiles.length + 1));
  all.forEach((camera, i) => tiles[i].told(camera));
  const ended = all.filter(camera => camera.reason).length;
  const isLost = camera => camera.condition && camera.condition !== "connected";
  const lost = all.filter(camera => !camera.reason && isLost(camera)).length;
  over = ended === all.length;
  at("name").textContent = `${all.length} cameras`;
  document.title = `${all.length} cameras – mot_dinov3`;
  const running = all.filter(camera => camera.frame && !camera.reason && !isLost(camera));
  const fps = running.reduce((sum, camera) => sum + (camera.run.fps ?? 0), 0);
  at("progress").textContent =
    `${running.length} tracked · ${tenths(fps)} frames a second in all` + (ended ? ` · ${ended} ended` : "");
  if (over) pill("ended", "");
  else if (now.stopping) pill("stopping", "warn");
  else if (lost) pill(`${lost} lost`, "bad");
  else pill(running.length ? "live" : "starting", running.length ? "good" : "warn");
  at("stop").disabled = over || now.stopping;
}

function unreachable() {
  at("progress").textContent = "The runs have ended, or their page cannot be reached any more.";
}

look();
