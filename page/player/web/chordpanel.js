// @ts-check
// Changes a chord: for a bar, a half of one, or the bars that are selected.

import { barsWords, iconButton, wordButton } from "./desk.js";
import { transposed } from "./chords.js";
import { clamp, make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./player.js").Player} Player */
/** @typedef {[number, number]} Range first and last place */

const WAIT = 150; // ms after a key until what is typed is read

export class ChordPanel {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.at = 0; // the place that was pressed
    /** @type {Range} */
    this.range = [0, 0];
    this.asked = 0;
    /** @type {number[]} */
    this.returns = [];
    this.title = make("strong", {});
    this.parts = make("div", { class: "views parts", role: "group", "aria-label": t("How much of the music") });
    this.box = make("input", { type: "text", class: "symbol", maxlength: 24, autocomplete: "off", autocapitalize: "characters", spellcheck: false, "aria-label": t("Chord") });
    this.use = wordButton(t("Use"), () => this.submit(), "main");
    this.read = make("span", { class: "told", role: "status", "aria-live": "polite" });
    this.chips = make("div", { class: "row chips", role: "group", "aria-label": t("Chords that fit here") });
    this.hold = wordButton(t("Hold the chord before"), () => this.set(this.symbolAt(this.range[0] - 1), this.hold));
    this.everywhere = wordButton("", () => this.spread());
    this.box.oninput = () => this.typed();
    this.box.onkeydown = (event) => this.key(event);
    const walk = [
      iconButton("left", t("The chord before"), () => this.walk(-1)),
      iconButton("right", t("The next chord"), () => this.walk(1)),
    ];
    this.element = make("div", { class: "chords", role: "group", "aria-label": t("Change a chord") },
      make("div", { class: "row" }, walk[0], this.title, walk[1], this.parts, this.box, this.use, this.read,
        make("i", { class: "gap" }), iconButton("close", t("Close"), () => player.desk.close(this))),
      make("div", { class: "row" }, this.chips, this.hold, this.everywhere));
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), player.desk.close(this)));
  }

  get song() {
    return /** @type {import("./types").Song} */ (this.player.song);
  }

  get count() {
    return this.song.places.length - 1;
  }

  /** @param {number} place */
  open(place) {
    const { selection, roll } = this.player, bar = this.barOf(place);
    this.at = clamp(place, 0, this.count - 1);
    this.range = selection && bar >= selection[0] && bar <= selection[1] ? this.inBars(selection[0], selection[1]) : this.whole(this.at);
    this.player.desk.open(this);
    this.refresh();
    this.box.focus({ preventScroll: true });
    this.box.select();
    roll.scroll.scrollTop = 0;
  }

  /** The chord where the song stands. */
  openHere() {
    this.open(this.placeAt(this.player.position));
  }

  /** @param {number} time */
  placeAt(time) {
    const { places } = this.song;
    let place = 0;
    while (place < this.count - 1 && places[place + 1] <= time + 1e-3) place++;
    return place;
  }

  closed() {
    this.player.roll.place = null;
    this.player.draw();
  }

  /** A song was shown. */
  take() {
    if (this.player.desk.panel !== this) return;
    if (!this.song?.places.length) return this.player.desk.close(this);
    const last = this.count - 1;
    this.range = [Math.min(this.range[0], last), Math.min(this.range[1], last)];
    this.at = clamp(this.at, ...this.range);
    this.refresh();
  }

  /** @param {number} place */
  barOf(place) {
    return this.player.roll.barAt(this.song.places[clamp(place, 0, this.count - 1)]);
  }

  /**
   * The places in some bars.
   * @param {number} first
   * @param {number} last
   * @returns {Range}
   */
  inBars(first, last) {
    const all = this.song.places.slice(0, -1).map((_, place) => place).filter((place) => this.barOf(place) >= first && this.barOf(place) <= last);
    return [all[0] ?? this.at, all[all.length - 1] ?? this.at];
  }

  /**
   * The places of a bar that have the chord of one of them.
   * @param {number} place
   * @returns {Range}
   */
  whole(place) {
    let [from, to] = [place, place];
    const same = (/** @type {number} */ other) => this.barOf(other) === this.barOf(place) && this.symbolAt(other) === this.symbolAt(place);
    while (from > 0 && same(from - 1)) from--;
    while (to < this.count - 1 && same(to + 1)) to++;
    return [from, to];
  }

  /** The chord at a place as it is written in the song.
   * @param {number} place
   */
  symbolAt(place) {
    if (place < 0) return "";
    const at = this.song.places[place] + 1e-3;
    return [...this.song.chords].reverse().find(([onset]) => onset <= at)?.[1] ?? this.song.chords[0][1];
  }

  refresh() {
    const { roll, steps, song } = this.player, [from, to] = this.range, bar = this.barOf(this.at);
    const bars = this.inBars(bar, bar), { selection } = this.player;
    this.title.textContent = barsWords(range(this.barOf(from), this.barOf(to)).map((each) => each + roll.firstBar));
    /** @type {[string, Range][]} */
    const parts = [];
    if (bars[1] > bars[0]) {
      parts.push([t("whole bar"), bars]);
      range(bars[0], bars[1]).forEach((place, i) => parts.push([bars[1] - bars[0] === 1 ? [t("first half"), t("second half")][i] : t("part {number}", { number: i + 1 }), [place, place]]));
    }
    if (selection && selection[1] > selection[0]) {
      parts.push([barsWords(range(...selection).map((each) => each + roll.firstBar)), this.inBars(...selection)]);
    }
    const hadFocus = this.element.contains(document.activeElement);
    this.parts.replaceChildren(...parts.map(([words, part]) => this.part(words, part)));
    this.parts.hidden = parts.length < 2;
    this.box.value = transposed(this.symbolAt(from), steps, roll.key);
    this.say("");
    this.hold.hidden = from === 0 || this.symbolAt(from - 1) === this.symbolAt(from);
    this.chips.replaceChildren();
    this.everywhere.hidden = true;
    // The button that was pressed may be gone, but the keyboard stays here.
    if (hadFocus && (!this.element.contains(document.activeElement) || document.activeElement?.matches("[hidden]"))) this.box.focus({ preventScroll: true });
    roll.place = song && [song.places[from], song.places[to + 1]];
    this.player.bring(song?.places[from] ?? 0);
    this.player.draw();
    this.asked = Date.now();
    this.player.listener.offer({ place: this.at, asked: this.asked });
  }

  /**
   * @param {string} words
   * @param {Range} part
   */
  part(words, part) {
    const button = wordButton(words, () => {
      this.range = part;
      this.at = part[0];
      this.refresh();
    });
    button.setAttribute("aria-pressed", String(part[0] === this.range[0] && part[1] === this.range[1]));
    return button;
  }

  /** @param {{asked: number, alternatives: [string, number][], returns: number[]}} offer of the server */
  offer({ asked, alternatives, returns }) {
    if (asked !== this.asked || this.player.desk.panel !== this) return;
    const now = this.symbolAt(this.at);
    this.chips.replaceChildren(make("span", { class: "how" }, t("Fits here:")), ...alternatives.filter(([symbol]) => symbol !== now).map(([symbol, share]) => this.chip(symbol, share)));
    this.returns = returns;
    const other = this.elsewhere.filter(([place, symbol]) => this.symbolAt(place) !== symbol);
    const bars = [...new Set(other.map(([place]) => this.barOf(place) + this.player.roll.firstBar))].sort((a, b) => a - b);
    this.everywhere.hidden = !bars.length;
    this.everywhere.textContent = t("Also where the melody returns ({bars})", { bars: barsWords(bars) });
  }

  /** Where the melody returns, the chords of here. @returns {[number, string][]} */
  get elsewhere() {
    const here = range(...this.range), places = this.returns.map((place) => here.map((each) => [place + each - this.at, this.symbolAt(each)]));
    return /** @type {[number, string][]} */ (places.flat().filter(([place]) => Number(place) >= 0 && Number(place) < this.count && !here.includes(Number(place))));
  }

  /**
   * @param {string} symbol
   * @param {number} share
   */
  chip(symbol, share) {
    const name = transposed(symbol, this.player.steps, this.player.roll.key), button = wordButton(name, () => this.set(symbol, button), "chip");
    if (share) button.append(make("small", {}, `${share} %`));
    button.title = t("How well it fits to the melody and the chords around it");
    return button;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Enter") this.submit();
    if (event.key !== "Escape") event.stopPropagation();
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.check(), WAIT);
  }

  /** Reads what is typed, and says so where it is no chord. @returns {Promise<string>} the symbol as the song has it */
  async check() {
    const text = this.box.value.trim();
    if (!text) return this.say(t("Type a chord, such as C, F#m7, Bbmaj7, G7 or C/E.")), "";
    const symbol = await this.player.listener.read(text);
    if (text !== this.box.value.trim()) return "";
    this.box.setAttribute("aria-invalid", String(!symbol));
    if (!symbol) this.say(t("“{text}” is no chord that I know. Type one such as C, F#m7, Bbmaj7, G7 or C/E.", { text }));
    else this.say(symbol === text ? "" : t("read as {symbol}", { symbol }));
    return symbol && transposed(symbol, -this.player.steps, this.song.finish.key);
  }

  async submit() {
    const symbol = await this.check();
    if (symbol) this.set(symbol, this.use);
    else this.box.focus();
  }

  /**
   * @param {string} symbol as the song has it
   * @param {HTMLButtonElement} button
   */
  set(symbol, button) {
    const changes = range(...this.range).map((place) => [place, symbol]);
    if (changes.every(([place]) => this.symbolAt(Number(place)) === symbol)) return this.say(t("This chord is there already."));
    this.player.desk.busy(button);
    this.player.listener.chords({ changes });
  }

  spread() {
    this.player.desk.busy(this.everywhere);
    this.player.listener.chords({ changes: this.elsewhere });
  }

  /** @param {-1 | 1} step */
  walk(step) {
    const [from, to] = this.range, next = step < 0 ? from - 1 : to + 1;
    if (next < 0 || next >= this.count) return;
    this.at = next;
    this.range = this.whole(next);
    this.refresh();
    this.box.select();
  }

  /** @param {string} words */
  say(words) {
    this.read.textContent = words;
    if (!words) this.box.removeAttribute("aria-invalid");
  }
}

/**
 * Whole numbers from one up to another.
 * @param {number} from
 * @param {number} to
 */
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
