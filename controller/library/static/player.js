// Puts a waveform with one large button in the place of the browser's own controls; those stay where it cannot.

const nonce = document.querySelector('meta[name="style-nonce"]')?.content;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let waves = null;
let playing = null;

function clock(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0")).join(":");
}

function button(box) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button primary play";
  made.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg>';
  const show = (on) => {
    made.setAttribute("aria-label", on ? box.dataset.pause : box.dataset.play);
    made.querySelector("use").setAttribute("href", `/static/icons.svg#${on ? "pause" : "play"}`);
  };
  show(false);
  return { made, show };
}

async function draw(box) {
  const audio = box.querySelector("audio");
  const length = Number(box.dataset.durationMs) / 1000;
  const peaks = box.dataset.waveform.split(",").map((value) => Number(value) / 100);
  waves ??= import("/static/vendor/wavesurfer.esm.js");
  const { default: WaveSurfer } = await waves;
  const { made, show } = button(box);
  const place = document.createElement("div");
  place.className = "wave";
  const time = document.createElement("time");
  time.textContent = clock(length);
  audio.controls = false;
  audio.hidden = true;
  box.append(made, place, time);
  WaveSurfer.create({
    container: place, media: audio, peaks: [peaks], duration: length, height: 64, cspNonce: nonce,
    waveColor: colour("--line-strong"), progressColor: colour("--red"), cursorColor: colour("--gold"), cursorWidth: 3,
    barWidth: 3, barGap: 1, barRadius: 2, normalize: false, dragToSeek: true, hideScrollbar: true,
  });
  made.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
  audio.addEventListener("play", () => {
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    show(true);
  });
  for (const name of ["pause", "ended"]) audio.addEventListener(name, () => show(false));
  audio.addEventListener("timeupdate", () => { time.textContent = clock(audio.currentTime || length); });
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target).catch(() => { target.querySelector("audio").controls = true; });
  }
}, { rootMargin: "200px" });

export function upgrade(root = document) {
  for (const box of root.querySelectorAll("[data-player]:not([data-upgraded])")) {
    box.dataset.upgraded = "";
    seen.observe(box);
  }
}

/* A player for a media that came as JSON. */
export function playerOf(media, words = {}) {
  const box = document.createElement("div");
  box.className = "player";
  Object.assign(box.dataset, {
    player: "", durationMs: media.duration_ms, waveform: media.waveform.join(","), play: words.play ?? "", pause: words.pause ?? "",
  });
  const audio = document.createElement("audio");
  Object.assign(audio, { controls: true, preload: "none", src: media.url });
  box.append(audio);
  return box;
}

upgrade();
document.addEventListener("htmx:afterSwap", (event) => upgrade(event.target));
export { clock };
