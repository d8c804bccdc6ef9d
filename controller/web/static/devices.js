// Keeps the devices of a page up to date: each live event fills the elements marked data-is.

const labels = JSON.parse(document.getElementById("labels").textContent);
const DIGITS = /%\(version\)s/;
const SILENCE_CDB = -12000;
const asked = new Set();

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

export function ago(seen) {
  if (!seen) return labels.never;
  const seconds = Math.max(0, Math.round((Date.now() - skew - seen) / 1000));
  if (seconds < 10) return labels.now;
  const [s, min, h, d] = labels.units;
  const [number, unit] =
    seconds < 60 ? [seconds, s] : seconds < 3600 ? [seconds / 60, min] : seconds < 86400 ? [seconds / 3600, h] : [seconds / 86400, d];
  return labels.ago.replace("%s", unit.replace("%d", Math.floor(number)));
}

// The reader's clock may be wrong: "seen just now" is measured against the events themselves.
let skew = 0;

function title(what) {
  if (!what) return "";
  if (what.includes("MHz")) return what;
  return labels.titles[what] ?? "";
}

async function learn(what) {
  if (!what || what.includes("MHz") || what in labels.titles || asked.has(what)) return;
  asked.add(what);
  const answer = await fetch(`/devices/titles?item=${encodeURIComponent(what)}`);
  if (!answer.ok) return;
  Object.assign(labels.titles, await answer.json());
  for (const node of document.querySelectorAll(`[data-sounding="${CSS.escape(what)}"]`)) put(node, title(what));
}

function show(frame, device) {
  const part = (name) => frame.querySelector(`[data-is="${name}"]`);
  const [word, badge] = labels.reach[device.reach];
  for (const node of frame.querySelectorAll('[data-is="reach"]')) {
    put(node, word);
    node.className = `badge ${badge}`;
  }
  for (const node of frame.querySelectorAll('[data-is="seen"]')) {
    node.dataset.seen = device.seen_ms ?? "";
    put(node, ago(device.seen_ms));
  }
  if (!("rung" in device)) return;
  for (const node of frame.querySelectorAll('[data-is="sounding"]')) {
    node.querySelector(".rung").className = `rung rung-${device.rung}`;
    put(node.querySelector('[data-is="rung"]'), labels.rung[device.rung]);
    const name = node.querySelector('[data-is="title"]');
    name.dataset.sounding = device.sounding ?? "";
    put(name, title(device.sounding));
  }
  learn(device.sounding);
  for (const node of frame.querySelectorAll('[data-is="level"]')) node.value = Math.max(-6000, device.level_cdb ?? SILENCE_CDB);
  put(part("clock"), labels.clock[device.clock] ?? device.clock);
  put(part("media"), `${device.media_held} / ${device.media_wanted}`);
  showFaults(part("faults"), device.faults);
  showVersion(part("versions"), device, frame.dataset.unit);
}

function showFaults(cell, faults) {
  if (!cell || cell.dataset.shown === faults.join()) return;
  cell.dataset.shown = faults.join();
  const lines = faults.map((code) => {
    const line = document.createElement("span");
    line.className = "fault-line";
    line.textContent = labels.fault[code] ?? code;
    return line;
  });
  if (!lines.length) {
    const none = document.createElement("span");
    none.className = "muted";
    none.textContent = labels.no_faults;
    lines.push(none);
  }
  cell.replaceChildren(...lines);
}

function showVersion(cell, device, unit) {
  const own = device.in_force.filter((one) => one.kind === "schedule" && one.scope === unit).map((one) => one.version);
  if (own.length) put(cell, labels.schedule.replace(DIGITS, Math.max(...own)));
}

document.addEventListener("loalang:device", (event) => {
  const device = event.detail;
  if (device.reach === "online" && device.seen_ms) skew = Math.min(Date.now() - device.seen_ms, skew || Infinity);
  const frame = document.querySelector(`[data-device="${CSS.escape(device.device)}"]`);
  if (frame) show(frame, device);
});

// After a gap the whole truth is fetched once: events that were missed do not come again.
document.addEventListener("loalang:missed", async () => {
  const answer = await fetch("/api/v1/devices");
  if (!answer.ok) return;
  for (const device of await answer.json()) {
    const frame = document.querySelector(`[data-device="${CSS.escape(device.id)}"]`);
    if (frame) show(frame, device);
  }
});

setInterval(() => {
  for (const node of document.querySelectorAll('[data-is="seen"]')) put(node, ago(Number(node.dataset.seen)));
}, 5000);

// The simulated panel tells how tall it is, so that it is never scrolled inside a page that scrolls.
const panel = document.querySelector("iframe.panel-frame");
if (panel) {
  const origin = new URL(panel.src).origin;
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== panel.contentWindow) return;
    const height = Number(event.data?.height);
    if (height > 200 && height < 4000) panel.style.height = `${height + 2}px`;
  });
}
