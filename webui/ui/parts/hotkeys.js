// Single keys by their place on the keyboard, so that they work with a Cyrillic layout too.
import { close } from "./overlay.js";
import { toast, words } from "./words.js";

const FIELD = "input, textarea, select, [contenteditable]";

function element(event) {
  const code = event.shiftKey ? `Shift+${event.code}` : event.code;
  return [...document.querySelectorAll(`[data-hotkey="${code}"]`)].find((node) => node.matches("button, input") || node.getClientRects().length);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(FIELD)) return;
  if (document.querySelector(".desk")?.inert) return;
  if (["KeyJ", "KeyK"].includes(event.code) && move(event.code === "KeyJ" ? 1 : -1)) return event.preventDefault();
  if (event.code === "Enter" && !event.target.closest("a, button, summary")) {
    document.querySelector("tr.is-cursor a.topic")?.click();
    return;
  }
  const target = element(event);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, textarea")) target.focus();
  else target.click();
});

function move(step) {
  const rows = [...document.querySelectorAll("tbody#rows tr")];
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.classList.contains("is-cursor"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))] ?? rows[0];
  rows[at]?.classList.remove("is-cursor");
  next.classList.add("is-cursor");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a.topic")?.focus({ preventScroll: true });
  return true;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-focus]")) document.querySelector(event.target.closest("[data-focus]").dataset.focus)?.focus();
  const copier = event.target.closest("[data-copy-link]");
  if (copier) navigator.clipboard.writeText(copier.dataset.copyLink).then(() => toast(words.copied));
  if (event.target.closest("[data-leave]")) close();
});
