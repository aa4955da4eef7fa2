// @ts-check
// The band on the audio thread.

import { Fluid, whenReady } from "./fluid.js";
import { Performer, STEP } from "./performer.js";

class BandProcessor extends AudioWorkletProcessor {
  /** @param {{processorOptions: {settings: Record<string, number>}}} options */
  constructor({ processorOptions }) {
    super();
    /** @type {any[]} */
    this.waiting = []; // what was ordered before it was ready
    this.port.onmessage = ({ data }) => (this.performer ? this.performer.hear(data) : this.waiting.push(data));
    this.start(processorOptions.settings);
  }

  /** @param {Record<string, number>} settings */
  async start(settings) {
    const post = (/** @type {any} */ message) => this.port.postMessage(message);
    try {
      const library = AudioWorkletGlobalScope.wasmModule;
      await whenReady(library);
      this.performer = new Performer(new Fluid(library, sampleRate, STEP, settings), sampleRate, post);
      for (const data of this.waiting.splice(0)) this.performer.hear(data);
      post({ type: "ready" });
    } catch (error) {
      post({ type: "failed", words: String(error) });
    }
  }

  /**
   * @param {Float32Array[][]} inputs
   * @param {Float32Array[][]} outputs
   */
  process([recording], [[left, right]]) {
    this.performer?.render(left, right, recording, currentTime);
    return true;
  }
}

registerProcessor("accomp-band", BandProcessor);
