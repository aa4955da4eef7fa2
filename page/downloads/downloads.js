// The menu of downloads. Gradio runs this as the body of a function with `element`, `props`, `trigger` and `watch`. The value
// is described in page/keeping.py.
// @ts-check

/** @typedef {{ url: string, orig_name: string }} Stored */
/** @typedef {{ kind: string, label: string, name: string }} Choice */
/** @typedef {{ token: string, rows: { label: string, choices: Choice[] }[], files: Record<string, Stored> }} Offer */

const GIVEN_UP = 300; // seconds after which nobody waits for a file

class Downloads {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    /** @type {Offer | null} */
    this.offer = null;
    /** What was asked for, and when. @type {Map<string, number>} */
    this.wanted = new Map();
    this.button = document.createElement("button");
    Object.assign(this.button, { type: "button", className: "open", textContent: t("Download") });
    this.button.setAttribute("aria-expanded", "false");
    this.menu = document.createElement("div");
    this.menu.className = "menu";
    this.menu.hidden = true;
    this.told = document.createElement("p");
    this.told.className = "told";
    this.told.setAttribute("role", "status");
    section.append(this.button, this.menu);
    // What stands beside it leaves room for it.
    const leaveRoom = () => document.documentElement.style.setProperty("--download", `${this.button.offsetWidth + 8}px`);
    new ResizeObserver(leaveRoom).observe(this.button);
    this.button.onclick = () => this.open(this.menu.hidden);
    section.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.menu.hidden) return;
      this.open(false);
      this.button.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !section.contains(event.target)) this.open(false);
    });
  }

  /** @param {Offer | null} offer */
  show(offer) {
    this.section.hidden = !offer?.token;
    if (!offer?.token) return this.open(false);
    const isNew = offer.token !== this.offer?.token;
    this.offer = offer;
    if (isNew) this.wanted.clear(), this.say("");
    if (isNew && !this.menu.hidden) trigger("expand");
    for (const kind of [...this.wanted.keys()]) if (offer.files[kind]) this.arrived(kind);
    this.draw();
  }

  /** @param {boolean} opens */
  open(opens) {
    if (opens === !this.menu.hidden) return;
    this.menu.hidden = !opens;
    this.button.setAttribute("aria-expanded", String(opens));
    if (opens) trigger("expand"), this.menu.scrollIntoView({ block: "nearest" });
    else if (!this.wanted.size) this.say("");
  }

  draw() {
    const focused = /** @type {HTMLElement | null} */ (this.menu.querySelector(":focus"))?.dataset.kind;
    const rows = (this.offer?.rows ?? []).map(({ label, choices }) => {
      const row = document.createElement("div");
      row.className = "row";
      row.setAttribute("role", "group");
      row.setAttribute("aria-label", label);
      const name = document.createElement("span");
      name.textContent = label;
      name.setAttribute("aria-hidden", "true");
      const all = document.createElement("div");
      all.append(...choices.map((choice) => this.choice(choice)));
      row.append(name, all);
      return row;
    });
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = matchMedia("(pointer: fine)").matches ? t("MIDI can be dragged from here into another program.") : "";
    this.menu.replaceChildren(...rows, hint, this.told);
    if (focused) /** @type {HTMLElement | null} */ (this.menu.querySelector(`[data-kind="${focused}"]`))?.focus();
  }

  /** @param {Choice} choice What is ready is a link, which can be dragged; else a button that asks for it. */
  choice({ kind, label, name }) {
    const file = this.offer?.files[kind];
    if (!file) {
      const button = document.createElement("button");
      button.type = "button";
      button.onclick = () => this.ask(kind, name);
      if (this.wanted.has(kind)) button.setAttribute("aria-busy", "true");
      return this.named(button, kind, label, name);
    }
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.draggable = true;
    link.ondragstart = (event) => {
      const address = new URL(file.url, location.href).href, type = kind.startsWith("midi") ? "audio/midi" : "application/octet-stream";
      event.dataTransfer?.setData("DownloadURL", `${type}:${file.orig_name}:${address}`);
      event.dataTransfer?.setData("text/uri-list", address);
    };
    return this.named(link, kind, label, name);
  }

  /**
   * @template {HTMLElement} E
   * @param {E} element
   * @param {string} kind
   * @param {string} label
   * @param {string} name
   */
  named(element, kind, label, name) {
    element.textContent = label;
    element.dataset.kind = kind;
    element.setAttribute("aria-label", name);
    return element;
  }

  /**
   * @param {string} kind
   * @param {string} name
   */
  ask(kind, name) {
    if (this.wanted.has(kind)) return;
    this.wanted.set(kind, performance.now());
    this.draw();
    this.name = name;
    trigger("select", { kind });
    clearInterval(this.clock);
    this.clock = setInterval(() => this.tick(), 1000);
    this.tick();
  }

  /** Says how long it takes. */
  tick() {
    const begun = Math.min(...this.wanted.values()), gone = Math.round((performance.now() - begun) / 1000);
    if (!this.wanted.size || gone > GIVEN_UP) return this.idle();
    const word = this.told.querySelector(".seconds");
    if (!word) {
      const seconds = document.createElement("span");
      seconds.className = "seconds";
      seconds.setAttribute("aria-hidden", "true"); // no screen reader shall read every second
      this.told.replaceChildren(t("Making it: {name}", { name: this.name ?? "" }), " ", seconds);
    }
    /** @type {HTMLElement} */ (this.told.querySelector(".seconds")).textContent = `${gone} s`;
  }

  /** @param {string} kind */
  arrived(kind) {
    this.wanted.delete(kind);
    const file = /** @type {Offer} */ (this.offer).files[kind], link = document.createElement("a");
    Object.assign(link, { href: file.url, download: file.orig_name });
    document.body.append(link); // Firefox follows no other
    link.click();
    link.remove();
    if (!this.wanted.size) clearInterval(this.clock);
    this.say(t("Downloaded: {name}", { name: file.orig_name }));
  }

  /** What was asked for will not come. */
  idle() {
    clearInterval(this.clock);
    if (!this.wanted.size) return;
    this.wanted.clear();
    this.say(t("It could not be made."));
    this.draw();
  }

  /** @param {string} words */
  say(words) {
    this.told.textContent = words;
  }
}

const downloads = new Downloads(/** @type {HTMLElement} */ (element.querySelector(".downloads")));
/** @type {any} */ (window).accompDownloads = downloads; // for the events of app.py that run in the browser
watch("value", () => downloads.show(props.value));
downloads.show(props.value);
