// The administrator's pages: findings lead to their element, files are named before they are sent, tabs switch in place.

function diagrams() {
  return [...document.querySelectorAll("process-diagram")];
}

document.addEventListener("click", (event) => {
  const pointer = event.target.closest("[data-element]");
  const drawings = diagrams();
  if (!pointer || !drawings.length) return;
  event.preventDefault();
  for (const drawing of drawings) drawing.show(pointer.dataset.element);
  drawings[0].scrollIntoView({ block: "nearest" });
});

document.addEventListener("diagram:pick", ({ detail }) => {
  for (const row of document.querySelectorAll("[data-row-element]")) {
    row.toggleAttribute("data-picked", row.dataset.rowElement === detail.id);
  }
  for (const block of document.querySelectorAll(".repair-more")) block.toggleAttribute("data-picked", pick(block, detail.id));
});

// A node of the drawing is chosen in every form that can be about it; says whether this block has one.
function pick(block, id) {
  const choices = [...block.querySelectorAll("select[data-picks] option")].filter((option) => option.dataset.pickedBy === id);
  for (const choice of choices) choice.selected = true;
  return choices.length > 0;
}

// "Change" beside a variable or a timer opens its form and fills it in.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fills]");
  if (!link) return;
  const { fills, value, fillsToo, valueToo } = link.dataset;
  const block = document.querySelector(link.getAttribute("href"));
  document.querySelector(fills).value = value;
  if (fillsToo) document.querySelector(fillsToo).value = valueToo;
  block.open = true;
  block.querySelector("textarea:last-of-type, input:last-of-type")?.focus();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-names-files]")) nameFiles(event.target);
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  if (event.target.matches("[data-shows-automatic]")) {
    document.querySelector(event.target.dataset.showsAutomatic)?.toggleAttribute("data-people-only", !event.target.checked);
  }
  if (event.target.matches("[data-checks-all]")) {
    for (const box of document.querySelectorAll(event.target.dataset.checksAll)) box.checked = event.target.checked;
  }
});

function nameFiles(input) {
  const list = document.getElementById(input.dataset.namesFiles);
  list.replaceChildren(
    ...Array.from(input.files, (file) => {
      const line = document.createElement("li");
      line.textContent = `${file.name} · ${Math.ceil(file.size / 1024)} KiB`;
      return line;
    }),
  );
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab][aria-controls]");
  if (tab) choose(tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab][aria-controls]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  choose(next);
  next.focus();
});

function choose(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}

// A link to a folded block opens it.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

addEventListener("hashchange", unfold);
unfold();
