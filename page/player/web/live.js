// @ts-check
// A song that the band plays live. Times are in seconds.

import { band } from "./band.js";
import { KIT, countIn, metronome } from "./click.js";

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Sound} Sound */
/** @typedef {import("./types").Span} Span */
/** @typedef {import("./types").Anchor} Anchor */

const AHEAD = 0.03; // seconds from the order to play until it plays
const QUANTUM = 128; // frames that the audio thread renders at a time
const WAIT = 1.0; // seconds to wait for the browser to let the sound begin
const FADE = 0.01; // seconds

/** The key of a track's instrument, null where it is a recording.
 * @param {import("./types").Track} track
 */
export const instrumentOf = (track) => (track.program === null ? null : `${track.is_drum ? 128 : 0}-${track.program}`);

/** @implements {Sound} */
export class LiveSound {
  constructor() {
    /** @type {Song | null} */
    this.song = null;
    /** @type {Record<string, number>} */
    this.levels = {};
    /** @type {Anchor | null} */
    this.anchor = null; // while it plays
    this.tempo = 1;
    this.steps = 0;
    this.clicks = false; // whether a metronome is heard
    this.counts = false; // whether a bar is counted in
    this.shift = 0; // from the song that sounds to the one that is shown, while that waits for its instruments
    this.isSent = false; // whether the band has the song
    /** @type {{node: AudioBufferSourceNode, gain: GainNode} | null} */
    this.voice = null;
    /** @type {AudioBuffer | null} */
    this.recording = null;
    this.ended = () => {};
    this.failed = (/** @type {string} */ _words) => {};
  }

  get keys() {
    return this.song ? this.song.tracks.map(instrumentOf) : [];
  }

  get needed() {
    const clicks = this.clicks || this.counts ? [KIT] : [];
    return [...new Set([...this.keys, ...clicks].filter((key) => key !== null))];
  }

  get isLoaded() {
    const hasVoice = !this.voiceUrl || this.recording !== null;
    return band.node !== null && this.needed.every((key) => band.there.has(key)) && hasVoice;
  }

  get isRunning() {
    return this.anchor !== null;
  }

  get duration() {
    return this.song?.length ?? 0;
  }

  get level() {
    return this.anchor ? band.level : 0;
  }

  get voiceTrack() {
    return this.song?.tracks.find((track) => track.program === null);
  }

  get voiceUrl() {
    return this.voiceTrack && this.song?.stems[this.voiceTrack.name]?.url;
  }

  get position() {
    if (!this.anchor || !band.context) return 0;
    const { at, time, tempo, loop } = this.anchor;
    const gone = Math.max(0, band.context.currentTime - (band.context.outputLatency || 0) - time) * tempo;
    const now = at + gone;
    const inLoop = loop && at <= loop[1] && now > loop[1] ? loop[0] + ((now - loop[0]) % (loop[1] - loop[0])) : now;
    return inLoop + this.shift;
  }

  /**
   * @param {Song} song
   * @param {number | null} shift
   */
  setSong(song, shift) {
    const url = this.voiceUrl;
    this.song = song;
    this.isSent = false;
    if (this.voiceUrl !== url) this.recording = null;
    if (shift === null) {
      this.stop();
      this.shift = 0;
    } else if (this.anchor) {
      this.shift += shift;
      if (this.isLoaded) this.send();
    }
  }

  /** Gives the band the song, in which it goes on if it plays. */
  send() {
    const { tracks, gain, length } = /** @type {Song} */ (this.song);
    if (band.owner !== this) band.owner?.lose();
    const shift = band.owner === this && this.anchor ? this.shift : null;
    band.owner = this;
    const heard = tracks.map(({ program, is_drum, controls, notes, octaves }) => ({
      program, is_drum, controls,
      notes: octaves.length ? notes.map(([pitch, ...rest], i) => [pitch + 12 * octaves[i], ...rest]) : notes,
    }));
    const clicks = this.clicks ? [metronome(/** @type {Song} */ (this.song))] : [];
    this.post({
      type: "song", gain, length, shift,
      tracks: [...heard, ...clicks], keys: [...this.keys, ...clicks.map(() => KIT)],
    });
    this.post({ type: "transpose", steps: this.steps });
    for (const track of tracks) this.sendLevel(track.name, true);
    for (const channel of clicks.map(() => tracks.length)) this.post({ type: "level", channel, level: 1, wasSilent: true });
    if (shift !== null && this.anchor) {
      const { at, loop } = this.anchor;
      this.anchor = { ...this.anchor, at: at + shift, loop: loop && [loop[0] + shift, loop[1] + shift] };
      if (shift) this.startVoice();
    }
    this.shift = 0;
    this.isSent = true;
  }

  /** @param {any} message */
  post(message) {
    band.node?.port.postMessage(message);
  }

  unlock() {
    band.unlock();
  }

  /** @param {(done: number, all: number) => void} report */
  async load(report) {
    const { song, needed, voiceUrl } = this;
    let done = 0;
    const all = needed.length + 1;
    const count = () => song === this.song && report(++done, all);
    if (!this.isLoaded) report(0, all);
    const jobs = [band.start().then(count), ...needed.map((key) => band.instrument(key).then(count))];
    if (voiceUrl && !this.recording) jobs.push(this.loadVoice(voiceUrl));
    await Promise.all(jobs);
    if (song === this.song && this.anchor && !this.isSent) this.send();
  }

  /** @param {string} url */
  async loadVoice(url) {
    await band.start();
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const decoded = await /** @type {AudioContext} */ (band.context).decodeAudioData(await answer.arrayBuffer());
    if (url !== this.voiceUrl) return;
    this.recording = decoded;
    if (this.anchor) this.startVoice();
  }

  /** Whether the browser lets it sound. */
  canSound() {
    return band.runs(WAIT);
  }

  /**
   * @param {number} at
   * @param {Span | null} loop
   * @param {boolean} begins whether it did not play before
   */
  play(at, loop, begins = false) {
    const { context } = band;
    if (!context || !this.song) return;
    if (!this.isSent || band.owner !== this) this.send();
    this.shift = 0;
    const count = begins && this.counts ? countIn(this.song, at) : [], lead = (count[0]?.[0] ?? 0) / this.tempo;
    const step = QUANTUM / context.sampleRate, time = Math.ceil((context.currentTime + AHEAD + lead) / step) * step;
    this.anchor = { at, time, tempo: this.tempo, loop };
    const clicks = count.map(([before, isFirst]) => [time - before / this.tempo, isFirst]);
    this.post({ type: "play", ...this.anchor, clicks, kit: KIT });
    this.startVoice();
  }

  /** Whether a bar is being counted in. */
  get isCounting() {
    return this.anchor !== null && (band.context?.currentTime ?? 0) < this.anchor.time - AHEAD;
  }

  /**
   * A metronome while it plays, or none.
   * @param {boolean} clicks
   */
  async setClicks(clicks) {
    this.clicks = clicks;
    const { song } = this;
    if (clicks) await band.instrument(KIT);
    if (clicks === this.clicks && song === this.song && this.isSent) this.send();
  }

  /**
   * Lets one note be heard on the melody's instrument.
   * @param {number} pitch
   * @param {number} velocity
   * @param {number} seconds
   */
  async strike(pitch, velocity, seconds) {
    const melody = this.song?.tracks.find((track) => track.is_melody && track.program !== null);
    const key = (melody && instrumentOf(melody)) ?? "0-0";
    this.unlock();
    await Promise.all([band.start(), band.instrument(key)]);
    band.strike(key, pitch + this.steps, velocity);
    setTimeout(() => band.strike(key, pitch + this.steps, 0), 1000 * seconds);
  }

  /** @param {Span | null} loop */
  setLoop(loop) {
    if (!this.anchor) return;
    this.post({ type: "loop", loop });
    this.anchor = { ...this.anchor, ...this.now(), loop };
    this.startVoice();
  }

  /** The place in the song at this time of the clock. */
  now() {
    const time = /** @type {AudioContext} */ (band.context).currentTime, { anchor } = this;
    if (!anchor || time < anchor.time) return {};
    return { at: this.position - this.shift + (band.context?.outputLatency || 0) * anchor.tempo, time };
  }

  stop() {
    this.stopVoice();
    if (!this.anchor) return;
    this.anchor = null;
    if (band.owner === this) this.post({ type: "stop" });
  }

  /** Another player has the band now. */
  lose() {
    this.stopVoice();
    this.anchor = null;
    this.isSent = false;
  }

  /** @param {any} message of the audio thread */
  hear(message) {
    if (message.type === "failed") this.failed(message.words);
    if (!this.anchor) return;
    if (message.type === "anchor") {
      const { at, time, tempo, loop } = message;
      this.anchor = { at, time, tempo, loop };
    } else if (message.type === "ended") {
      this.anchor = null;
      this.stopVoice();
      this.ended();
    }
  }

  /**
   * @param {string} track
   * @param {number} level
   */
  setLevel(track, level) {
    const wasSilent = (this.levels[track] ?? 1) === 0;
    this.levels[track] = level;
    if (this.isSent) this.sendLevel(track, wasSilent);
    if (this.voice && track === this.voiceTrack?.name) this.fade(this.voice.gain, this.voiceLevel);
  }

  /**
   * @param {string} track
   * @param {boolean} wasSilent
   */
  sendLevel(track, wasSilent) {
    const channel = this.song?.tracks.findIndex(({ name }) => name === track) ?? -1;
    if (channel >= 0) this.post({ type: "level", channel, level: this.levels[track] ?? 1, wasSilent });
  }

  /** @param {number} factor */
  setTempo(factor) {
    this.tempo = factor;
    if (!this.anchor) return;
    this.post({ type: "tempo", factor });
    if (this.voice) this.fade(this.voice.gain, this.voiceLevel);
    this.startVoice();
  }

  /** @param {number} steps */
  setTranspose(steps) {
    this.steps = steps;
    if (this.isSent) this.post({ type: "transpose", steps });
    if (this.voice) this.fade(this.voice.gain, this.voiceLevel);
  }

  // -- the visitor's own recording ------------------------------------------------------------------------------------

  /** A recording can't be sung faster or in another key: then it is silent. */
  get voiceLevel() {
    const fits = this.tempo === 1 && this.steps === 0;
    return fits ? (this.levels[this.voiceTrack?.name ?? ""] ?? 1) : 0;
  }

  startVoice() {
    this.stopVoice();
    const { context, node: out } = band, { recording, anchor, song } = this;
    if (!recording || !anchor || !context || !out || !song || this.tempo !== 1) return;
    const node = context.createBufferSource(), gain = context.createGain();
    node.buffer = recording;
    gain.gain.value = this.voiceLevel;
    node.connect(gain).connect(out);
    const at = anchor.at - song.voice_start;
    if (anchor.loop) {
      [node.loop, node.loopStart, node.loopEnd] = [true, anchor.loop[0] - song.voice_start, anchor.loop[1] - song.voice_start];
    }
    node.start(anchor.time + Math.max(0, -at), Math.max(0, at + Math.max(0, context.currentTime - anchor.time)));
    this.voice = { node, gain };
  }

  stopVoice() {
    if (!this.voice) return;
    const { node, gain } = this.voice;
    this.voice = null;
    this.fade(gain, 0);
    node.stop((band.context?.currentTime ?? 0) + 3 * FADE);
  }

  /**
   * @param {GainNode} node
   * @param {number} level
   */
  fade({ gain }, level) {
    gain.setTargetAtTime(level, band.context?.currentTime ?? 0, FADE / 2);
  }

  release() {
    this.stop();
    if (band.owner === this) band.owner = null;
  }
}
