// Composing and watching an emergency: reach while choosing, prepared texts, and counts that follow the loudspeakers.

const form = document.querySelector("[data-compose]");
const number = (count) => count.toLocaleString(document.documentElement.lang);

function twoFigures(people) {
  const step = 10 ** Math.max(0, String(Math.round(people)).length - 2);
  return Math.round(people / step) * step;
}

function showReach() {
  const chosen = [...form.querySelectorAll('[name="targets"]:checked')];
  const sum = (name) => chosen.reduce((total, one) => total + Number(one.dataset[name]), 0);
  form.querySelector('[data-count="loudspeakers"]').textContent = number(sum("loudspeakers"));
  form.querySelector('[data-count="people"]').textContent = number(twoFigures(sum("people")));
  form.querySelector("[data-crowd]").hidden = !sum("people");
  form.querySelector("[data-wide-notice]").hidden = chosen.length < 2;
  const names = chosen.map((one) => one.parentElement.querySelector("strong").textContent);
  form.querySelector("[data-summary]").textContent = names.length > 3 ? `${names.slice(0, 3).join(", ")}, +${names.length - 3}` : names.join(", ");
}

function showLeft() {
  const text = form.querySelector("[data-text]");
  const left = form.querySelector("[data-left]");
  left.textContent = number(Number(left.dataset.left) - [...text.value].length);
}

if (form) {
  form.addEventListener("change", showReach);
  form.addEventListener("input", showLeft);
  form.addEventListener("click", (event) => {
    const sample = event.target.closest("[data-sample]");
    if (sample) {
      form.querySelector("[data-text]").value = sample.dataset.sample;
      form.querySelector(`[name="severity"][value="${sample.dataset.severity}"]`).checked = true;
      showLeft();
    }
    const every = event.target.closest("[data-all], [data-none]");
    if (every) {
      for (const box of form.querySelectorAll('[name="targets"]')) box.checked = "all" in every.dataset;
      showReach();
    }
  });
  showReach();
  showLeft();
}

/* The page of one emergency follows what the loudspeakers tell, at most twice a second. */
const progress = document.querySelector("[data-progress]");
let wanted = 0;
let asking = false;

async function renew() {
  wanted = 0;
  if (asking || document.activeElement?.closest("#progress form")) return later();
  asking = true;
  try {
    const answer = await fetch(`/alerts/${progress.dataset.progress}/progress`);
    if (answer.ok) progress.innerHTML = await answer.text();
  } finally {
    asking = false;
  }
}

function later() {
  wanted ||= setTimeout(renew, 500);
}

if (progress) {
  document.addEventListener("loalang:standing", (event) => event.detail.document === progress.dataset.digest && later());
  document.addEventListener("loalang:alert", (event) => event.detail.alert === progress.dataset.progress && later());
  document.addEventListener("loalang:refusal", later);
  document.addEventListener("loalang:missed", later);
  setInterval(later, 5000);
  const auto = progress.querySelector("form[data-auto]");
  const mark = `signed-${progress.dataset.progress}`;
  // Straight on to the signer, once: whoever comes back with the browser's button stays here.
  if (auto && !sessionStorage.getItem(mark)) {
    sessionStorage.setItem(mark, "yes");
    auto.submit();
  }
}
