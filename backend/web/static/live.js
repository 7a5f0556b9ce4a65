// Tells whether the page is live: silence of the event stream becomes a banner; after a break everything is fetched anew.
// Also: when to look again at what no event tells of, times in the reader's zone, and a notice when a decision could not
// be sent.

const SILENT_MS = 6000; // three heartbeats
const RECONNECT_MS = 12000; // a connection that looks open but is silent for so long is dropped
const TICK_EVERY_MS = 5000;
const LOOK_EVERY_MS = 1500; // positions are at most 2 s old; the answer is empty if nothing was heard
const SLOW_EVERY_MS = 30000;

const live = document.getElementById("live");
const liveText = document.getElementById("live-text");
const banner = document.getElementById("stale");
const since = document.getElementById("stale-since");
const notice = document.getElementById("notice");

let heardAt = performance.now();
let heardTime = new Date();
let tickedAt = heardAt;
let beat = null;
let connection = null;
let connections = 0;

function heard() {
  heardAt = performance.now();
  heardTime = new Date();
}

function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s ago`;
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  return `${Math.round(s / 3600)} h ago`;
}

function describe() {
  if (!beat) return "Live";
  if (!beat.committed_at) return "Live, no reading yet";
  const sinceBeat = performance.now() - beat.arrived;
  return `Live, last reading ${ago(Date.parse(beat.at) - Date.parse(beat.committed_at) + sinceBeat)}`;
}

function judge() {
  if (document.hidden) return;
  const silent = performance.now() - heardAt;
  const isStale = silent > SILENT_MS;
  if (isStale && banner.hidden) since.textContent = local(heardTime);
  if (banner.hidden === isStale) banner.hidden = !isStale;
  live.dataset.state = isStale ? "stale" : beat ? "live" : "connecting";
  const text = isStale ? `Not live, last heard ${ago(silent)}` : beat ? describe() : "Connecting";
  if (liveText.textContent !== text) liveText.textContent = text;
  if (silent > RECONNECT_MS && connection && connection.reader) connection.reader.cancel();
}

live.addEventListener("htmx:sse:before:message", heard);
live.addEventListener("heartbeat", (event) => {
  beat = { ...JSON.parse(event.detail.data), arrived: performance.now() };
  if (performance.now() - tickedAt > TICK_EVERY_MS) {
    tickedAt = performance.now();
    live.dispatchEvent(new CustomEvent("tick"));
  }
  judge();
});
live.addEventListener("htmx:sse:after:connection", (event) => {
  connection = event.detail.connection;
  heard();
  connections += 1;
  if (connections > 1) live.dispatchEvent(new CustomEvent("refresh"));
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) heardAt = performance.now();
  tell("look", true);
});
setInterval(judge, 1000);

// No event tells that an asset moved or that time passed: what shows it looks again, while it is in sight and live.
function tell(name, each) {
  if (document.hidden || live.dataset.state !== "live") return;
  const shown = [...document.querySelectorAll(`[hx-trigger*="${name} from:#live"]`)];
  if (!each || shown.some(inSight)) live.dispatchEvent(new CustomEvent(name));
}

function inSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}

setInterval(() => tell("look", true), LOOK_EVERY_MS);
setInterval(() => tell("slow", false), SLOW_EVERY_MS);

document.addEventListener("htmx:error", (event) => {
  const method = event.detail.ctx && event.detail.ctx.request.method;
  if (method !== "POST") return;
  notice.textContent = "Your decision could not be sent; nothing was changed. Try again when the page is live.";
  notice.hidden = false;
});
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.request.method === "POST") notice.hidden = true;
});

// The button that was pressed is gone after a decision: the keyboard goes on at the next one of the section.
document.addEventListener("htmx:finally:request", (event) => {
  const { request, target } = event.detail.ctx;
  if (request.method !== "POST" || document.activeElement !== document.body) return;
  const section = target && target.closest("section");
  const buttons = section ? [...section.querySelectorAll("button")] : [];
  const next = buttons.find((button) => button.checkVisibility()) || (section && section.querySelector("h2"));
  if (next) next.focus({ preventScroll: true });
});

function local(when, toMinutes) {
  const now = new Date();
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(toMinutes ? {} : { second: "2-digit" }) };
  const clock = when.toLocaleTimeString([], parts);
  if (when.toDateString() === now.toDateString()) return clock;
  const day = when.toLocaleDateString([], { day: "numeric", month: "short" });
  return `${day} ${clock}`;
}

function localise() {
  for (const element of document.querySelectorAll("time")) {
    const text = local(new Date(element.dateTime), element.dataset.to === "minutes");
    if (element.textContent !== text) element.textContent = text;
  }
  document.querySelectorAll("input[data-now]").forEach(presetTime);
}

// A time is typed in this computer's zone and sent as UTC, in the hidden field that `data-now` names. A field that
// nobody has touched is the present minute.
function presetTime(field) {
  if (field.dataset.set) return;
  field.dataset.set = "yes";
  const now = new Date();
  field.value = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  field.max = field.value;
  sendTime(field);
}

function sendTime(field) {
  const hidden = field.form.elements[field.dataset.now];
  const when = new Date(field.value);
  hidden.value = Number.isNaN(when.getTime()) ? "" : when.toISOString();
}

document.addEventListener("input", (event) => {
  if (event.target.matches("input[data-now]")) sendTime(event.target);
});

// "Until tomorrow 06:00" is a time of this computer's zone; without scripts it is the hours that the button has.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("button[data-until]");
    if (!button) return;
    const [hours, minutes] = button.dataset.until.split(":").map(Number);
    const now = new Date();
    const until = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, hours, minutes);
    button.name = "until";
    button.value = until.toISOString();
  },
  true,
);

new MutationObserver(localise).observe(document.querySelector("main"), { childList: true, subtree: true, characterData: true });
localise();
judge();
