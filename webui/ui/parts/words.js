// Words and the server's time, both written by the page.
export const words = document.getElementById("words")?.dataset ?? {};

const serverNow = document.querySelector("meta[name=server-now]")?.content;
const offset = serverNow ? Date.parse(serverNow) - Date.now() : 0;

export const now = () => Date.now() + offset;

export const two = (number) => String(number).padStart(2, "0");

export function span(seconds) {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} ${words.h} ${two(minutes % 60)} ${words.m}` : `${minutes} ${words.m}`;
}

export function csrf() {
  return document.querySelector("meta[name=csrf-token]")?.content ?? "";
}

export function toast(text) {
  const line = document.createElement("div");
  line.className = "toast-line";
  line.textContent = text;
  document.getElementById("toasts")?.replaceChildren(line);
  setTimeout(() => line.remove(), 4000);
}
