"use strict";

/* What the page of a run and that of several cameras do alike: ask for the state, and stop.
   Each of them has a function told(state), which sets `over`, and a function unreachable(). */
const EVERY_MS = 500, SILENT_S = 2, SURE_MS = 4000;
const at = id => document.getElementById(id);
const ask = {cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer"};
let over = false, missed = 0, sure = 0;

const whole = n => (n ?? 0).toLocaleString("en");
const tenths = n => (n ?? 0).toFixed(1);

function made(tag, text, kind) {
  const out = document.createElement(tag);
  if (text !== undefined) out.textContent = text;
  if (kind) out.className = kind;
  return out;
}

function pill(text, kind) {
  at("state").textContent = text;
  at("state").className = `pill ${kind}`;
}

function gone() {
  missed += 1;
  if (missed < 3) return;
  over = true;
  pill("ended", "");
  unreachable();
  at("stop").disabled = true;
}

async function look() {
  try {
    const answer = await fetch("state", ask);
    if (!answer.ok) throw new Error(answer.status);
    const now = await answer.json();
    missed = 0;
    told(now);
  } catch { gone(); }
  if (!over) setTimeout(look, EVERY_MS);
}

const label = at("stop").textContent;

function forget() {
  sure = 0;
  at("stop").textContent = label;
  at("stop").classList.remove("sure");
}

at("stop").addEventListener("click", async () => {
  const button = at("stop");
  if (Date.now() > sure) {
    sure = Date.now() + SURE_MS;
    button.textContent = "Click again to stop";
    button.classList.add("sure");
    setTimeout(forget, SURE_MS);
    return;
  }
  forget();
  button.disabled = true;
  try { await fetch("stop", {...ask, method: "POST"}); } catch { gone(); }
});
