// @ts-check
// The strip between the buttons and the roll, with what is edited: one panel at a time, and what an edit calls for.

import { make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./player.js").Player} Player */

/**
 * What is edited in one way.
 * @typedef {object} Panel
 * @property {HTMLElement} element
 * @property {() => void} [opened] after it has been put in
 * @property {() => void} [closed]
 */

const PATHS = {
  undo: "M6 3 2 7l4 4V8.5h4a2.5 2.5 0 0 1 0 5H6V15h4a4 4 0 0 0 0-8H6z",
  redo: "m10 3 4 4-4 4V8.5H6a2.5 2.5 0 0 0 0 5h4V15H6a4 4 0 0 1 0-8h4z",
  left: "M10.5 2.5 5 8l5.5 5.5 1.2-1.2L7.4 8l4.3-4.3z",
  right: "M5.5 2.5 11 8l-5.5 5.5-1.2-1.2L8.6 8 4.3 3.7z",
  up: "M8 3 3 9h3.5v4h3V9H13z",
  down: "m8 13 5-6H9.5V3h-3v4H3z",
  earlier: "M2 8l5-5v3.5h7v3H7V13z",
  later: "m14 8-5-5v3.5H2v3h7V13z",
  shorter: "M12 3h2v10h-2zM2 8l4.5-3.5V7h4v2h-4v2.5z",
  longer: "M2 3h2v10H2zm12 5L9.5 4.5V7h-4v2h4v2.5z",
  add: "M7 3h2v4h4v2H9v4H7V9H3V7h4z",
  bin: "M5.5 2h5v1.5H14V5H2V3.5h3.5zM3.5 6h9l-.7 8.5H4.2z",
  close: "M4.2 3 8 6.8 11.8 3 13 4.2 9.2 8l3.8 3.8-1.2 1.2L8 9.2 4.2 13 3 11.8 6.8 8 3 4.2z",
};

/**
 * A button with a picture.
 * @param {keyof typeof PATHS} icon
 * @param {string} label
 * @param {() => void} action
 */
export function iconButton(icon, label, action) {
  const button = make("button", { type: "button", class: `icon ${icon}`, "aria-label": label, title: label });
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${PATHS[icon]}"/></svg>`;
  button.onclick = action;
  return button;
}

/**
 * A button with words.
 * @param {string} words
 * @param {() => void} action
 * @param {string} [kind]
 */
export function wordButton(words, action, kind = "plain") {
  const button = make("button", { type: "button", class: kind }, words);
  button.onclick = action;
  return button;
}

export class Desk {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.element = player.find("desk");
    /** @type {Panel | null} */
    this.panel = null;
    this.place = make("div", { class: "panel", role: "group" });
    this.stale = make("div", { class: "stale", role: "status" });
    this.element.replaceChildren(this.place, this.stale);
  }

  /** @param {Panel} panel */
  open(panel) {
    if (this.panel !== panel) this.panel?.closed?.();
    this.panel = panel;
    this.place.replaceChildren(panel.element);
    this.fit();
    panel.opened?.();
  }

  /** @param {Panel | null} panel where it is the one that is open; null for any */
  close(panel = null) {
    if (!this.panel || (panel && panel !== this.panel)) return;
    const before = this.panel;
    this.panel = null;
    const hadFocus = this.place.contains(document.activeElement);
    this.place.replaceChildren();
    this.fit();
    before.closed?.();
    if (hadFocus) this.player.section.focus();
  }

  /** Says where the band is of the melody before an edit. */
  show() {
    const bars = this.player.song?.stale ?? [];
    this.stale.replaceChildren(...(bars.length ? this.offer(bars) : []));
    this.idle();
    this.fit();
  }

  /** @param {number[]} bars from 1 */
  offer(bars) {
    const first = /** @type {import("./types").Song} */ (this.player.song).first_bar - 1;
    const part = barsWords(bars.map((bar) => bar + first));
    const some = wordButton(t("Only {bars} anew", { bars: part }), () => this.renew(some, false), "main");
    const all = wordButton(t("The whole band anew"), () => this.renew(all, true));
    return [make("span", {}, t("The band still plays to the melody as it was.")), make("span", { class: "row" }, some, all)];
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {boolean} all
   */
  renew(button, all) {
    this.player.notes.send();
    this.busy(button);
    this.player.listener.renew({ all });
  }

  /** @param {HTMLButtonElement} button that was pressed, until `idle` */
  busy(button) {
    this.idle();
    button.setAttribute("aria-busy", "true");
  }

  idle() {
    for (const button of this.element.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }

  fit() {
    this.element.hidden = !this.panel && !this.stale.childElementCount;
    this.player.fitTools();
  }
}

/**
 * Bars as words, those that follow one another as one.
 * @param {number[]} bars
 */
export function barsWords(bars) {
  /** @type {[number, number][]} */
  const spans = [];
  for (const bar of bars) {
    const last = spans[spans.length - 1];
    if (last && last[1] === bar - 1) last[1] = bar;
    else spans.push([bar, bar]);
  }
  const words = spans.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
  return bars.length === 1 ? t("bar {bar}", { bar: words }) : t("bars {bars}", { bars: words });
}
