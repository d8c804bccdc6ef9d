// What every page does: live events, confirmations, buttons that are pressed once, htmx with the session's token.

const token = document.querySelector('meta[name="csrf"]');

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token.content;
});

/* The session is over: the page stays as it is, and takes the new token once someone signed in in another window. */
const ended = document.getElementById("signed-out");
async function renew() {
  const answer = await fetch("/account").catch(() => null);
  if (answer?.status === 401) ended.hidden = false;
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector('meta[name="csrf"]').content;
  token.content = fresh;
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = fresh;
  ended.hidden = true;
}
const cameBack = () => document.visibilityState === "visible" && !ended.hidden && renew();
if (ended) {
  document.addEventListener("loalang:signed-out", renew);
  document.addEventListener("visibilitychange", cameBack);
  window.addEventListener("focus", cameBack);
}

/* Live events: other scripts listen with document.addEventListener("loalang:device", (event) => event.detail). */
function listen() {
  const bar = document.getElementById("offline");
  const source = new EventSource("/events");
  let lost = 0;
  source.onopen = () => {
    clearTimeout(lost);
    // Also the first time: what happened between the page's making and this line was told to nobody here.
    document.dispatchEvent(new CustomEvent("loalang:missed"));
    bar.hidden = true;
    document.documentElement.dataset.live = "on";
  };
  source.onerror = () => {
    clearTimeout(lost);
    lost = setTimeout(() => {
      bar.textContent = document.body.dataset.offline;
      bar.hidden = !ended.hidden;
      if (source.readyState !== EventSource.CLOSED) return;
      renew();
      setTimeout(listen, 5000);
    }, 3000);
  };
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    document.dispatchEvent(new CustomEvent(`loalang:${event.type}`, { detail: event }));
  };
  window.addEventListener("pagehide", () => source.close(), { once: true });
}
if ("live" in document.body.dataset) listen();
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

/* A loudspeaker obeyed what was never distributed: the home page renews its panels, every other page says so at its top. */
document.addEventListener("loalang:unlogged", ({ detail }) => {
  const notice = document.getElementById("unlogged");
  if (notice && detail.document) notice.hidden = false;
});

/* A form or button with data-confirm="sentence" asks first, in our own words and language. */
const dialog = document.getElementById("confirm");
function ask(sentence) {
  dialog.querySelector("p").textContent = sentence;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.dataset.sent === "yes") {
    if (form.dataset.sent === "yes") event.preventDefault();
    return;
  }
  const sentence = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (sentence && form.dataset.asked !== "yes") {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(sentence))) return;
    form.dataset.asked = "yes";
    form.requestSubmit(event.submitter ?? undefined);
    return;
  }
  delete form.dataset.asked;
  if (!form.matches("[hx-post], [hx-get], [data-again]")) press(form, event.submitter);
}, true);

function press(form, button) {
  form.dataset.sent = "yes";
  setTimeout(() => {
    button?.classList.add("busy");
    for (const one of form.querySelectorAll("button")) one.disabled = true;
  });
  // A download or an answer 204 leaves the page standing: it can be pressed again after a while.
  setTimeout(() => {
    delete form.dataset.sent;
    button?.classList.remove("busy");
    for (const one of form.querySelectorAll("button")) one.disabled = false;
  }, 15000);
}

/* "Go back" keeps what was written, because the browser still has it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-back]");
  if (link && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  for (const open of document.querySelectorAll("details.more[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
