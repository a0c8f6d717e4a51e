// <process-diagram src="…/diagram.json">: one BPMN drawing with the place, the path, the timers and the failures on it.
// Everything that came with a file or a ticket reaches the page as text, never as markup.

const MARKS = ["past", "token", "bad", "warn", "added", "removed", "changed", "sel"];
const COLOURS = { defaultFillColor: "var(--surface)", defaultStrokeColor: "var(--ink-2)", defaultLabelColor: "var(--ink)" };
const PLACES = {
  token: { bottom: 10, right: 12 },
  bad: { top: -12, right: 12 },
  warn: { top: -12, right: 12 },
  added: { top: -12, right: 12 },
  removed: { top: -12, right: 12 },
  changed: { top: -12, right: 12 },
  timer: { top: -24, left: -8 },
  here: { bottom: -4, left: 0 },
  past: { bottom: -4, left: 0 },
  visits: { bottom: 6, right: 10 },
  branch: { top: -4, left: 4 },
};

const READABLE = 0.55;
const COMFORTABLE = 0.75;
const EDGE = 28;

class ProcessDiagram extends HTMLElement {
  #viewer = null;
  #data = null;
  #resized = null;
  #selected = null;

  connectedCallback() {
    this.setAttribute("role", "group");
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      this.load();
    });
    seen.observe(this);
  }

  disconnectedCallback() {
    this.#resized?.disconnect();
    this.#viewer?.destroy();
    this.#viewer = null;
  }

  /** Fetches the drawing and draws it; a failure is said in the place of the drawing. */
  async load() {
    this.dataset.state = "loading";
    try {
      const [answer, { default: Viewer }] = await Promise.all([
        fetch(this.getAttribute("src"), { headers: { Accept: "application/json" } }),
        import("bpmn-js/lib/NavigatedViewer"),
      ]);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      this.#data = await answer.json();
      await this.#draw(Viewer);
      this.dataset.state = "ready";
      this.dispatchEvent(new CustomEvent("diagram:ready", { bubbles: true }));
    } catch (error) {
      this.#say(this.#data?.labels?.failed ?? this.dataset.failed ?? error.message);
    }
  }

  /** Brings one element into view and frames it; unknown ids are ignored. */
  show(id) {
    const element = this.#viewer?.get("elementRegistry").get(id);
    if (!element) return;
    const canvas = this.#viewer.get("canvas");
    if (this.#selected) canvas.removeMarker(this.#selected, "is-sel");
    this.#selected = id;
    canvas.addMarker(id, "is-sel");
    canvas.scrollToElement(element, 60);
  }

  zoom(step) {
    const canvas = this.#viewer?.get("canvas");
    if (!canvas) return;
    if (step) canvas.zoom(Math.min(3, Math.max(0.2, canvas.zoom() * step)));
    else this.#fit();
  }

  async #draw(Viewer) {
    this.replaceChildren();
    const sheet = document.createElement("div");
    sheet.className = "diagram-sheet";
    this.append(sheet);
    const font = getComputedStyle(document.body).fontFamily;
    this.#viewer = new Viewer({
      container: sheet,
      bpmnRenderer: COLOURS,
      textRenderer: { defaultStyle: { fontFamily: font, fontSize: 12 }, externalStyle: { fontSize: 11 } },
      zoomScroll: { enabled: !this.hasAttribute("compact") },
    });
    await this.#viewer.importXML(this.#data.xml);
    this.#describe(sheet);
    this.#mark();
    this.#place();
    if (!this.hasAttribute("compact")) this.append(this.#tools());
    this.#viewer.on("element.click", ({ element }) => {
      const id = element.labelTarget?.id ?? element.id;
      this.dispatchEvent(new CustomEvent("diagram:pick", { bubbles: true, detail: { id } }));
    });
    this.#resized = new ResizeObserver(() => this.#viewer && this.#place());
    this.#resized.observe(sheet);
  }

  #describe(sheet) {
    const drawing = sheet.querySelector(".djs-container > svg");
    drawing?.setAttribute("role", "img");
    drawing?.setAttribute("aria-label", this.#data.title);
  }

  #mark() {
    const canvas = this.#viewer.get("canvas");
    const known = this.#viewer.get("elementRegistry");
    for (const mark of MARKS) {
      for (const id of this.#data.marks[mark] ?? []) if (known.get(id)) canvas.addMarker(id, `is-${mark}`);
    }
    const overlays = this.#viewer.get("overlays");
    for (const badge of this.#data.badges) {
      if (!known.get(badge.element)) continue;
      overlays.add(badge.element, { position: PLACES[badge.kind] ?? PLACES.here, html: sticker(badge), scale: { min: 0.5, max: 1 } });
    }
  }

  /** Shows the whole drawing, or – where that would be too small to read – the part where the process stands. */
  #place() {
    if (this.#fit() >= READABLE) return;
    const known = this.#viewer.get("elementRegistry");
    const { marks } = this.#data;
    const wanted = ["bad", "token", "added", "removed", "changed", "warn"].flatMap((mark) => marks[mark] ?? []);
    const id = wanted.find((candidate) => known.get(candidate)?.width);
    const canvas = this.#viewer.get("canvas");
    const { inner, outer } = canvas.viewbox();
    const [width, height] = [outer.width / COMFORTABLE, outer.height / COMFORTABLE];
    const centre = id ? middle(known.get(id)) : { x: inner.x + width / 2 - EDGE, y: inner.y + inner.height / 2 };
    canvas.viewbox({
      x: within(centre.x - width / 2, inner.x, inner.width, width),
      y: within(centre.y - height / 2, inner.y, inner.height, height),
      width,
      height,
    });
  }

  #fit() {
    const canvas = this.#viewer.get("canvas");
    canvas.resized();
    const { inner, outer } = canvas.viewbox();
    if (!outer.width || !outer.height || !inner.width) return READABLE;
    const scale = Math.min((outer.width - 2 * EDGE) / inner.width, (outer.height - 2 * EDGE) / inner.height, 1.25);
    const width = outer.width / scale;
    const height = outer.height / scale;
    canvas.viewbox({ x: inner.x - (width - inner.width) / 2, y: inner.y - (height - inner.height) / 2, width, height });
    return scale;
  }

  #tools() {
    const bar = document.createElement("div");
    bar.className = "diagram-tools";
    const labels = this.#data.labels;
    for (const [sign, step, label] of [["−", 1 / 1.25, labels.zoom_out], ["+", 1.25, labels.zoom_in], ["⤢", 0, labels.fit]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-square";
      button.textContent = sign;
      button.setAttribute("aria-label", label);
      button.title = label;
      button.addEventListener("click", () => this.zoom(step));
      bar.append(button);
    }
    return bar;
  }

  #say(text) {
    this.dataset.state = "failed";
    const note = document.createElement("p");
    note.className = "diagram-note";
    note.textContent = text;
    this.replaceChildren(note);
  }
}

function middle({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}

function within(start, from, length, window) {
  const slack = 2 * EDGE;
  if (window >= length + 2 * slack) return from - (window - length) / 2;
  return Math.max(from - slack, Math.min(start, from + length + slack - window));
}

function sticker({ kind, text, title }) {
  const mark = document.createElement("span");
  mark.className = `sticker sticker-${kind}`;
  mark.textContent = text;
  if (title) mark.title = title;
  return mark;
}

customElements.define("process-diagram", ProcessDiagram);
