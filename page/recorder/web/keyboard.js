// @ts-check
// A keyboard: drawn, played with fingers, with the computer's keys as in music programs, or with a MIDI keyboard. It tells what
// is struck and let go; it does not sound by itself.

import { make } from "./dom.js";
import { t } from "./words.js";

/** Velocity is 0 where a key is let go; `when` counts as performance.now() does. @typedef {(pitch: number, velocity: number, when: number) => void} Told */

const BLACK = [1, 3, 6, 8, 10]; // of an octave
// Places on a keyboard whatever its letters are: the white keys in the row of A, the black ones above them.
const CODES = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
const LOWER = "KeyZ", HIGHER = "KeyX"; // an octave down and up
const SOFT = 90; // velocity of what has no touch of its own
const LOWEST = 36, HIGHEST = 84; // first key of the lowest and of the highest place
const WIDE = 44; // pixels that a white key shall have at least, for fingers

export class Keyboard {
  /**
   * @param {HTMLElement} place
   * @param {Told} tell
   */
  constructor(place, tell) {
    this.place = place;
    this.tell = tell;
    this.first = 60; // the C on the left
    this.count = 17; // keys
    /** What is held, and by what: a pointer, a key's place or a MIDI port. @type {Map<string, number>} */
    this.held = new Map();
    /** @type {Record<string, string>} */
    this.letters = {};
    this.keys = make("div", { class: "piano", role: "group", tabindex: 0, "aria-label": t("Keyboard: play with the keys A to L, Z and X change the octave") });
    this.lower = this.button("−", t("An octave lower"), -12);
    this.higher = this.button("+", t("An octave higher"), 12);
    this.range = make("span", { class: "range" });
    this.bar = make("div", { class: "row octaves" }, this.lower, this.range, this.higher);
    place.append(this.bar, this.keys);
    this.keys.onpointerdown = (event) => this.touch(event);
    this.keys.onpointermove = (event) => this.slide(event);
    for (const end of ["pointerup", "pointercancel"]) this.keys.addEventListener(end, (event) => this.release(`pointer ${/** @type {PointerEvent} */ (event).pointerId}`, event.timeStamp));
    this.keys.oncontextmenu = (event) => event.preventDefault();
    this.down = (/** @type {KeyboardEvent} */ event) => this.onKey(event);
    this.up = (/** @type {KeyboardEvent} */ event) => this.release(event.code, event.timeStamp);
    document.addEventListener("keydown", this.down);
    document.addEventListener("keyup", this.up);
    this.resizing = new ResizeObserver(() => this.layOut());
    this.resizing.observe(place);
    this.readLetters();
  }

  /**
   * @param {string} face
   * @param {string} label
   * @param {number} steps
   */
  button(face, label, steps) {
    const button = make("button", { type: "button", "aria-label": label, title: label }, face);
    button.onclick = () => this.move(steps);
    return button;
  }

  /** The letters on the visitor's keys, where the browser tells them. */
  async readLetters() {
    const german = navigator.language.startsWith("de");
    const layout = await /** @type {any} */ (navigator).keyboard?.getLayoutMap?.().catch(() => null);
    for (const code of [...CODES, LOWER, HIGHER]) {
      const usual = code === "Semicolon" ? (german ? "Ö" : ";") : german ? code.at(-1)?.replace(/[YZ]/, (z) => (z === "Y" ? "Z" : "Y")) : code.at(-1);
      this.letters[code] = (layout?.get(code) ?? usual ?? "").toUpperCase();
    }
    this.layOut();
  }

  get isSeen() {
    return this.place.isConnected && this.place.checkVisibility?.() !== false && this.place.clientWidth > 0;
  }

  /** Draws as many keys as fit. */
  layOut() {
    const width = this.place.clientWidth;
    if (!width) return;
    const whites = Math.max(8, Math.min(15, Math.floor(width / WIDE))); // a C at both ends of whole octaves
    this.count = whites >= 15 ? 25 : whites >= 10 ? 17 : 13;
    const keys = Array.from({ length: this.count }, (_, step) => this.key(this.first + step, step));
    this.keys.replaceChildren(...keys);
    this.keys.style.setProperty("--whites", String(keys.filter((key) => !key.classList.contains("black")).length));
    const name = (/** @type {number} */ pitch) => `C${pitch / 12 - 1}`;
    this.range.textContent = `${name(this.first)}–${name(this.first + 12 * Math.floor(this.count / 12))}`;
    this.lower.disabled = this.first <= LOWEST;
    this.higher.disabled = this.first >= HIGHEST;
    for (const pitch of this.held.values()) this.light(pitch, true);
  }

  /**
   * @param {number} pitch
   * @param {number} step
   */
  key(pitch, step) {
    const isBlack = BLACK.includes(pitch % 12), whites = [...Array(step).keys()].filter((each) => !BLACK.includes((this.first + each) % 12)).length;
    const key = make("div", { class: isBlack ? "key black" : "key", "data-pitch": pitch, style: `--at: ${whites}`, "aria-hidden": true });
    const letter = this.letters[CODES[step]];
    if (letter && matchMedia("(pointer: fine)").matches) key.append(make("span", {}, letter));
    return key;
  }

  /** @param {number} steps */
  move(steps) {
    this.first = Math.max(LOWEST, Math.min(HIGHEST, this.first + steps));
    this.layOut();
  }

  // -- what plays it --------------------------------------------------------------------------------------------------

  /** @param {PointerEvent} event */
  pitchAt({ clientX, clientY }) {
    const key = /** @type {HTMLElement | null} */ (document.elementFromPoint(clientX, clientY)?.closest("[data-pitch]"));
    return key && this.keys.contains(key) ? Number(key.dataset.pitch) : null;
  }

  /** @param {PointerEvent} event */
  touch(event) {
    const pitch = this.pitchAt(event);
    if (pitch === null) return;
    event.preventDefault();
    this.keys.focus({ preventScroll: true });
    this.keys.setPointerCapture(event.pointerId);
    this.strike(`pointer ${event.pointerId}`, pitch, SOFT, event.timeStamp);
  }

  /** @param {PointerEvent} event A finger that slides plays what it comes to. */
  slide(event) {
    const by = `pointer ${event.pointerId}`, pitch = this.held.has(by) ? this.pitchAt(event) : null;
    if (pitch === null || pitch === this.held.get(by)) return;
    this.release(by, event.timeStamp);
    this.strike(by, pitch, SOFT, event.timeStamp);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = event.target instanceof Element ? event.target : null, isTyped = target?.closest("input, select, textarea, [contenteditable]");
    if (event.repeat && this.held.has(event.code)) return event.preventDefault();
    if (!this.isSeen || isTyped || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const step = CODES.indexOf(event.code);
    if (event.code === LOWER || event.code === HIGHER) this.move(event.code === LOWER ? -12 : 12);
    else if (step >= 0) this.strike(event.code, this.first + step, SOFT, event.timeStamp);
    else return;
    event.preventDefault();
  }

  /**
   * A message of a MIDI keyboard.
   * @param {{data: Uint8Array | null, timeStamp: number}} message
   */
  onMidi({ data, timeStamp }) {
    if (!data || !this.isSeen) return;
    const [status, pitch, velocity] = data, kind = status & 0xf0;
    if (kind === 0x90 && velocity > 0) this.strike(`midi ${pitch}`, pitch, velocity, timeStamp);
    else if (kind === 0x80 || kind === 0x90) this.release(`midi ${pitch}`, timeStamp);
  }

  /**
   * @param {string} by
   * @param {number} pitch
   * @param {number} velocity
   * @param {number} when
   */
  strike(by, pitch, velocity, when) {
    this.release(by, when);
    this.held.set(by, pitch);
    this.light(pitch, true);
    this.tell(pitch, velocity, when);
  }

  /**
   * @param {string} by
   * @param {number} when
   */
  release(by, when) {
    const pitch = this.held.get(by);
    if (pitch === undefined) return;
    this.held.delete(by);
    if ([...this.held.values()].includes(pitch)) return;
    this.light(pitch, false);
    this.tell(pitch, 0, when);
  }

  /** Lets all go. */
  silence() {
    for (const by of [...this.held.keys()]) this.release(by, performance.now());
  }

  /**
   * @param {number} pitch
   * @param {boolean} is
   */
  light(pitch, is) {
    this.keys.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle("down", is);
  }

  leave() {
    this.silence();
    this.resizing.disconnect();
    document.removeEventListener("keydown", this.down);
    document.removeEventListener("keyup", this.up);
  }
}
