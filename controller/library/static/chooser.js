// Choosing a sound inside a form: send a recording, have a text spoken, or take one from the library.

import { clock, playerOf, upgrade } from "/static/library/player.js";

const token = () => document.querySelector('meta[name="csrf"]').content;
const ASK_EVERY_MS = 400;
const ASK_TRIES_MAX = 40;

class Refused extends Error {}
class SignedOut extends Error {}

/* The page's own script shows where to sign in, and fetches the new token. */
function refusal(status, error) {
  if (status !== 401 && error.code !== "stale_page") return new Refused(error.message);
  document.dispatchEvent(new Event("loalang:signed-out"));
  return new SignedOut();
}

async function call(method, path, body) {
  const headers = { "X-CSRF-Token": token() };
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const read = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw refusal(answer.status, read.error);
  return read;
}

/* Only XMLHttpRequest tells how much of a file is sent. */
function send(form, { onProgress, onStart }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/media?wait=0");
    request.setRequestHeader("X-CSRF-Token", token());
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(Math.round((event.loaded / event.total) * 100));
    request.onerror = () => reject(new TypeError("connection lost"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else if (request.response?.error) reject(refusal(request.status, request.response.error));
      else reject(new TypeError("no answer"));
    };
    onStart(request);
    request.send(form);
  });
}

class Chooser {
  constructor(box) {
    this.box = box;
    this.words = JSON.parse(box.dataset.words);
    this.value = box.querySelector('input[type="hidden"]');
    this.stop = null;
    box.addEventListener("change", (event) => this.changed(event.target));
    box.addEventListener("input", (event) => this.typed(event.target));
    box.addEventListener("click", (event) => this.clicked(event.target.closest("[data-do]")));
    this.part("search").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    this.count();
    this.show(box.querySelector('[name="sound_from"]:checked').value);
  }

  part(name) { return this.box.querySelector(`[data-part="${name}"]`); }
  fact(name) { return this.box.querySelector(`[data-fact="${name}"]`); }
  say(name, ...values) { return values.reduce((text, value) => text.replace("%s", value), this.words[name]); }

  field(name) { return this.box.form?.elements[this.box.dataset[name]] ?? null; }
  get unit() { return this.box.dataset.unit || this.field("unitField")?.value || ""; }
  get title() { return this.field("titleField")?.value ?? ""; }

  changed(input) {
    if (input.name === "sound_from") this.show(input.value);
    if (input === this.part("file") && input.files.length) this.upload();
  }

  typed(input) {
    if (input === this.part("text")) this.count();
    if (input === this.part("search")) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.search(), 250);
    }
  }

  clicked(button) {
    const acts = { upload: () => this.upload(), speak: () => this.speak(), cancel: () => this.stop?.(), change: () => this.change() };
    acts[button?.dataset.do]?.();
  }

  show(source) {
    for (const panel of this.box.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== source;
    this.error(null);
    if (source === "library") this.search();
  }

  count() {
    const text = this.part("text");
    const length = [...text.value].length;
    this.fact("chars").textContent = this.say("chars", length.toLocaleString(document.documentElement.lang));
    text.closest(".panel").classList.toggle("wrong", length > Number(text.dataset.charsMax));
  }

  error(sentence) {
    const place = this.part("error");
    place.hidden = !sentence;
    place.textContent = sentence ?? "";
    if (sentence) place.scrollIntoView({ block: "nearest" });
    this.box.querySelector('[data-do="upload"]').hidden = !(sentence && this.part("file").files.length);
  }

  needsUnit() {
    if (this.unit) return false;
    this.error(this.words.unit);
    return true;
  }

  upload() {
    const file = this.part("file").files[0];
    const limit = Number(this.box.dataset.bytesMax);
    if (!file) return this.error(this.words.file);
    if (file.size === 0) return this.error(this.words.empty);
    if (file.size > limit) return this.error(this.say("too_large", Math.floor(limit / 2 ** 20)));
    if (this.needsUnit()) return;
    const form = new FormData();
    form.append("unit", this.unit);
    form.append("title", this.title);
    form.append("file", file);
    this.work(() => send(form, {
      onProgress: (percent) => this.progress(percent, this.say("sending", percent)),
      onStart: (request) => { this.stop = () => request.abort(); },
    }));
  }

  speak() {
    const text = this.part("text").value;
    if (this.needsUnit()) return;
    const body = { unit: this.unit, title: this.title, text, language: this.part("language").value };
    this.work(() => call("POST", "/speech?wait=0", body));
  }

  /* Begins a job, asks how far it is, and shows its sound or why there is none. Nothing typed is touched. */
  async work(begin) {
    if ("working" in this.box.dataset) return;
    this.box.dataset.working = "";
    this.error(null);
    this.part("progress").hidden = false;
    this.progress(null, "");
    try {
      this.chosen(await this.follow(await begin()));
    } catch (problem) {
      if (problem.name === "AbortError") this.error(this.words.stopped);
      else this.error(this.sentence(problem));
    } finally {
      delete this.box.dataset.working;
      this.stop = null;
      this.part("progress").hidden = true;
    }
  }

  async follow(job) {
    const path = `/media/jobs/${job.id}`;
    this.stop = () => call("DELETE", path).catch(() => {});
    for (let lost = 0; ;) {
      if (job.media) return job.media;
      if (job.error) throw new Refused(job.error.message);
      this.progress(job.percent, `${this.words[job.stage] ?? ""} ${job.seconds ? clock(job.seconds) : ""}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      try {
        job = await call("GET", path);
        lost = 0;
      } catch (problem) {
        if (problem instanceof Refused || problem instanceof SignedOut || ++lost > ASK_TRIES_MAX) throw problem;
      }
    }
  }

  progress(percent, sentence) {
    const bar = this.box.querySelector("progress");
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
    this.fact("stage").textContent = sentence;
  }

  chosen(media) {
    this.value.value = media.digest;
    this.fact("title").textContent = media.title;
    this.fact("length").textContent = clock(media.duration_ms / 1000);
    const level = (hundredths) => (hundredths / 100).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }).replace("-", "−");
    this.fact("loudness").textContent = media.loudness_in_cdb === null ? ""
      : this.say("loudness", level(media.loudness_out_cdb), level(media.loudness_in_cdb));
    this.part("player").replaceChildren(playerOf(media, this.words));
    this.part("chosen").hidden = false;
    this.part("choose").hidden = true;
    upgrade(this.box);
    const title = this.field("titleField");
    if (title && !title.value.trim()) title.value = media.title;
    this.tell(media);
  }

  change() {
    this.value.value = "";
    this.part("chosen").hidden = true;
    this.part("player").replaceChildren();
    this.part("choose").hidden = false;
    this.part("file").value = "";
    this.error(null);
    this.tell(null);
  }

  tell(media) {
    this.box.dispatchEvent(new CustomEvent("library:chosen", { bubbles: true, detail: media }));
  }

  async search() {
    const place = this.part("found");
    const asked = (this.asked = (this.asked ?? 0) + 1);
    try {
      const { media } = await call("GET", `/media?search=${encodeURIComponent(this.part("search").value)}`);
      if (asked !== this.asked) return;
      place.replaceChildren(...media.map((one) => this.row(one)));
      if (!media.length) place.textContent = this.words.nothing;
    } catch (problem) {
      this.error(this.sentence(problem));
    }
  }

  sentence(problem) {
    if (problem instanceof SignedOut) return this.words.signed_out;
    return problem instanceof Refused ? problem.message : this.words.network;
  }

  row(media) {
    const row = document.createElement("li");
    row.innerHTML = '<div class="line"><span class="what"><strong></strong><small></small></span><button type="button" class="button small"></button></div>';
    row.querySelector("strong").textContent = media.title;
    row.querySelector("small").textContent = `${clock(media.duration_ms / 1000)} · ${media.unit_name} · ${media.creator}`;
    const take = row.querySelector("button");
    take.textContent = this.words.take;
    take.addEventListener("click", () => this.work(async () => ({ media: await call("GET", `/media/${media.digest}`) })));
    return row;
  }

  /* What keeps the form from being sent, as a sentence; null when nothing does. */
  problem() {
    if ("working" in this.box.dataset) return this.words.working;
    if (!("required" in this.box.dataset) || this.value.value || this.box.disabled || !this.box.offsetParent) return null;
    const from = this.box.querySelector('[name="sound_from"]:checked').value;
    return from === "speech" && this.part("text").value.trim() ? this.words.unspoken : this.words.missing;
  }
}

const choosers = [...document.querySelectorAll("[data-chooser]")].map((box) => new Chooser(box));

/* On the window, so that it comes before the page marks the form as sent. */
window.addEventListener("submit", (event) => {
  const adding = event.target.matches("[data-adding]");
  for (const chooser of choosers) {
    const problem = chooser.box.form === event.target ? chooser.problem() : null;
    /* A draft may lack a sound, but it has no place for a text that was not spoken yet. */
    const passes = event.submitter?.formNoValidate && problem !== chooser.words.unspoken;
    if ((!problem && !adding) || passes) continue;
    event.preventDefault();
    event.stopImmediatePropagation();
    chooser.error(problem);
  }
}, true);

/* The library's own page: what was added appears in the list. */
document.querySelector("form[data-adding]")?.addEventListener("library:chosen", (event) => {
  if (event.detail) window.htmx?.ajax("GET", "/library", "#sounds");
});
