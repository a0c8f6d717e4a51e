// Menus made of <details>: one open at a time, closed by Esc and by a click elsewhere; the rail on a phone.
function closeOthers(kept) {
  for (const menu of document.querySelectorAll("details.drop[open]")) if (menu !== kept) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeOthers(event.target.closest("details.drop"));
  const toggle = event.target.closest("[data-toggle-rail]");
  const rail = document.getElementById("rail");
  if (!rail) return;
  const open = Boolean(toggle) && !rail.classList.contains("is-shown");
  if (toggle || !event.target.closest("#rail")) rail.classList.toggle("is-shown", open);
  document.querySelector("[data-toggle-rail]")?.setAttribute("aria-expanded", String(open));
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.drop[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
