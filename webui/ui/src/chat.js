// The client's chat: sends without leaving the page and shows answers as they come; without it the page still works.
const page = document.body.dataset.chat;
const form = document.querySelector(".chat-form");
const text = form.querySelector("textarea");
const offline = document.getElementById("offline");
const KEY = `chat:${location.pathname}`;

const toEnd = () => {
  const flow = document.getElementById("talk");
  flow.scrollTop = flow.scrollHeight;
};

function take(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  document.getElementById("talk").replaceWith(document.importNode(fresh.getElementById("talk"), true));
  toEnd();
}

async function refresh() {
  const answer = await fetch(page).catch(() => null);
  if (answer?.ok) take(await answer.text());
}

async function send(event) {
  if (!page) return localStorage.removeItem(KEY);
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  offline.hidden = Boolean(answer);
  if (!answer) return;
  if (!answer.ok) return location.reload();
  take(await answer.text());
  form.reset();
  localStorage.removeItem(KEY);
  showFiles();
}

function showFiles() {
  const files = [...form.querySelector("[type=file]").files];
  document.getElementById("files").textContent = files.map((file) => file.name).join(", ");
}

if (!text.value) text.value = localStorage.getItem(KEY) ?? "";
text.addEventListener("input", () => localStorage.setItem(KEY, text.value));
form.addEventListener("submit", send);
form.addEventListener("change", showFiles);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

if (page) {
  let last = Number(document.body.dataset.liveFrom);
  const stream = new EventSource(`${page}/live?from=${last}`);
  stream.onmessage = (event) => {
    last = JSON.parse(event.data).id;
    refresh();
  };
  stream.onopen = () => (offline.hidden = true);
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setInterval(refresh, 5000);
  };
  window.addEventListener("offline", () => (offline.hidden = false));
  window.addEventListener("pagehide", () => stream.close());
}
toEnd();
