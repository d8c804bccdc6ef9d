// Parts of a page that follow live events: data-refresh names the kinds, data-bulletin limits them to one bulletin.
// At most twice a second, and never while the page is hidden.

const PAUSE_MS = 500;

for (const part of document.querySelectorAll("[data-refresh]")) {
  let waiting = 0;
  const refresh = () => {
    if (document.hidden) return;
    waiting ||= setTimeout(() => {
      waiting = 0;
      window.htmx.trigger(part, "loalang-refresh");
    }, PAUSE_MS);
  };
  for (const kind of part.dataset.refresh.split(" ")) {
    document.addEventListener(`loalang:${kind}`, ({ detail }) => {
      const other = part.dataset.bulletin && detail.item && detail.item !== part.dataset.bulletin;
      if (!other) refresh();
    });
  }
  document.addEventListener("loalang:missed", refresh);
  document.addEventListener("visibilitychange", refresh);
}
