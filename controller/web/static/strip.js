// The strip: the last 15 minutes of one device as coloured bands by rung, with the measured level under them.

const labels = JSON.parse(document.getElementById("labels").textContent);
const SPAN_MS = 15 * 60 * 1000;
const SECOND_MS = 1000;
const FLOOR_CDB = -6000;
const BAND = 54;
const AXIS = 22;
const SILENT = 9;

const frame = document.querySelector("[data-strip]");
const canvas = frame.querySelector("canvas");
const tip = frame.querySelector(".strip-tip");
const words = document.querySelector("[data-words]");
const device = frame.dataset.strip;
const gap = Number(frame.dataset.gap);
const colours = getComputedStyle(document.documentElement);
const colour = (rung) => colours.getPropertyValue(`--rung-${rung}`).trim();
let levels = [];
let offset = 0;

async function load() {
  const answer = await fetch(`/api/v1/devices/${encodeURIComponent(device)}/levels`);
  if (!answer.ok) return;
  const body = await answer.json();
  offset = body.now_ms - Date.now();
  levels = body.levels;
  draw();
  tell();
}

function add(fresh) {
  const newest = levels.length ? levels[levels.length - 1][0] : 0;
  levels.push(...fresh.filter(([wall]) => wall > newest));
  while (levels.length && levels[0][0] < now() - SPAN_MS) levels.shift();
}

const now = () => Date.now() + offset;
const clock = (wall) => new Date(wall + 7 * 3600 * 1000).toISOString().slice(11, 19);
const decibel = (cdb) => (cdb / 100).toFixed(1).replace("-", "−");

/* An entry stands for its second; one of silence for all the time since the one before, if that is near. */
function length(index) {
  const [wall, rung] = levels[index];
  const since = index ? wall - levels[index - 1][0] : Infinity;
  return rung === SILENT && since <= gap ? since : SECOND_MS;
}

function draw() {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const end = now();
  const x = (wall) => ((wall - (end - SPAN_MS)) / SPAN_MS) * width;
  const bottom = height - AXIS;
  const room = bottom - BAND - 6;
  levels.forEach(([wall, rung, level], index) => {
    const left = x(wall - length(index));
    const wide = Math.max(1, x(wall) - left + 0.4);
    pen.fillStyle = colour(rung);
    pen.fillRect(left, 0, wide, BAND);
    const share = Math.max(0, Math.min(1, (level - FLOOR_CDB) / -FLOOR_CDB));
    pen.globalAlpha = 0.85;
    pen.fillRect(left, bottom - share * room, wide, share * room);
    pen.globalAlpha = 1;
  });
  drawAxis(pen, { width, bottom, end, x });
}

function drawAxis(pen, { width, bottom, end, x }) {
  pen.strokeStyle = "rgb(33 28 23 / 35%)";
  pen.fillStyle = colours.getPropertyValue("--ink-soft").trim();
  pen.font = "13px sans-serif";
  pen.textAlign = "center";
  pen.beginPath();
  pen.moveTo(0, bottom + 0.5);
  pen.lineTo(width, bottom + 0.5);
  const step = width < 500 ? 5 : 3;
  const minute = 60 * SECOND_MS;
  for (let wall = Math.ceil((end - SPAN_MS) / (step * minute)) * step * minute; wall <= end; wall += step * minute) {
    pen.moveTo(x(wall), bottom);
    pen.lineTo(x(wall), bottom + 5);
    pen.fillText(clock(wall).slice(0, 5), Math.min(width - 20, Math.max(20, x(wall))), bottom + 18);
  }
  pen.stroke();
}

/* Stretches of one rung, for those who do not see the colours and for those who want to be exact. */
function stretches() {
  const found = [];
  for (const [wall, rung, level] of levels) {
    const last = found[found.length - 1];
    if (last && last.rung === rung && wall - last.to <= (rung === SILENT ? gap : 5 * SECOND_MS)) {
      last.to = wall;
      last.sum += level;
      last.count += 1;
    } else {
      found.push({ from: wall - SECOND_MS, to: wall, rung, sum: level, count: 1 });
    }
  }
  return found;
}

function tell() {
  if (!words.closest("details").open) return;
  const lines = stretches().reverse().slice(0, 60).map((one) => {
    const line = document.createElement("li");
    const values = { from: clock(one.from), to: clock(one.to), what: labels.rung[one.rung], level: decibel(one.sum / one.count) };
    line.textContent = labels.stretch.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
    return line;
  });
  if (!lines.length) {
    const line = document.createElement("li");
    line.textContent = labels.no_stretch;
    lines.push(line);
  }
  words.replaceChildren(...lines);
}

canvas.addEventListener("pointermove", (event) => {
  const wall = now() - SPAN_MS + (event.offsetX / canvas.clientWidth) * SPAN_MS;
  const found = levels.find(([at], index) => at >= wall && at - length(index) <= wall);
  tip.textContent = found ? `${clock(found[0])} · ${labels.rung[found[1]]} · ${decibel(found[2])} dBFS` : clock(wall);
});
canvas.addEventListener("pointerleave", () => { tip.textContent = "\u00a0"; });
words.closest("details").addEventListener("toggle", tell);

document.addEventListener("loalang:device", (event) => {
  if (event.detail.device !== device || !event.detail.levels.length) return;
  add(event.detail.levels);
  draw();
  tell();
});
document.addEventListener("loalang:missed", load);
window.addEventListener("resize", draw);
setInterval(draw, SECOND_MS);
load();
