// The list of takes. The second part of what __init__.py joins to one script. The value is described in page/listing.py.
// @ts-check

/** @typedef {{ number: number, title: string, detail: string, starred: boolean }} Row */
/** @typedef {{ takes: Row[], shown: number | null, earlier: boolean, later: boolean, gone: string }} Value */

const ICONS = {
  undo: "M6 3 2 7l4 4V8.5h4a2.5 2.5 0 0 1 0 5H6V15h4a4 4 0 0 0 0-8H6z",
  redo: "m10 3 4 4-4 4V8.5H6a2.5 2.5 0 0 0 0 5h4V15H6a4 4 0 0 1 0-8h4z",
  link: "M6.5 9.5 9.5 6.5M7 4.5 8.6 2.9a3 3 0 0 1 4.4 4.3L11.4 8.8M9 11.5 7.4 13.1A3 3 0 0 1 3 8.8l1.6-1.6",
  star: "m8 1.8 1.9 4 4.3.5-3.2 3 .9 4.4L8 11.5l-3.9 2.2.9-4.4-3.2-3 4.3-.5z",
  edit: "M10.8 2.6 13.4 5.2 5.6 13H3v-2.6z",
  bin: "M3 4.5h10M6 4.5V3h4v1.5M4.3 4.5 5 13.5h6l.7-9",
};

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @param {keyof typeof ICONS} icon
 * @param {string} label
 * @param {() => void} action
 */
function iconButton(icon, label, action) {
  const button = make("button", { type: "button", class: `icon ${icon}`, "aria-label": label, title: label });
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  button.onclick = action;
  return /** @type {HTMLButtonElement} */ (button);
}

/** The list, and the buttons above it. */
class Takes {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    /** @type {Value} */
    this.value = { takes: [], shown: null, earlier: false, later: false, gone: "" };
    this.head = make("div", { class: "head" });
    this.rows = make("ol", {});
    this.told = make("p", { class: "told", role: "status" });
    section.replaceChildren(this.head, this.told, this.rows);
  }

  /** @param {Value | null} value */
  show(value) {
    if (!value?.takes) return;
    this.value = value;
    this.section.hidden = !value.takes.length && !value.gone;
    stage.setTakes(value.takes.length);
    this.head.replaceChildren(...this.buttons());
    this.rows.replaceChildren(...value.takes.map((row) => this.row(row)));
    const shown = this.rows.querySelector("[aria-current]")?.closest("li");
    if (shown) this.rows.scrollLeft = shown.offsetLeft - this.rows.offsetLeft - 16;
  }

  buttons() {
    const undo = iconButton("undo", t("Undo"), () => trigger("undo"));
    const redo = iconButton("redo", t("Redo"), () => trigger("retry"));
    undo.disabled = !this.value.earlier;
    redo.disabled = !this.value.later;
    const copy = make("button", { type: "button", class: "copy" }, t("Copy link"));
    copy.onclick = () => this.copy();
    const found = [make("h2", {}, t("Takes")), undo, redo, copy];
    if (this.value.gone) {
      const back = make("button", { type: "button", class: "back" }, t("Bring back"));
      back.title = this.value.gone;
      back.onclick = () => trigger("apply");
      found.push(make("span", { class: "gone" }, t("Deleted: {title}", { title: this.value.gone })), back);
    }
    return found;
  }

  /** @param {Row} row */
  row(row) {
    const isShown = row.number === this.value.shown;
    const choose = make("button", { type: "button", class: "choose", title: row.title });
    if (isShown) choose.setAttribute("aria-current", "true");
    choose.append(make("span", { class: "title" }, row.title), make("span", { class: "detail" }, row.detail));
    choose.onclick = () => trigger("select", { number: row.number });
    const star = iconButton("star", t("Star {title}", row), () => trigger("like", { number: row.number }));
    star.setAttribute("aria-pressed", String(row.starred));
    const item = make("li", isShown ? { class: "shown" } : {}, choose, star);
    if (isShown) {
      item.append(
        iconButton("edit", t("Rename {title}", row), () => this.rename(item, row)),
        iconButton("bin", t("Delete {title}", row), () => trigger("delete", { number: row.number })),
      );
    }
    return item;
  }

  /**
   * @param {HTMLElement} item
   * @param {Row} row
   */
  rename(item, row) {
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "text", maxlength: "80", "aria-label": t("Name of the take") }));
    box.value = row.title;
    let ended = false;
    /** @param {boolean} keep */
    const end = (keep) => {
      if (ended) return;
      ended = true;
      if (keep && box.value.trim() && box.value !== row.title) trigger("edit", { number: row.number, title: box.value });
      this.show(this.value);
    };
    box.onkeydown = (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
      event.stopPropagation();
    };
    box.onblur = () => end(true);
    item.firstElementChild?.replaceWith(box);
    box.focus();
    box.select();
  }

  async copy() {
    const address = new URL(location.href);
    address.searchParams.delete("__theme");
    try {
      await navigator.clipboard.writeText(address.href);
      this.say(t("The link is copied: it opens with this take."));
    } catch {
      this.say(t("Copying is not allowed here: copy the address of this page."));
    }
  }

  /** @param {string} words */
  say(words) {
    this.told.textContent = words;
    setTimeout(() => this.told.textContent === words && (this.told.textContent = ""), 5000);
  }
}

const list = new Takes(/** @type {HTMLElement} */ (element.querySelector(".takes")));
watch("value", () => list.show(props.value));
list.show(props.value);
