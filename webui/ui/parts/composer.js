// The answer being written: it is kept on the server every two seconds, in the browser when there is no connection.
import { csrf, words } from "./words.js";

const PAUSE = 2000;

function start(form) {
  const text = form.querySelector("textarea");
  const state = form.querySelector("[data-draft-state]");
  const key = `draft:${form.dataset.draft}`;
  let saved = text.value;
  let timer = null;

  const mode = () => form.querySelector("[name=kind]:checked").value;
  const show = () => {
    const note = mode() === "note";
    form.classList.toggle("is-note", note);
    for (const part of form.querySelectorAll("[data-for-kind]")) part.hidden = part.dataset.forKind !== mode();
    text.placeholder = note ? form.dataset.notePlaceholder : form.dataset.outPlaceholder;
  };
  const grow = () => {
    text.rows = Math.min(10, Math.max(2, text.value.split("\n").length, Math.ceil(text.value.length / 90)));
  };
  const save = async () => {
    const written = text.value;
    localStorage.setItem(key, written);
    try {
      const body = new URLSearchParams({ text: written, mode: mode() });
      const answer = await fetch(form.dataset.draft, { method: "PUT", body, headers: { "X-CSRFToken": csrf() } });
      if (!answer.ok) throw new Error(String(answer.status));
      saved = written;
      localStorage.removeItem(key);
      state.textContent = written ? words.saved : "";
    } catch {
      state.textContent = words.local;
    }
  };
  const later = () => {
    clearTimeout(timer);
    if (text.value !== saved) state.textContent = words.saving;
    timer = setTimeout(save, PAUSE);
  };
  const forget = () => {
    clearTimeout(timer);
    text.value = saved = "";
    localStorage.removeItem(key);
    form.querySelector("[type=file]") && (form.querySelector("[type=file]").value = "");
    showFiles();
    state.textContent = "";
    grow();
  };
  const showFiles = () => {
    const files = [...(form.querySelector("[type=file]")?.files ?? [])];
    form.querySelector("[data-files]").textContent = files.map((file) => file.name).join(", ");
  };

  const kept = localStorage.getItem(key);
  if (kept && !text.value) {
    text.value = kept;
    state.textContent = words.local;
  }
  text.addEventListener("input", () => (grow(), later()));
  form.addEventListener("change", (event) => {
    if (event.target.name === "kind") (show(), later());
    if (event.target.type === "file") showFiles();
  });
  form.addEventListener("talk:sent", forget);
  window.addEventListener("pagehide", () => {
    if (text.value !== saved) localStorage.setItem(key, text.value);
  });
  show();
  grow();
}

for (const form of document.querySelectorAll("form.composer[data-draft]")) start(form);

export function toEnd() {
  for (const flow of document.querySelectorAll(".talk-flow")) flow.scrollTop = flow.scrollHeight;
}

toEnd();
