// Keeps the page fresh: the server says which part changed, the page fetches itself and takes over that part.
import { toEnd } from "./composer.js";
import { now } from "./words.js";

const POLL = 5000;
const CALM = 700;
const body = document.body;
let last = Number(body.dataset.liveFrom ?? 0);
let timer = null;
let failures = 0;

async function refresh() {
  timer = null;
  const answer = await fetch(location.href, { headers: { "X-Live": "1" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next && next.outerHTML !== part.outerHTML) take(part, next);
  }
  if (fresh.body.dataset.liveFrom) last = Math.max(last, Number(fresh.body.dataset.liveFrom));
}

function take(part, next) {
  const flow = part.matches(".talk-flow") ? part : null;
  const atEnd = flow && flow.scrollHeight - flow.scrollTop - flow.clientHeight < 80;
  const top = part.scrollTop;
  const open = part.querySelector("details[open]")?.id;
  const cursor = part.querySelector(".is-cursor")?.id;
  const fresh = document.importNode(next, true);
  notice(part, fresh);
  part.replaceWith(fresh);
  window.htmx?.process(fresh);
  fresh.scrollTop = top;
  if (open) fresh.querySelector(`#${open}`)?.setAttribute("open", "");
  if (cursor) document.getElementById(cursor)?.classList.add("is-cursor");
  if (atEnd) toEnd();
}

// Whose change it was, said once and without touching what is being written.
function notice(before, after) {
  if (!after.dataset.change || after.dataset.change === before.dataset.change || after.dataset.changeMine) return;
  const line = document.getElementById("change-notice");
  if (!line) return;
  line.querySelector("span").textContent = after.dataset.changeWords;
  line.hidden = false;
}

function later() {
  timer ??= setTimeout(refresh, CALM);
}

function heard(event) {
  failures = 0;
  connected();
  const change = JSON.parse(event.data);
  last = Math.max(last, change.id);
  later();
}

function connected() {
  delete body.dataset.offline;
  document.getElementById("offline")?.setAttribute("hidden", "");
}

function lost() {
  const banner = document.getElementById("offline");
  if (!banner || body.dataset.offline !== undefined) return;
  body.dataset.offline = "";
  const timeZone = document.querySelector("desk-clock")?.dataset.zone;
  const clock = new Intl.DateTimeFormat("ru", { hour: "2-digit", minute: "2-digit", timeZone });
  banner.querySelector("[data-since]").textContent = clock.format(now());
  banner.hidden = false;
}

let stream = null;

function listen() {
  stream?.close();
  stream = new EventSource(`/live?topics=${encodeURIComponent(body.dataset.live)}&from=${last}`);
  stream.onopen = () => {
    if (body.dataset.offline !== undefined) later();
    failures = 0;
    connected();
  };
  stream.onmessage = heard;
  stream.onerror = () => {
    failures += 1;
    if (failures > 1) lost();
    if (stream.readyState === EventSource.CLOSED) setTimeout(poll, POLL);
  };
}

// Where streams do not get through (a proxy that buffers), asking every few seconds does.
async function poll() {
  const answer = await fetch(`/live/poll?topics=${encodeURIComponent(body.dataset.live)}&from=${last}`).catch(() => null);
  if (answer?.redirected) return location.reload();
  if (!answer?.ok) {
    lost();
  } else {
    connected();
    const { events, last: newest } = await answer.json();
    last = newest;
    if (events.length) later();
  }
  setTimeout(poll, POLL);
}

if (body.dataset.live) {
  listen();
  window.addEventListener("offline", lost);
  window.addEventListener("online", listen);
  window.addEventListener("pagehide", () => stream?.close());
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-retry]")) listen();
    if (event.target.closest("[data-show-change]")) (event.target.closest(".notice").hidden = true);
  });
}

// htmx tells the composer that its text has left.
for (const name of ["htmx:after:swap", "htmx:afterSwap"]) document.addEventListener(name, toEnd);
document.addEventListener("talk-sent", (event) => {
  document.querySelector("form.composer")?.dispatchEvent(new CustomEvent("talk:sent"));
  event.stopPropagation();
});
