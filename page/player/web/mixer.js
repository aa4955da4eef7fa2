// @ts-check
// The mixer: what the visitor has set for each track, and its controls beside the roll.

import { make } from "./dom.js";
import { named } from "./sounds.js";
import { t } from "./words.js";

/** @typedef {import("./types").Track} Track */
/** @typedef {{volume: number, muted: boolean, solo: boolean, locked: boolean}} Strip */

const SHACKLED = "M4 7V5a4 4 0 0 1 8 0v2h1v8H3V7zm2 0h4V5a2 2 0 0 0-4 0z";
const PADLOCK = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${SHACKLED}"/></svg>`;
const ROUND = "M8 2.5a5.5 5.5 0 1 0 5.5 5.5h-1.7A3.8 3.8 0 1 1 8 4.2v2.3l4-3.3L8 0z";
const AGAIN = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ROUND}"/></svg>`;
const MOST = 150; // per cent

/** Volume, mute, solo and lock by name of track; they are kept when a new song comes. */
export class Mixer {
  /**
   * @param {{changed: () => void, locked: () => void, anew: (name: string) => void,
   *   sound: (track: string, program: number) => void}} tell
   */
  constructor(tell) {
    /** @type {Record<string, Strip>} */
    this.strips = {};
    this.tell = tell;
    this.alone = false; // only the melody is heard and seen
    this.unfit = false; // a recording can't follow: what was muted beside it takes its place
    /** The programs that fit each part. @type {Record<string, [number, string][]>} */
    this.fitting = {};
    /** All others in its register. @type {Record<string, [number, string][]>} */
    this.more = {};
  }

  /**
   * @param {string} name
   * @returns {Strip}
   */
  strip(name) {
    return (this.strips[name] ??= { volume: 100, muted: false, solo: false, locked: false });
  }

  /**
   * How loud a track is, as a factor.
   * @param {Track} track
   * @param {Track[]} tracks all
   */
  level(track, tracks) {
    return this.isHeard(track, tracks) ? this.strip(track.name).volume / 100 : 0;
  }

  /**
   * @param {Track} track
   * @param {Track[]} tracks all
   */
  isHeard(track, tracks) {
    if (this.alone && !track.is_melody) return false;
    const among = this.alone ? tracks.filter((each) => each.is_melody) : tracks;
    const anySolo = among.some((each) => this.strip(each.name).solo), { muted, solo } = this.strip(track.name);
    if (this.unfit && track.program === null) return false;
    return !(muted && !(this.unfit && track.muted)) && (solo || !anySolo);
  }

  /**
   * The controls of a track.
   * @param {Track} track
   * @param {boolean} canRefill whether bars of it can be played anew
   */
  header(track, canRefill = false) {
    const label = t(track.label), strip = this.strip(track.name);
    const toggles = make("div", { class: "toggles" },
      this.toggle(strip, "muted", "mute", "M", t("Mute {track}", { track: label })),
      this.toggle(strip, "solo", "solo", "S", t("Solo {track}", { track: label })));
    // The melody is what was given: no regeneration changes it.
    const keep = t("Lock {track}: keep it when others are remade", { track: label });
    if (!track.is_melody) toggles.append(this.toggle(strip, "locked", "lock", PADLOCK, keep));
    if (canRefill) toggles.append(this.anew(track));
    const { fitting: { [track.part]: fitting = [] }, more: { [track.part]: more = [] } } = this;
    const name = named(track, fitting, more, (program) => this.tell.sound(track.name, program));
    return make("div", { class: "track", role: "group", "aria-label": label }, name, toggles, this.fader(strip, label));
  }

  /** The button that has bars of a track played anew. @param {Track} track */
  anew({ name, label }) {
    const hint = t("Play bars of {track} anew", { track: t(label) });
    const button = make("button", { type: "button", class: "anew", title: hint, "aria-label": hint });
    button.innerHTML = AGAIN;
    button.onclick = () => this.tell.anew(name);
    return button;
  }

  /**
   * @param {Strip} strip
   * @param {"muted" | "solo" | "locked"} what
   * @param {string} kind class of the button
   * @param {string} face
   * @param {string} hint
   */
  toggle(strip, what, kind, face, hint) {
    const attributes = { type: "button", class: kind, title: hint, "aria-label": hint, "aria-pressed": strip[what] };
    const button = make("button", attributes);
    button.innerHTML = face;
    button.onclick = () => {
      strip[what] = !strip[what];
      button.setAttribute("aria-pressed", String(strip[what]));
      if (what === "locked") this.tell.locked();
      else this.tell.changed();
    };
    return button;
  }

  /**
   * @param {Strip} strip
   * @param {string} label
   */
  fader(strip, label) {
    const name = t("Volume of {track}", { track: label });
    const slider = make("input", { type: "range", min: 0, max: MOST, value: strip.volume, "aria-label": name });
    const number = make("span", {}, `${strip.volume}%`);
    const change = () => {
      strip.volume = Number(slider.value);
      number.textContent = `${slider.value}%`;
      this.tell.changed();
    };
    slider.oninput = change;
    slider.ondblclick = () => {
      slider.value = "100";
      change();
    };
    return make("div", { class: "volume" }, slider, number);
  }
}
