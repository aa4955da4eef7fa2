// @ts-check
// What the microphone hears, to a click or without one. The clicks and the samples are counted by one clock, the AudioContext's:
// an AudioWorklet hands over the samples with the number of their frame, and the clicks are scheduled at times of the same
// context. A MediaRecorder could not say when it began.

/** Clicks a bar; parts: what a beat is divided into, softly clicked where a beat is three eighths. @typedef {{beats: number, parts: number}} Meter */
/** How it is clicked. @typedef {Meter & {tempo: number, name: string, keep: boolean}} Click */

const LEAD = 0.3; // seconds from here to the first click: the capture is running by then
const AHEAD = 1.5; // seconds that clicks are scheduled ahead: a page in the background gets one timer a second

const CAPTURE = `
  class Capture extends AudioWorkletProcessor {
    batch = new Float32Array(2048);
    filled = 0;
    process([[channel]]) {
      if (this.filled === 0) this.start = currentFrame;
      if (channel) this.batch.set(channel, this.filled); // none while the microphone is not running: then it is silence
      this.filled += 128;
      if (this.filled === this.batch.length) {
        this.port.postMessage({ start: this.start, batch: this.batch });
        this.batch.fill(0);
        this.filled = 0;
      }
      return true;
    }
  }
  registerProcessor("capture", Capture);
`;

/** A recording. Without a click it begins at once. */
export class Take {
  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   * @param {Click | null} click
   */
  constructor(context, stream, click) {
    this.context = context;
    this.stream = stream;
    this.click = click;
    this.beats = click?.beats ?? 0;
    this.parts = click?.parts ?? 1;
    this.beat = click ? 60 / click.tempo : 0;
    /** 16-bit samples, from the context's frame this.start up to this.end. @type {Int16Array<ArrayBuffer>[]} */
    this.chunks = [];
    /** @type {number | null} */
    this.start = null;
    this.end = 0;
    this.peak = 0;
    this.scheduled = 0; // clicks so far
    this.countIn = this.firstBar = 0;
    this.latency = this.seconds = 0; // when it has ended
    this.note = ""; // what is to be said of its end
    /** @type {(peak: number) => void} */
    this.onlevel = () => {};
  }

  async run() {
    const module = URL.createObjectURL(new Blob([CAPTURE], { type: "text/javascript" }));
    try {
      await this.context.audioWorklet.addModule(module);
    } finally {
      URL.revokeObjectURL(module);
    }
    const capture = new AudioWorkletNode(this.context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    capture.port.onmessage = ({ data }) => this.keepSamples(data);
    this.source = this.context.createMediaStreamSource(this.stream);
    // The capture gives out silence, but not every browser runs a node that leads nowhere.
    this.source.connect(capture).connect(this.context.destination);
    this.clicks = this.context.createGain();
    this.clicks.connect(this.context.destination);
    this.countIn = this.context.currentTime + LEAD;
    this.firstBar = this.countIn + this.beats * this.beat;
  }

  /** @param {{start: number, batch: Float32Array}} samples */
  keepSamples({ start, batch }) {
    if (this.start === null) this.start = this.end = start;
    if (start > this.end) this.chunks.push(new Int16Array(start - this.end)); // frames the browser left out
    this.end = start + batch.length;
    const samples = new Int16Array(batch.length);
    let peak = 0;
    batch.forEach((value, i) => {
      samples[i] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
      peak = Math.max(peak, Math.abs(value));
    });
    this.chunks.push(samples);
    if (this.elapsed > 0) this.peak = Math.max(this.peak, peak); // the count-in can be heard without a voice
    this.onlevel(peak);
  }

  // What has been scheduled is heard later, by this much.
  get outputLatency() {
    return this.context.outputLatency || this.context.baseLatency || 0;
  }

  // What is sung is found later, by this much more. Few browsers say.
  get inputLatency() {
    return /** @type {{latency?: number}} */ (this.stream.getAudioTracks()[0].getSettings()).latency || 0;
  }

  // Seconds since the first bar line was heard; negative in the count-in.
  get elapsed() {
    return this.context.currentTime - this.outputLatency - this.firstBar;
  }

  // The beat of the bar that is heard now, from 0; negative before the first.
  get currentBeat() {
    const beat = Math.floor(this.elapsed / this.beat);
    return beat < -this.beats ? -1 : (beat + this.beats) % this.beats;
  }

  get alive() {
    return this.context.state === "running" && this.stream.active;
  }

  scheduleClicks() {
    for (; this.click; ) {
      const time = this.countIn + (this.scheduled * this.beat) / this.parts;
      if (time > this.context.currentTime + AHEAD) return;
      const inBar = this.scheduled % (this.beats * this.parts);
      const sound = inBar === 0 ? [1760, 0.5] : inBar % this.parts === 0 ? [1175, 0.35] : [880, 0.1];
      if (this.click.keep || this.scheduled < this.beats * this.parts) this.sound(time, sound[0], sound[1]);
      this.scheduled += 1;
    }
  }

  /**
   * @param {number} time
   * @param {number} frequency
   * @param {number} loudness
   */
  sound(time, frequency, loudness) {
    const tone = new OscillatorNode(this.context, { frequency });
    const shape = new GainNode(this.context, { gain: 0 });
    shape.gain.setValueAtTime(loudness, time);
    shape.gain.exponentialRampToValueAtTime(0.001, time + 0.05);
    tone.connect(shape).connect(/** @type {GainNode} */ (this.clicks));
    tone.start(time);
    tone.stop(time + 0.06);
  }

  // Lets go of the microphone and the sound; what was recorded stays.
  close() {
    this.latency = this.outputLatency + this.inputLatency;
    this.seconds = this.elapsed;
    for (const track of this.stream.getTracks()) track.stop();
    this.context.close().catch(() => {}); // the browser may have closed it
  }

  // The recording from one beat ahead of the first bar on, as the singer heard it, so that an upbeat is in it.
  wav() {
    const rate = this.context.sampleRate;
    const bar = (this.firstBar + this.latency) * rate - (this.start ?? 0);
    const skipped = this.click ? Math.max(0, Math.round(bar - this.beat * rate)) : 0;
    let toSkip = skipped;
    const samples = [];
    for (const chunk of this.chunks) {
      if (toSkip < chunk.length) samples.push(chunk.subarray(toSkip));
      toSkip = Math.max(0, toSkip - chunk.length);
    }
    const file = new File([wavHeader(samples, rate), ...samples], "take.wav", { type: "audio/wav" });
    return { file, first: (bar - skipped) / rate };
  }
}

/**
 * @param {Int16Array[]} chunks
 * @param {number} rate
 */
function wavHeader(chunks, rate) {
  const bytes = 2 * chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const view = new DataView(new ArrayBuffer(44));
  const text = (/** @type {number} */ at, /** @type {string} */ letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view;
}

