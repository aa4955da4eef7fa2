// @ts-check
// A melody that the visitor plays to a click: the keyboard sounds as it is played, and the notes go to the page.

import { band } from "./band.js";
import { KIT } from "./click.js";
import { make } from "./dom.js";
import { Keyboard } from "./keyboard.js";
import { t } from "./words.js";

/** Pitch, onset, end, velocity; in seconds from the first bar line on. @typedef {[number, number, number, number]} Played */
/** @typedef {{beats: number, parts: number}} Meter */
/** @typedef {{notes: Played[], tempo: number, meter: [number, number]}} Performance */

export const PIANO = "0-0";
const LEAD = 0.3; // seconds from the press to the first click
const AHEAD = 0.2; // seconds that clicks are ordered ahead
const TICK = 40; // ms
const EARLY = 0.5; // pulses before the first bar line in which a note is an upbeat, or early
const LONGEST = 600; // seconds

/** What is being played in: its clock and its notes. */
export class Playing {
  /**
   * @param {HTMLElement} place
   * @param {(words: string, isProblem?: boolean) => void} say
   */
  constructor(place, say) {
    this.say = say;
    this.keyboard = new Keyboard(place, (pitch, velocity, when) => this.onKey(pitch, velocity, when));
    this.midi = make("button", { type: "button", class: "midi", title: t("Connect a MIDI keyboard") }, t("Connect MIDI"));
    this.midi.hidden = !(/** @type {any} */ (navigator).requestMIDIAccess);
    this.midi.onclick = () => this.connect();
    this.keyboard.bar.append(this.midi);
    /** @type {Played[]} */
    this.notes = [];
    /** Notes that are held: pitch to index. @type {Map<number, number>} */
    this.open = new Map();
    this.isOn = false;
    this.tempo = 96;
    /** @type {Meter} */
    this.meter = { beats: 4, parts: 1 };
    this.keeps = true;
    this.firstBar = 0; // time of the audio clock
    this.scheduled = 0; // clicks so far
    this.ticked = () => {};
  }

  get beat() {
    return 60 / this.tempo;
  }

  /** Seconds since the first bar line was heard; negative in the count-in. */
  get elapsed() {
    return this.isOn && band.context ? band.context.currentTime - latency() - this.firstBar : 0;
  }

  /** Loads the piano, so that the keyboard sounds at the first touch. */
  async prepare() {
    await Promise.all([band.start(), band.instrument(PIANO), band.instrument(KIT)]);
  }

  /** Asks for MIDI keyboards, and listens to all that there are or come. */
  async connect() {
    try {
      const access = await /** @type {any} */ (navigator).requestMIDIAccess();
      const listen = () => {
        const names = [];
        for (const input of access.inputs.values()) {
          input.onmidimessage = (/** @type {any} */ message) => this.keyboard.onMidi(message);
          names.push(input.name);
        }
        const words = names.length ? t("Connected: {names}", { names: names.join(", ") }) : t("No MIDI keyboard was found: plug one in.");
        this.say(words, !names.length);
      };
      access.onstatechange = listen;
      listen();
    } catch {
      this.say(t("The browser does not allow MIDI here."), true);
    }
  }

  /**
   * Begins with a bar of count-in.
   * @param {number} tempo
   * @param {Meter} meter
   * @param {boolean} keeps whether it clicks after the count-in, too
   */
  async begin(tempo, meter, keeps) {
    band.unlock();
    await this.prepare();
    if (!(await band.runs(3))) throw new Error("the sound did not start");
    Object.assign(this, { tempo, meter, keeps, notes: [], scheduled: 0 });
    this.open.clear();
    this.firstBar = /** @type {AudioContext} */ (band.context).currentTime + LEAD + meter.beats * this.beat;
    this.isOn = true;
    this.timer = setInterval(() => this.tick(), TICK);
    this.tick();
  }

  tick() {
    const { beats, parts } = this.meter, context = /** @type {AudioContext} */ (band.context);
    for (; ; this.scheduled++) {
      const time = this.firstBar + (this.scheduled / parts - beats) * this.beat;
      if (time > context.currentTime + AHEAD) break;
      const inBar = this.scheduled % (beats * parts), isBeat = inBar % parts === 0;
      if (isBeat && (this.keeps || this.scheduled < beats * parts)) band.click([[time, inBar === 0]]);
    }
    if (this.elapsed > LONGEST) this.end();
    this.ticked();
  }

  /**
   * @param {number} pitch
   * @param {number} velocity
   * @param {number} when in ms, as performance.now() counts
   */
  onKey(pitch, velocity, when) {
    if (!band.there.has(PIANO)) this.prepare().catch(() => {});
    band.unlock();
    band.strike(PIANO, pitch, velocity);
    if (!this.isOn || !band.context) return;
    const at = this.elapsed + (when - performance.now()) / 1000, note = this.open.get(pitch);
    if (note !== undefined) {
      this.notes[note][2] = Math.max(at, this.notes[note][1] + 0.02);
      this.open.delete(pitch);
    }
    if (velocity === 0 || at < -EARLY * this.beat * this.meter.beats) return;
    this.open.set(pitch, this.notes.push([pitch, at, at, velocity]) - 1);
    this.ticked();
  }

  /** Ends it. @returns {Played[]} */
  end() {
    if (this.isOn) this.keyboard.silence();
    this.isOn = false;
    clearInterval(this.timer);
    band.click([]);
    return this.notes;
  }

  leave() {
    this.end();
    this.keyboard.leave();
  }
}

/** What is heard was ordered so many seconds before. */
function latency() {
  return band.context?.outputLatency || band.context?.baseLatency || 0;
}
