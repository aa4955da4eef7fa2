// @ts-check
// What all players of a page share to sound: one audio context, the band on its audio thread, and the instruments it has.

import { KIT } from "./click.js";

/** @typedef {import("./types").Places} Places */
/** @typedef {import("./types").Anchor} Anchor */

const READY_SECONDS = 20; // after which a browser that has not started the synthesizer is given up
const GESTURES = ["pointerup", "touchend", "click", "keydown"];

/** What the browser can't do; another way of sounding is needed. */
export class CannotPlay extends Error {}

class Band {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {Promise<AudioWorkletNode> | null} */
    this.starting = null;
    /** @type {AudioWorkletNode | null} */
    this.node = null;
    /** @type {AnalyserNode | null} */
    this.meter = null;
    /** Instruments that the audio thread has or is about to get. @type {Map<string, Promise<void>>} */
    this.instruments = new Map();
    /** Those that are there. @type {Set<string>} */
    this.there = new Set();
    /** @type {Map<string, {resolve: (data: ArrayBuffer) => void, reject: (error: Error) => void}>} */
    this.asked = new Map();
    /** The sound whose song the band plays. @type {{hear: (message: any) => void, lose: () => void} | null} */
    this.owner = null;
    /** Asks the server for an instrument's file. @type {((key: string) => Promise<string>) | null} */
    this.find = null;
  }

  /**
   * Begins to fetch what is needed whatever is played.
   * @param {Places} places
   * @param {(key: string) => Promise<string>} find
   */
  prepare(places, find) {
    if (this.places) return;
    this.places = places;
    this.find = find;
    if (places.fault) return;
    for (const gesture of GESTURES) document.addEventListener(gesture, () => this.unlock(), { capture: true, passive: true });
    this.start().catch(() => {}); // who plays is told
    for (const key of places.first) this.instrument(key).catch(() => {});
  }

  /** Lets the context sound; browsers allow that only in answer to a click, touch or key. */
  unlock() {
    // On an iPhone what is no "playback" is as silent as its ringer.
    const session = /** @type {any} */ (navigator).audioSession;
    if (session && session.type !== "playback") session.type = "playback";
    if (this.context && this.context.state !== "running") this.context.resume().catch(() => {});
  }

  /** Starts the synthesizer, once. */
  start() {
    return (this.starting ??= this.build().catch((error) => {
      this.starting = null;
      throw error;
    }));
  }

  /** @returns {Promise<AudioWorkletNode>} */
  async build() {
    const { scripts, fault } = /** @type {Places} */ (this.places);
    if (fault) throw new CannotPlay(fault);
    if (!window.AudioContext || !window.AudioWorkletNode || !window.WebAssembly) {
      throw new CannotPlay("this browser, or a page without https, has no audio thread");
    }
    const context = (this.context ??= new AudioContext({ latencyHint: "interactive" }));
    await context.audioWorklet.addModule(`${scripts}/libfluidsynth.js`);
    await context.audioWorklet.addModule(`${scripts}/worklet.js`);
    const node = new AudioWorkletNode(context, "accomp-band", {
      numberOfInputs: 1, outputChannelCount: [2], processorOptions: { settings: this.places?.settings },
    });
    node.port.onmessage = ({ data }) => this.hear(data);
    node.onprocessorerror = () => this.owner?.hear({ type: "failed", words: "the synthesizer stopped" });
    this.meter = context.createAnalyser();
    node.connect(this.meter).connect(context.destination);
    this.node = node;
    return node;
  }

  /** @param {any} message of the audio thread */
  hear(message) {
    this.owner?.hear(message);
  }

  /**
   * Strikes a key of an instrument that the audio thread has, or lets it go.
   * @param {string} key of the instrument
   * @param {number} pitch
   * @param {number} velocity 0 to let it go
   */
  strike(key, pitch, velocity) {
    this.node?.port.postMessage({ type: "key", key, pitch, velocity });
  }

  /**
   * Orders clicks beside what plays; an empty list takes back what is ordered.
   * @param {import("./click.js").Click[]} clicks at times of the clock
   */
  click(clicks) {
    this.node?.port.postMessage({ type: "clicks", clicks, kit: KIT });
  }

  /**
   * Gives the audio thread an instrument, once.
   * @param {string} key "bank-program"
   * @returns {Promise<void>}
   */
  instrument(key) {
    const known = this.instruments.get(key);
    if (known) return known;
    const coming = this.bring(key).catch((error) => {
      this.instruments.delete(key); // so that the next attempt starts over
      throw error;
    });
    this.instruments.set(key, coming);
    return coming;
  }

  /** @param {string} key */
  async bring(key) {
    const places = /** @type {Places} */ (this.places);
    const file = (places.made[key] ??= await /** @type {(key: string) => Promise<string>} */ (this.find)(key));
    const [data, node] = await Promise.all([this.unpack(key, `${places.sounds}/${file}`), this.start()]);
    node.port.postMessage({ type: "instrument", key, data }, [data]);
    this.there.add(key);
  }

  /**
   * @param {string} key
   * @param {string} url
   * @returns {Promise<ArrayBuffer>}
   */
  unpack(key, url) {
    if (!this.worker) {
      this.worker = new Worker(`${this.places?.scripts}/decode.js`, { type: "module" });
      this.worker.onmessage = ({ data: { key: of, data, fault } }) => {
        const waiting = this.asked.get(of);
        this.asked.delete(of); // it may have been asked for twice, where an attempt was given up
        if (fault) waiting?.reject(new Error(fault));
        else waiting?.resolve(data);
      };
      this.worker.onerror = () => {
        for (const { reject } of this.asked.values()) reject(new Error("the worker did not start"));
        this.asked.clear();
        this.worker = undefined;
      };
    }
    return new Promise((resolve, reject) => {
      this.asked.set(key, { resolve, reject });
      this.worker?.postMessage({ key, url });
    });
  }

  /** Whether the context runs, or has begun to within `seconds`.
   * @param {number} seconds
   * @returns {Promise<boolean>}
   */
  async runs(seconds) {
    this.unlock();
    const { context } = this;
    if (!context) return false;
    const end = performance.now() + 1000 * seconds;
    while (context.state !== "running" && performance.now() < end) await new Promise((go) => setTimeout(go, 20));
    return context.state === "running";
  }

  /** Root mean square of what sounds now. */
  get level() {
    if (!this.meter) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  }
}

export const band = new Band();
