// The one drawer or dialog over the page: opened by a link with hx-target="#overlay", closed by Esc or the scrim.
const overlay = document.getElementById("overlay");
const desk = document.querySelector(".desk");
let opener = null;

function opened() {
  const dialog = overlay.querySelector("[role=dialog]");
  if (!dialog) return;
  if (!desk.inert) opener = document.activeElement;
  desk.inert = true;
  const wrong = dialog.querySelector("[aria-invalid=true]");
  const field = wrong ?? dialog.querySelector("[autofocus], .over-body input:not([type=hidden]), .over-body select, .over-body textarea");
  (field ?? dialog.querySelector("button"))?.focus();
}

export function close() {
  if (!overlay.firstElementChild) return;
  overlay.replaceChildren();
  desk.inert = false;
  if (opener?.isConnected) opener.focus();
}

new MutationObserver(() => (overlay.firstElementChild ? opened() : close())).observe(overlay, { childList: true });

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    close();
  }
  event.target.closest("[data-dismiss]")?.closest(".alert-line, .notice")?.remove();
  if (event.target.closest("[data-shortcuts]")) {
    overlay.replaceChildren(document.getElementById("shortcut-sheet").content.cloneNode(true));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && overlay.firstElementChild) close();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form");
    if (form && (overlay.contains(form) || form.matches(".composer"))) {
      event.preventDefault();
      form.requestSubmit();
    }
  }
});
