// The panel: shows what the device is, sends what is touched. Sound is in talk.js and listen.js.

import { Listener } from "./listen.js";
import { Talker } from "./talk.js";

const words = JSON.parse(document.getElementById("words").textContent);
const panel = document.getElementById("panel");
const at = (id) => document.getElementById(id);
const base = `ws://${location.host}/panel/${panel.dataset.device}`;

let line;
let face;

function say(name) {
  at("note").textContent = name ? words.sayings[name] : "";
  at("note").hidden = !name;
}

function send(message) {
  if (line?.readyState === WebSocket.OPEN) line.send(message instanceof ArrayBuffer ? message : JSON.stringify(message));
}

// --- the line to the device, opened again for ever ---

function open() {
  line = new WebSocket(`${base}/line`);
  line.onmessage = (event) => show(JSON.parse(event.data));
  line.onclose = () => {
    panel.dataset.away = "true";
    say("away");
    talker.forget();
    setTimeout(open, 1000);
  };
}

// --- showing ---

function show(next) {
  if (panel.dataset.away === "true") say(null);
  panel.dataset.away = "false";
  face = next;
  const powered = face.powered && !face.hung; // a hanging computer answers like one without power
  document.querySelector(".cabinet").dataset.dark = String(!face.powered);
  lamp("power", face.powered ? "on" : "off");
  lamp("network", face.lamps.link);
  lamp("sound", face.lamps.on_air);
  lamp("fault", face.lamps.fault);
  at("rung").textContent = powered ? words.rungs[face.rung] : words.sayings[face.hung ? "hung" : "no_power"];
  at("sounding").textContent = powered ? words.sayings[face.linked ? "linked" : "unlinked"] : "";
  at("clock").textContent = powered ? words.clocks[face.clock] : "";
  at("media").textContent = powered ? `${face.media_held}/${face.media_wanted} ${words.sayings.media}` : "";
  meter(at("level"), powered && face.amplifier ? face.level_cdb / 100 : -60);
  showSwitches();
  showMessages();
  showFaults(powered ? face.faults : []);
}

function showSwitches() {
  for (const [act, value] of [["network", face.network], ["power", face.powered ? "on" : "off"], ["computer", face.hung ? "off" : "on"], ["station", face.station]]) {
    for (const button of document.querySelectorAll(`[data-act="${act}"] button`)) {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
  }
  at("key").setAttribute("aria-checked", String(face.key_turned));
  at("talk").setAttribute("aria-pressed", String(face.talking));
  at("talk").disabled = at("stop").disabled = at("stick").disabled = !face.powered || face.hung;
  at("computer").hidden = !face.guardian;
  at("guardian").textContent = words.guardian[face.guardian] ?? "";
  at("stick").textContent = words.sayings[`stick_${face.stick}`];
  const name = face.talking ? "talking" : "talk";
  at("talk").lastElementChild.textContent = words.sayings[at("lock").checked ? `${name}_locked` : name];
}

// A button with nothing signed behind it can be pressed as well: the fault lamp answers, as at the pole.
function showMessages() {
  for (const button of document.querySelectorAll("[data-message]")) {
    const title = face.messages[button.dataset.message - 1];
    button.disabled = !face.powered || face.hung;
    button.dataset.empty = String(title === null);
    button.lastElementChild.textContent = title ?? words.sayings.message_none;
    button.setAttribute("aria-pressed", String(face.sounding === `message-${button.dataset.message}`));
  }
}

function showFaults(faults) {
  at("faults").replaceChildren(...faults.map((code) => {
    const line = document.createElement("li");
    line.textContent = words.faults[code] ?? code;
    return line;
  }));
}

function lamp(name, glow) {
  const shown = document.querySelector(`[data-lamp="${name}"]`).dataset;
  shown.glow = glow;
  shown.on = String(glow === "on");
}

function meter(scale, db) {
  const bounded = Math.max(-60, Math.min(0, db));
  scale.setAttribute("aria-valuenow", bounded.toFixed(0));
  scale.style.setProperty("--share", String((bounded + 60) / 60));
}

// --- touching ---

const talker = new Talker({
  say,
  frame: (frame) => send(frame),
  press: (source) => send({ act: "talk", on: true, source }),
  release: () => send({ act: "talk", on: false }),
});

const voice = () => document.querySelector("[name=voice]:checked").value;

function talkDown(event) {
  if (event.button > 0) return;
  event.preventDefault();
  if (at("lock").checked) talker.pressed ? talker.release() : talker.press(voice());
  else {
    if (event.pointerId !== undefined) at("talk").setPointerCapture(event.pointerId);
    talker.press(voice());
  }
}

function talkUp() {
  if (!at("lock").checked) talker.release();
}

const isTalkKey = (event) => event.code === "Space" || event.code === "Enter";

at("talk").addEventListener("pointerdown", talkDown);
for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) at("talk").addEventListener(name, talkUp);
at("talk").addEventListener("contextmenu", (event) => event.preventDefault());
at("talk").addEventListener("keydown", (event) => { if (isTalkKey(event) && !event.repeat) talkDown(event); });
at("talk").addEventListener("keyup", (event) => { if (isTalkKey(event)) { event.preventDefault(); talkUp(); } });
addEventListener("blur", talkUp);

at("lock").addEventListener("change", () => { talker.release(); if (face) showSwitches(); });
at("key").addEventListener("click", () => send({ act: "key", on: !face?.key_turned }));
at("stop").addEventListener("click", () => send({ act: "stop" }));
for (const button of document.querySelectorAll("[data-message]")) {
  button.addEventListener("click", () => send({ act: "message", number: Number(button.dataset.message) }));
}
at("stick").addEventListener("click", () => send({ act: "stick" }));

for (const button of document.querySelectorAll("[data-act] button")) {
  const act = button.parentElement.dataset.act;
  button.addEventListener("click", () => send(act === "power" || act === "computer" ? { act, on: button.value === "on" } : { act, to: button.value }));
}

// --- listening ---

if (at("listen")) {
  const listener = new Listener({
    url: `${base}/listen`,
    level: (db) => meter(at("ear"), db),
    state: (on) => {
      at("listen").setAttribute("aria-pressed", String(on));
      at("listen").textContent = words.sayings[on ? "listening" : "listen"];
    },
  });
  at("listen").addEventListener("click", () => listener.toggle());
}

// --- living in the controller's page ---

if (window.parent !== window) {
  document.documentElement.classList.add("framed");
  const tell = () => window.parent.postMessage({ panel: panel.dataset.device, height: panel.offsetHeight }, "*");
  new ResizeObserver(tell).observe(panel);
}

open();
