// The week: occurrences from /api/v1/calendar. Whatever time zone the browser is in, the horns' local time is shown.

const OFFSET_MS = 7 * 3600 * 1000;
const LINE_MS = 30 * 60 * 1000; // a short programme still gets a line of text
const box = document.getElementById("week");
const phone = matchMedia("(max-width: 760px)");

/* EventCalendar shows browser-local times; a date is made whose local fields are those of Viet Nam. */
function local(wall) {
  const there = new Date(wall + OFFSET_MS);
  return new Date(there.getUTCFullYear(), there.getUTCMonth(), there.getUTCDate(), there.getUTCHours(), there.getUTCMinutes(), there.getUTCSeconds());
}

function wall(date) {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()) - OFFSET_MS;
}

function clock(wall) {
  return new Date(wall + OFFSET_MS).toISOString().slice(11, 16);
}

function line({ event }) {
  const time = document.createElement("b");
  time.textContent = event.extendedProps.from;
  return { domNodes: [time, event.title] };
}

async function load({ start, end }) {
  const query = new URLSearchParams({ from: wall(start), to: wall(end), unit: box.dataset.unit });
  const answer = await fetch(`/api/v1/calendar?${query}`);
  if (!answer.ok) throw new Error(box.dataset.failed);
  const { entries } = await answer.json();
  return entries.map((one) => ({
    id: `${one.unit}#${one.id}#${one.start_ms}`,
    start: local(one.start_ms),
    end: local(Math.max(one.end_ms, one.start_ms + LINE_MS)),
    title: one.title,
    classNames: [one.class, one.standing],
    extendedProps: { bulletin: one.id, from: clock(one.start_ms) },
  }));
}

const calendar = window.EventCalendar.create(box, {
  view: phone.matches ? "listWeek" : "timeGridWeek",
  date: local(Date.now()),
  firstDay: 1,
  locale: document.documentElement.lang,
  allDaySlot: false,
  nowIndicator: false,
  slotMinTime: "04:00:00",
  slotMaxTime: "23:00:00",
  slotDuration: "00:30:00",
  slotHeight: 36, // as in schedules.css
  eventContent: line,
  height: phone.matches ? undefined : "640px",
  scrollTime: "06:00:00",
  headerToolbar: { start: "prev,next today", center: "title", end: "timeGridWeek,listWeek" },
  buttonText: { today: box.dataset.today, timeGridWeek: box.dataset.days, listWeek: box.dataset.list },
  slotLabelFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  noEventsContent: box.dataset.none,
  eventSources: [{ events: (info) => load(info).catch((problem) => { box.textContent = problem.message; return []; }) }],
  eventClick: ({ event }) => { location.href = `/bulletins/${event.extendedProps.bulletin}`; },
});

let waiting = 0;
document.addEventListener("loalang:schedule", () => {
  waiting ||= setTimeout(() => { waiting = 0; calendar.refetchEvents(); }, 1000);
});
