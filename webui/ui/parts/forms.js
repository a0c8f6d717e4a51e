// Forms of a process: quick times, priority of the chosen type, long lists with a filter, one submission at a time.
import { now, two, words } from "./words.js";

const LONG_LIST = 8;

function localValue(date) {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

// The fields hold times of the reader's own zone, which may differ from the browser's.
function inZone(zone, instant) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(instant);
  const part = (type) => Number(parts.find((piece) => piece.type === type).value);
  return new Date(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
}

function quick(button) {
  const local = inZone(button.dataset.zone, now());
  if (button.dataset.quick === "tomorrow") {
    local.setDate(local.getDate() + 1);
    local.setHours(9, 0);
  } else {
    local.setMinutes(local.getMinutes() + Number(button.dataset.quick));
  }
  const field = document.getElementById(button.dataset.for);
  field.value = localValue(local);
  field.dispatchEvent(new Event("change", { bubbles: true }));
  for (const other of button.parentElement.querySelectorAll("[data-quick]")) other.setAttribute("aria-pressed", String(other === button));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-quick]");
  if (button) quick(button);
});

document.addEventListener("change", (event) => {
  const chosen = event.target.matches("select") ? event.target.selectedOptions[0] : event.target;
  const shown = event.target.closest("form")?.querySelector("[data-priority-of-type]");
  if (!shown || event.target.name !== shown.dataset.priorityOfType) return;
  for (const mark of shown.querySelectorAll("[data-priority]")) mark.hidden = mark.dataset.priority !== chosen?.dataset.priority;
  shown.hidden = !chosen?.dataset.priority;
});

// What was wrong is being mended: the message has done its duty.
document.addEventListener("change", (event) => {
  const field = event.target.closest(".field");
  field?.querySelector(".field-error")?.remove();
  const body = event.target.closest(".over-body");
  if (body && !body.querySelector(".field .field-error")) body.querySelector(":scope > .field-error")?.remove();
  for (const wrong of field?.querySelectorAll("[aria-invalid]") ?? []) wrong.removeAttribute("aria-invalid");
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const confirmText = event.target.dataset.confirm ?? event.submitter?.dataset.confirm;
  if (confirmText && !window.confirm(confirmText)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// A select with many choices gets a field that filters them; the select itself stays the truth.
function combo(select) {
  select.dataset.combo = "done";
  const field = document.createElement("input");
  const list = document.createElement("ul");
  const id = `${select.id}-filter`;
  Object.assign(field, { id, type: "text", className: "form-control", autocomplete: "off", value: chosenText(select) });
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", `${id}-list`);
  field.placeholder = select.options[0]?.value ? "" : select.options[0]?.text ?? "";
  if (select.getAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
  Object.assign(list, { id: `${id}-list`, className: "tree combo-list", hidden: true });
  list.setAttribute("role", "listbox");
  document.querySelector(`label[for="${select.id}"]`)?.setAttribute("for", id);
  // the mark sits on the wrapper: htmx gives an element with an id its former attributes back
  select.closest(".combo")?.classList.add("is-filtered");
  select.after(field, list);
  let at = 0;

  const matches = () => {
    const wanted = field.value.trim().toLowerCase().replaceAll("ё", "е");
    return [...select.options].filter((o) => o.value && o.text.toLowerCase().replaceAll("ё", "е").includes(wanted));
  };
  const draw = (options) => {
    at = Math.max(0, Math.min(at, options.length - 1));
    list.replaceChildren(...options.slice(0, 100).map((option, i) => {
      const row = document.createElement("li");
      row.id = `${id}-${i}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(i === at));
      row.className = option.dataset.level === "2" ? "lvl-2" : "";
      row.textContent = option.text;
      row.addEventListener("mousedown", (event) => (event.preventDefault(), choose(option)));
      return row;
    }));
    if (!options.length) list.append(Object.assign(document.createElement("li"), { className: "muted", textContent: words.nothing }));
    field.setAttribute("aria-activedescendant", options.length ? `${id}-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const show = (all) => {
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    draw(all ? [...select.options].filter((o) => o.value) : matches());
  };
  const hide = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  };
  const choose = (option) => {
    select.value = option?.value ?? "";
    field.value = chosenText(select);
    hide();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  field.addEventListener("focus", () => field.select());
  field.addEventListener("click", () => show(true));
  field.addEventListener("input", () => (at = 0, show(false)));
  field.addEventListener("blur", () => {
    const wanted = field.value.trim().toLowerCase();
    const exact = [...select.options].find((o) => o.text.trim().toLowerCase() === wanted);
    if (!list.hidden || field.value !== chosenText(select)) choose(exact ?? (wanted ? matches()[0] : select.options[0]));
  });
  field.addEventListener("keydown", (event) => {
    const options = list.hidden ? [] : field.value === chosenText(select) ? [...select.options].filter((o) => o.value) : matches();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return show(true);
      at += event.key === "ArrowDown" ? 1 : -1;
      draw(options);
    } else if (event.key === "Enter" && !list.hidden && !event.ctrlKey) {
      event.preventDefault();
      choose(options[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      field.value = chosenText(select);
      hide();
    }
  });
}

const chosenText = (select) => (select.value ? select.selectedOptions[0]?.text.trim() ?? "" : "");

function enhance(root) {
  for (const select of root.querySelectorAll?.("select[data-combo='']") ?? []) {
    if (select.options.length > LONG_LIST) combo(select);
  }
}

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) enhance(node);
}).observe(document.body, { childList: true, subtree: true });
enhance(document.body);
