// Deadlines that count down between two answers of the server; a page-wide second hand moves them all.
import { now, span, two, words } from "./words.js";

const SOON_SECONDS = 30 * 60;
const SOON_PERCENT = 25;

class SlaTimer extends HTMLElement {
  connectedCallback() {
    this.started = now();
    this.left = Number(this.dataset.left);
    this.target = Number(this.dataset.target);
    if (this.dataset.left !== undefined) hands.add(this);
  }

  disconnectedCallback() {
    hands.delete(this);
  }

  tick(moment) {
    const left = this.left - (moment - this.started) / 1000;
    const percent = this.target ? Math.max(0, (100 * left) / this.target) : 100;
    const state = left < 0 ? "over" : percent < SOON_PERCENT || left < SOON_SECONDS ? "soon" : "left";
    if (!this.classList.contains(`sla-${state}`)) this.change(state);
    const text = `${words[state]} ${span(left)}`;
    const line = this.querySelector("[data-words]");
    if (line && line.textContent !== text) line.textContent = text;
    this.querySelector(".value")?.setAttribute("width", state === "over" ? 100 : Math.round(percent));
  }

  change(state) {
    this.classList.remove("sla-left", "sla-soon", "sla-over");
    this.classList.add(`sla-${state}`);
    const use = this.querySelector("use");
    const icon = { left: "clock", soon: "hourglass-low", over: "alert-triangle" }[state];
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#i-${icon}`));
  }
}

class SlaRing extends HTMLElement {
  connectedCallback() {
    this.started = now();
    this.left = Number(this.dataset.left);
    this.target = Number(this.dataset.target);
    if (this.dataset.left !== undefined) hands.add(this);
  }

  disconnectedCallback() {
    hands.delete(this);
  }

  tick(moment) {
    const left = this.left - (moment - this.started) / 1000;
    const seconds = Math.floor(Math.abs(left));
    const figures = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    this.querySelector(".main-text").textContent = figures.length < 8 ? figures : figures.slice(0, -3);
    const percent = this.target ? Math.max(0, Math.min(100, (100 * left) / this.target)) : 100;
    this.querySelector(".value")?.setAttribute("stroke-dasharray", `${left < 0 ? 100 : percent.toFixed(1)} 100`);
    const ring = this.querySelector(".ring");
    ring.classList.toggle("ring-over", left < 0);
    ring.classList.toggle("ring-soon", left >= 0 && (percent < SOON_PERCENT || left < SOON_SECONDS));
  }
}

class DeskClock extends HTMLElement {
  connectedCallback() {
    this.format = new Intl.DateTimeFormat("ru", { hour: "2-digit", minute: "2-digit", timeZone: this.dataset.zone });
    hands.add(this);
  }

  disconnectedCallback() {
    hands.delete(this);
  }

  tick(moment) {
    const text = this.format.format(moment);
    if (this.textContent !== text) this.textContent = text;
  }
}

const hands = new Set();

function move() {
  if (document.body.dataset.offline !== undefined) return;
  const moment = now();
  for (const hand of hands) hand.tick(moment);
}

customElements.define("sla-timer", SlaTimer);
customElements.define("sla-ring", SlaRing);
customElements.define("desk-clock", DeskClock);
setInterval(move, 1000);
