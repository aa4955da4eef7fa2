// @ts-check
// The sound of a song that the server has rendered: its stems, decoded and mixed in the browser. Times are in seconds.

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Sound} Sound */
/** @typedef {import("./types").Span} Span */

const AHEAD = 0.04; // seconds from the order to play until all sources start together
const RAMP = 0.01; // seconds in which a gain changes, for a jump would click
const BYTES = 250e6; // decoded sound of one song; of all players in the page twice as much is kept
const RATES = [44100, 32000, 22050];

// What the players of a page share: an audio context for each sample rate, since browsers allow but a few, and their sounds,
// the one played last at the end.
/** @type {{contexts: Record<number, AudioContext>, sounds: FileSound[]}} */
const shared = { contexts: {}, sounds: [] };

/**
 * Changes a gain without a click, from the time `when` on.
 * @param {AudioParam} gain
 * @param {number} from
 * @param {number} to
 * @param {number} when
 */
function ramp(gain, from, to, when) {
  gain.cancelScheduledValues(0);
  gain.setValueAtTime(from, when);
  gain.linearRampToValueAtTime(to, when + RAMP);
}

/**
 * What plays now.
 * @typedef {object} Run
 * @property {number} at
 * @property {number} when
 * @property {Span | null} loop
 * @property {GainNode} out
 * @property {AnalyserNode} meter
 * @property {Record<string, GainNode>} gains
 * @property {AudioBufferSourceNode[]} sources
 */

/**
 * The stems of a song, played together.
 * @implements {Sound}
 */
export class FileSound {
  constructor() {
    /** @type {[string, string][]} */
    this.files = []; // track, address
    /** @type {Map<string, AudioBuffer>} */
    this.buffers = new Map();
    /** @type {Record<string, number>} */
    this.levels = {};
    /** @type {Run | null} */
    this.run = null;
    this.rate = RATES[0];
    /** @type {Promise<void> | null} */
    this.loading = null;
    /** @type {object | null} */
    this.job = null; // tells a later decoding from one that was given up
    this.seconds = 0;
    this.ended = () => {};
    this.failed = (/** @type {string} */ _words) => {};
  }

  get isLoaded() {
    return this.files.length > 0 && this.buffers.size === this.files.length;
  }

  get isRunning() {
    return this.run !== null;
  }

  get duration() {
    return Math.max(0, ...[...this.buffers.values()].map((buffer) => buffer.duration));
  }

  /** What it takes in memory, or will when it is loaded. */
  get bytes() {
    return this.loading ? this.size(this.rate) : 0;
  }

  /** @param {Song} song */
  setSong(song) {
    const files = Object.entries(song.stems).map(([track, file]) => /** @type {[string, string]} */ ([track, file.url]));
    if (JSON.stringify(files) === JSON.stringify(this.files)) return;
    this.release();
    this.files = files;
    this.seconds = song.length;
    // Decoded sound takes eight bytes a sample: ten minutes of five tracks at 44.1 kHz would be a gigabyte, of which a
    // phone's browser dies. A context with a lower rate decodes to that rate and needs so much less.
    this.rate = RATES.find((rate) => this.size(rate) <= BYTES) ?? /** @type {number} */ (RATES.at(-1));
  }

  /** @param {number} rate */
  size(rate) {
    return this.files.length * this.seconds * rate * 8;
  }

  release() {
    this.stop();
    this.buffers = new Map();
    this.loading = this.job = null;
    shared.sounds = shared.sounds.filter((other) => other !== this);
  }

  /** @param {(done: number, all: number) => void} report */
  load(report) {
    if (!this.isLoaded) this.loading ??= this.decode(report);
    return this.loading ?? Promise.resolve();
  }

  /** @param {(done: number, all: number) => void} report */
  async decode(report) {
    const job = (this.job = {}), buffers = new Map();
    shared.sounds = [...shared.sounds.filter((other) => other !== this), this];
    for (const other of shared.sounds.slice(0, -1)) {
      if (shared.sounds.reduce((sum, each) => sum + each.bytes, this.size(this.rate)) > 2 * BYTES) other.release();
    }
    const context = new OfflineAudioContext(2, 1, this.rate); // it may decode before the visitor has clicked
    const fetchOne = async (/** @type {[string, string]} */ [track, url]) => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      buffers.set(track, await context.decodeAudioData(await answer.arrayBuffer()));
      if (job === this.job) report(buffers.size, this.files.length);
    };
    report(0, this.files.length);
    try {
      await Promise.all(this.files.map(fetchOne));
    } catch (error) {
      if (job === this.job) this.release(); // so that the next attempt starts over
      throw error;
    }
    if (job === this.job) this.buffers = buffers; // else it was released meanwhile, or another song has come
  }

  get context() {
    return (shared.contexts[this.rate] ??= new AudioContext({ sampleRate: this.rate, latencyHint: "interactive" }));
  }

  /** Asks for the context in answer to a click or key, for only so it may sound. */
  unlock() {
    if (this.context.state !== "running") this.context.resume().catch(() => {});
  }

  async canSound() {
    this.unlock();
    const end = performance.now() + 1000;
    while (this.context.state !== "running" && performance.now() < end) await new Promise((go) => setTimeout(go, 20));
    return this.context.state === "running";
  }

  /**
   * @param {number} at
   * @param {Span | null} loop
   */
  play(at, loop) {
    this.stop();
    const { context } = this;
    shared.sounds = [...shared.sounds.filter((other) => other !== this), this];
    const out = context.createGain(), meter = context.createAnalyser(), when = context.currentTime + AHEAD;
    /** @type {Run} */
    const run = { at, when, loop, out, meter, gains: {}, sources: [] };
    out.connect(meter).connect(context.destination);
    if (at > 0) ramp(out.gain, 0, 1, when); // what begins in the middle would begin with a click
    for (const [track, buffer] of this.buffers) {
      const gain = (run.gains[track] = context.createGain()), source = context.createBufferSource();
      gain.gain.value = this.levels[track] ?? 1;
      source.buffer = buffer;
      if (loop) [source.loop, source.loopStart, source.loopEnd] = [true, loop[0], loop[1]];
      source.connect(gain).connect(out);
      source.start(when, at);
      run.sources.push(source);
    }
    run.sources[0].onended = () => {
      if (this.run !== run) return;
      this.stop();
      this.ended();
    };
    this.run = run;
  }

  /** @param {Span | null} loop */
  setLoop(loop) {
    if (this.run) this.play(this.position, loop);
  }

  stop() {
    if (!this.run) return;
    const { out, sources } = this.run, now = this.context.currentTime;
    this.run = null;
    ramp(out.gain, out.gain.value, 0, now);
    for (const source of sources) source.stop(now + RAMP);
    setTimeout(() => out.disconnect(), 200);
  }

  /** Where in the song that is which is heard now. */
  get position() {
    if (!this.run) return 0;
    const { at, when, loop } = this.run;
    const now = at + Math.max(0, this.context.currentTime - (this.context.outputLatency || 0) - when);
    return loop && now > loop[1] ? loop[0] + ((now - loop[0]) % (loop[1] - loop[0])) : now;
  }

  /**
   * @param {string} track
   * @param {number} level
   */
  setLevel(track, level) {
    this.levels[track] = level;
    const gain = this.run?.gains[track]?.gain;
    if (gain) ramp(gain, gain.value, level, this.context.currentTime);
  }

  setTempo() {} // a rendered sound has one tempo and one key

  setTranspose() {}

  get level() {
    if (!this.run) return 0;
    const samples = new Float32Array(this.run.meter.fftSize);
    this.run.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  }
}
