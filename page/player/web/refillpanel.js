// @ts-check
// Has some bars of one player played anew.

import { iconButton, wordButton } from "./desk.js";
import { clamp, make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./player.js").Player} Player */

const USUAL = 50; // per cent of the sliders, where the models play as they would

export class RefillPanel {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.name = "";
    /** @type {[number, number]} */
    this.bars = [0, 0];
    this.title = make("strong", {});
    this.busy = this.slider(t("How busy"), t("sparser"), t("busier"));
    this.high = this.slider(t("How high"), t("lower"), t("higher"));
    this.go = wordButton("", () => this.send(), "main");
    this.numbers = [make("b", {}), make("b", {})];
    const [from, to] = this.numbers.map((number, end) => make("span", { class: "row near" },
      this.stepper(/** @type {0 | 1} */ (end), -1), number, this.stepper(/** @type {0 | 1} */ (end), 1)));
    this.element = make("div", { class: "refill", role: "group", "aria-label": t("Play bars anew") },
      make("div", { class: "row" }, this.title, make("span", { class: "row" }, t("from bar"), from, t("to"), to),
        this.busy.element, this.high.element, this.go, make("i", { class: "gap" }), iconButton("close", t("Close"), () => player.desk.close(this))),
      make("p", { class: "how" }, t("All others stay as they are, and this player listens to them.")));
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), player.desk.close(this)));
  }

  /**
   * @param {string} label
   * @param {string} low
   * @param {string} high
   */
  slider(label, low, high) {
    const input = make("input", { type: "range", min: 0, max: 100, step: 5, value: USUAL, "aria-label": label });
    let isSet = false;
    input.oninput = () => (isSet = true);
    input.ondblclick = () => {
      isSet = false;
      input.value = String(USUAL);
    };
    const element = make("label", { class: "slide" }, make("span", {}, low), input, make("span", {}, high));
    return { element, get value() { return isSet ? Number(input.value) / 100 : null; } };
  }

  /**
   * @param {0 | 1} end
   * @param {-1 | 1} step
   */
  stepper(end, step) {
    const labels = [[t("Begin a bar earlier"), t("Begin a bar later")], [t("End a bar earlier"), t("End a bar later")]];
    return iconButton(step < 0 ? "left" : "right", labels[end][step < 0 ? 0 : 1], () => {
      const bars = /** @type {[number, number]} */ ([...this.bars]), last = this.player.roll.bars.length - 2;
      bars[end] = clamp(bars[end] + step, end ? bars[0] : 0, end ? last : bars[1]);
      this.mark(bars);
    });
  }

  /**
   * @param {string} name of the track
   * @param {[number, number]} bars
   */
  open(name, bars) {
    this.name = name;
    this.mark(bars);
    this.player.desk.open(this);
    this.high.element.hidden = !!this.track?.is_drum;
  }

  /** For a track, in the bars that are selected, else in the one where the song stands.
   * @param {string} name
   */
  openHere(name) {
    const bar = this.player.roll.barAt(this.player.position);
    this.open(name, this.player.selection ?? [bar, bar]);
    this.go.focus({ preventScroll: true });
  }

  get track() {
    return this.player.song?.tracks.find((track) => track.name === this.name);
  }

  /** @param {[number, number]} bars */
  mark(bars) {
    this.bars = bars;
    const { roll } = this.player;
    this.numbers.forEach((number, end) => (number.textContent = String(bars[end] + roll.firstBar)));
    this.title.textContent = t(this.track?.label ?? this.name);
    this.go.textContent = t("Play it anew here");
    roll.picked = { name: this.name, bars };
    this.player.draw();
  }

  closed() {
    this.player.roll.picked = null;
    this.player.draw();
  }

  /** A song was shown. */
  take() {
    if (this.player.desk.panel !== this) return;
    const last = this.player.roll.bars.length - 2;
    if (!this.track) return this.player.desk.close(this);
    this.mark([Math.min(this.bars[0], last), Math.min(this.bars[1], last)]);
  }

  send() {
    this.player.desk.busy(this.go);
    const [first, last] = this.bars;
    this.player.listener.refill({ track: this.name, bars: [first + 1, last + 1], busy: this.busy.value, high: this.high.value });
  }
}
