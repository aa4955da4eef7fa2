// @ts-check
// The band: a song's events, the synthesizer and the limiter. It is told what to play by messages, and says where in the song it
// is whenever that changes otherwise than by playing on. Times are in seconds.

import { strokeOf } from "./click.js";
import { Limiter } from "./limiter.js";
import { Sequencer } from "./sequencer.js";

/** @typedef {import("./types").Span} Span */
/** @typedef {import("./types").Track} Track */

/**
 * What plays the notes; fluid.js does.
 * @typedef {import("./sequencer.js").Receiver & {
 *   load: (data: ArrayBuffer) => number,
 *   choose: (channel: number, soundfont: number) => void,
 *   setLevel: (channel: number, level: number) => void,
 *   cut: () => void,
 *   render: (left: Float32Array, right: Float32Array) => void,
 * }} Synthesizer
 */

/**
 * Orders by their names.
 * @typedef {object} Orders
 * @property {{key: string, data: ArrayBuffer}} instrument
 * @property {{tracks: Track[], keys: (string | null)[], gain: number, length: number, shift: number | null}} song which goes on
 *   `shift` seconds later, if it plays and that is a number
 * @property {{at: number, time: number, loop: Span | null, tempo: number, clicks?: import("./click.js").Click[], kit?: string}} play
 *   after clicks at times of the clock, which the kit plays
 * @property {{clicks: import("./click.js").Click[], kit: string}} clicks beside what plays; an empty list takes them back
 * @property {{key: string, pitch: number, velocity: number}} key that is struck, or let go where the velocity is 0
 * @property {{}} stop
 * @property {{loop: Span | null}} loop
 * @property {{factor: number}} tempo
 * @property {{steps: number}} transpose
 * @property {{channel: number, level: number, wasSilent: boolean}} level
 */

export const STEP = 64; // frames between two looks at the events: what FluidSynth renders at a time
const RING = 2.5; // after the last note, in which the song still counts as playing
const TAIL = 6; // after which what has ended has rung out
const FADE = 0.06; // in which what is paused dies away
const KEYS = 30, CLICKS = 31; // channels that no track has: what the visitor plays, and the count-in
const BY_HAND = 4; // gain of what the visitor plays while no song does: a song's, as most have it

export class Performer {
  /**
   * @param {Synthesizer} synth
   * @param {number} rate samples a second
   * @param {(message: any) => void} post
   */
  constructor(synth, rate, post) {
    this.synth = synth;
    this.rate = rate;
    this.post = post;
    this.sequencer = new Sequencer(synth);
    this.limiter = new Limiter(STEP);
    this.sides = [new Float32Array(STEP), new Float32Array(STEP)];
    /** @type {Map<string, number>} */
    this.soundfonts = new Map();
    /** @type {(string | null)[]} */
    this.keys = []; // of each channel's instrument
    this.at = 0; // place in the song
    this.time = 0; // of the clock, at the next frame
    this.tempo = 1;
    this.length = 0;
    this.gain = 1; // of what sounds
    this.songGain = 1;
    /** Keys that the visitor holds. @type {Set<number>} */
    this.held = new Set();
    this.struck = ""; // the instrument of the keys
    /** What is left of a count-in. @type {import("./click.js").Click[]} */
    this.clicks = [];
    this.isPlaying = false;
    this.begins = 0; // time of the clock at which it plays
    this.isDue = false; // whether it has yet to begin there
    this.restUntil = 0; // time at which nothing is heard any more
    this.volume = 1; // less while it dies away after a pause
    this.isPaused = false;
    /** @type {Span | null} */
    this.loop = null;
  }

  /**
   * @template {keyof Orders} T
   * @param {{type: T} & Orders[T]} order
   */
  hear(order) {
    /** @type {{[T in keyof Orders]: (order: Orders[T]) => void}} */
    const actions = {
      instrument: (of) => this.take(of),
      song: (of) => this.setSong(of),
      play: (of) => this.play(of),
      stop: () => this.pause(),
      loop: ({ loop }) => this.setLoop(loop),
      tempo: ({ factor }) => this.setTempo(factor),
      transpose: ({ steps }) => this.sequencer.transpose(steps),
      level: (of) => this.setLevel(of),
      clicks: (of) => this.setClicks(of),
      key: (of) => this.strike(of),
    };
    try {
      actions[order.type](order);
    } catch (error) {
      this.post({ type: "failed", words: String(error) });
    }
  }

  /** @param {Orders["instrument"]} order */
  take({ key, data }) {
    if (!this.soundfonts.has(key)) this.soundfonts.set(key, this.synth.load(data));
    this.keys.forEach((of, channel) => of === key && this.choose(channel));
  }

  /** @param {Orders["song"]} song */
  setSong({ tracks, keys, gain, length, shift }) {
    const goesOn = this.isPlaying && shift !== null, { sequencer } = this;
    if (!goesOn) this.pause();
    for (const each of [...sequencer.sounding.keys()]) {
      const channel = each >> 7; // what another instrument plays can't sound on
      if (this.keys[channel] !== keys[channel]) sequencer.end(channel, each & 127);
    }
    this.keys = keys;
    this.length = length;
    this.songGain = 10 ** (gain / 20);
    if (goesOn || !this.held.size) this.gain = this.songGain;
    sequencer.setTracks(tracks);
    keys.forEach((_, channel) => this.choose(channel));
    if (!goesOn) return;
    this.at += shift;
    if (this.loop) this.loop = [this.loop[0] + shift, this.loop[1] + shift];
    if (!this.isDue) sequencer.seek(this.at, true);
    this.tell();
  }

  /** @param {number} channel */
  choose(channel) {
    const soundfont = this.soundfonts.get(this.keys[channel] ?? "");
    if (soundfont !== undefined) this.synth.choose(channel, soundfont);
  }

  /** @param {Orders["play"]} order */
  play({ at, time, loop, tempo, clicks = [], kit = "" }) {
    this.clicks = clicks;
    this.chooseKit(kit);
    this.gain = this.songGain;
    if (!this.isPlaying) this.synth.cut(); // what rang on
    this.isPaused = false;
    this.volume = 1;
    this.at = at;
    this.loop = loop;
    this.tempo = tempo;
    this.begins = time;
    this.isPlaying = this.isDue = true;
    this.sequencer.silence();
  }

  pause() {
    if (this.isPlaying) this.isPaused = true;
    this.end();
  }

  end() {
    this.isPlaying = false;
    this.clicks = [];
    this.restUntil = this.time + TAIL;
    this.sequencer.silence();
  }

  /** @param {Span | null} loop */
  setLoop(loop) {
    this.loop = loop;
    this.tell();
  }

  /** @param {number} factor */
  setTempo(factor) {
    this.tempo = factor;
    this.tell();
  }

  /** @param {Orders["level"]} order */
  setLevel({ channel, level, wasSilent }) {
    this.synth.setLevel(channel, level);
    if (wasSilent && level > 0) this.sequencer.renew(channel);
  }

  /**
   * A key that the visitor plays.
   * @param {Orders["key"]} order
   */
  strike({ key, pitch, velocity }) {
    const soundfont = this.soundfonts.get(key);
    if (soundfont === undefined) return;
    if (this.struck !== key) this.synth.choose(KEYS, soundfont);
    this.struck = key;
    if (!this.isPlaying) this.wake();
    if (velocity > 0) {
      if (this.held.has(pitch)) this.synth.noteOff(KEYS, pitch);
      this.held.add(pitch);
      this.synth.noteOn(KEYS, pitch, velocity);
    } else if (this.held.delete(pitch)) this.synth.noteOff(KEYS, pitch);
  }

  /** @param {Orders["clicks"]} order */
  setClicks({ clicks, kit }) {
    this.clicks = clicks.length ? [...this.clicks, ...clicks] : [];
    this.chooseKit(kit);
    if (!this.isPlaying) this.wake();
  }

  /** @param {string} kit */
  chooseKit(kit) {
    const soundfont = this.soundfonts.get(kit);
    if (soundfont !== undefined) this.synth.choose(CLICKS, soundfont);
  }

  /** Sounds without a song. */
  wake() {
    [this.gain, this.volume, this.isPaused] = [BY_HAND, 1, false];
    this.restUntil = this.time + TAIL;
  }

  /** The clicks that are due. */
  count() {
    while (this.clicks.length && this.clicks[0][0] <= this.time + 1e-6) {
      const [key, velocity] = strokeOf(/** @type {import("./click.js").Click} */ (this.clicks.shift())[1]);
      this.synth.noteOn(CLICKS, key, velocity);
      this.synth.noteOff(CLICKS, key);
    }
  }

  /** Says where it is. */
  tell() {
    if (!this.isPlaying) return;
    const { at, tempo, loop } = this;
    this.post({ type: "anchor", at, tempo, loop, time: Math.max(this.time, this.begins) });
  }

  /** Goes on by the frames of a step. */
  advance() {
    const { loop } = this;
    if (this.isDue) this.sequencer.seek(this.at);
    this.isDue = false;
    let to = this.at + (STEP * this.tempo) / this.rate;
    if (loop && loop[1] > loop[0] && this.at <= loop[1] && to >= loop[1]) {
      this.sequencer.advance(loop[1]);
      to = loop[0] + ((to - loop[1]) % (loop[1] - loop[0]));
      this.sequencer.seek(loop[0]);
      this.at = to;
      this.tell();
    }
    this.sequencer.advance(to);
    this.at = to;
    if (!loop && to > this.length + RING) {
      this.end();
      this.post({ type: "ended" });
    }
  }

  /**
   * Renders what comes next; what is already in the arrays stays where there is nothing to hear.
   * @param {Float32Array} left a multiple of STEP frames
   * @param {Float32Array} right
   * @param {Float32Array[]} recording one channel, two, or none
   * @param {number} time of the clock at the first frame
   */
  render(left, right, recording, time) {
    this.time = time;
    if (!this.isPlaying && !this.held.size && (time > this.restUntil || this.volume === 0)) return;
    for (let from = 0; from < left.length; from += STEP) {
      this.time = time + from / this.rate;
      this.count();
      if (this.isPlaying && this.time >= this.begins - 1e-6) this.advance();
      if (this.isPaused) this.volume = Math.max(0, this.volume - STEP / (FADE * this.rate));
      const [first, second] = this.sides, gain = this.gain * this.volume;
      this.synth.render(first, second);
      this.sides.forEach((side, i) => {
        const voice = recording[i] ?? recording[0];
        for (let n = 0; n < STEP; n++) side[n] = side[n] * gain + (voice ? voice[from + n] : 0);
      });
      this.limiter.process(this.sides);
      left.set(first, from);
      right.set(second, from);
    }
  }
}
