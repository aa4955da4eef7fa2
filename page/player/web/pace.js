// @ts-check
// Tempo and key in which a song is given out. What is chosen is heard at once; when the visitor lets go, the page is told, so
// that the files are the same.

import { keyAt, keyTonic } from "./chords.js";
import { clamp } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Finish} Finish */
/** @typedef {{setTempo: (factor: number) => void, setTranspose: (steps: number) => void}} Heard */
/** @typedef {Pick<Finish, "tempo" | "transpose">} Chosen */

const RANGE = [0.5, 1.5]; // of the song's own tempo
const LIMITS = [10, 400]; // quarters a minute that the library accepts, as accomp/music/timing.py has them
const STILL = 250; // ms without a change after which the page is told: each key press moves the slider
const DEAF = 2000; // ms after a change in which what the page tells of the same song may be older

export class Pace {
  /**
   * @param {HTMLElement} section
   * @param {Heard} heard
   * @param {(chosen: Chosen) => void} tell
   */
  constructor(section, heard, tell) {
    this.slider = /** @type {HTMLInputElement} */ (section.querySelector(".tempo"));
    this.number = /** @type {HTMLButtonElement} */ (section.querySelector(".pace"));
    this.keys = /** @type {HTMLSelectElement} */ (section.querySelector(".transpose"));
    this.heard = heard;
    this.tell = tell;
    this.own = 120; // the song's tempo
    /** @type {number | null} */
    this.tempo = null;
    this.steps = 0;
    this.changed = -Infinity; // when the visitor last changed something
    this.song = ""; // its id
    this.title = "";
    this.isWaiting = false;
    this.waiting = 0; // to tell the page
    this.slider.oninput = () => this.setTempo(Number(this.slider.value));
    this.slider.onchange = () => this.say();
    this.number.onclick = () => {
      this.setTempo(null);
      this.say();
      this.slider.focus(); // the button can't be pressed again
    };
    this.keys.onchange = () => {
      this.setSteps(Number(this.keys.value));
      this.say();
    };
  }

  /** Whether the song is given out as it was made. */
  get isOwn() {
    return this.tempo === null && this.steps === 0;
  }

  /** @param {Song} song */
  show({ id, title, tempo, finish }) {
    // The same take, which has got another sound meanwhile, is still to be told.
    const isSame = id === this.song || (this.isWaiting && title === this.title);
    const isOlder = isSame && performance.now() - this.changed < DEAF;
    if (!isSame) this.stopWaiting();
    this.song = id;
    this.title = title;
    if (isOlder) return;
    this.own = tempo;
    const [least, most] = RANGE.map((factor) => Math.round(clamp(tempo * factor, LIMITS[0], LIMITS[1])));
    this.slider.min = String(Math.min(least, Math.floor(finish.tempo ?? least)));
    this.slider.max = String(Math.max(most, Math.ceil(finish.tempo ?? most)));
    this.nameKeys(finish.key);
    this.setTempo(finish.tempo);
    this.setSteps(finish.transpose);
  }

  /** @param {Finish["key"]} key */
  nameKeys(key) {
    for (const option of this.keys.options) {
      const steps = Number(option.value), sign = steps > 0 ? `+${steps}` : String(steps).replace("-", "−");
      const there = keyAt(key, steps);
      option.textContent = there ? `${sign} · ${keyName(there)}` : sign;
    }
  }

  /** @param {number | null} tempo */
  setTempo(tempo) {
    this.tempo = tempo !== null && Math.round(tempo) === Math.round(this.own) ? null : tempo;
    const now = this.tempo ?? this.own, words = t("{tempo} beats a minute", { tempo: Math.round(now) });
    this.slider.value = String(Math.round(now));
    this.slider.setAttribute("aria-valuetext", words);
    this.number.textContent = String(Math.round(now));
    this.number.setAttribute("aria-label", t("{tempo}: back to the song's own tempo", { tempo: Math.round(now) }));
    this.number.disabled = this.tempo === null;
    this.heard.setTempo(now / this.own);
  }

  /** @param {number} steps */
  setSteps(steps) {
    if (![...this.keys.options].some((option) => Number(option.value) === steps)) {
      this.keys.add(new Option(String(steps), String(steps)));
    }
    this.steps = steps;
    this.keys.value = String(steps);
    this.heard.setTranspose(steps);
  }

  say() {
    this.changed = performance.now();
    this.stopWaiting();
    this.isWaiting = true;
    this.waiting = setTimeout(() => {
      this.isWaiting = false;
      this.tell({ tempo: this.tempo, transpose: this.steps });
    }, STILL);
  }

  stopWaiting() {
    clearTimeout(this.waiting);
    this.isWaiting = false;
  }
}

/** @param {[number, boolean]} key */
function keyName(key) {
  const name = keyTonic(key);
  return key[1] ? t("{key} minor", { key: name }) : t("{key} major", { key: name });
}
