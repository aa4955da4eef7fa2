// The sound of a song: its stems, decoded and mixed in the browser. The first part of what __init__.py joins to one script.

const AHEAD = 0.04; // seconds from the order to play until all sources start together
const RAMP = 0.01; // seconds in which a gain changes, for a jump would click
const BYTES = 250e6; // decoded sound of one song; of all players in the page twice as much is kept
const RATES = [44100, 32000, 22050];

// What the players of a page share: an audio context for each sample rate, since browsers allow but a few, and their sounds,
// the one played last at the end.
const page = (window.accompPlayers ??= { contexts: {}, sounds: [], players: [] });

/** Changes a gain without a click, from the time `when` on. */
function ramp(gain, from, to, when) {
  gain.cancelScheduledValues(0);
  gain.setValueAtTime(from, when);
  gain.linearRampToValueAtTime(to, when + RAMP);
}

/** The stems of a song, decoded, played together. */
class Sound {
  constructor() {
    this.files = []; // [track, address]
    this.buffers = new Map();
    this.levels = {}; // gain of each track
    this.run = null; // what plays now
  }

  get isLoaded() {
    return this.files.length > 0 && this.buffers.size === this.files.length;
  }

  /** What it takes in memory, or will when it is loaded. */
  get bytes() {
    return this.loading ? this.size(this.rate) : 0;
  }

  get duration() {
    return Math.max(0, ...[...this.buffers.values()].map((buffer) => buffer.duration));
  }

  setFiles(files, seconds) {
    this.release();
    this.files = files;
    // Decoded sound takes eight bytes a sample: ten minutes of five tracks at 44.1 kHz would be a gigabyte, of which a
    // phone's browser dies. A context with a lower rate decodes to that rate and needs so much less.
    this.size = (rate) => files.length * (seconds + 4) * 8 * rate;
    this.rate = RATES.find((rate) => this.size(rate) <= BYTES) ?? RATES.at(-1);
  }

  /** Whether there is room for this sound beside those of other players. */
  get fits() {
    return page.sounds.reduce((sum, other) => sum + other.bytes, 0) + this.size(this.rate) <= 2 * BYTES;
  }

  release() {
    this.stop();
    this.loading = this.job = null;
    this.buffers = new Map();
    page.sounds = page.sounds.filter((other) => other !== this);
  }

  /** Fetches and decodes all stems; report(done, all). Sounds of other players make room, those not played for longest first. */
  load(report) {
    if (this.isLoaded) return Promise.resolve();
    this.loading ??= this.fetchAll(report);
    return this.loading;
  }

  async fetchAll(report) {
    for (const other of page.sounds.filter((sound) => !sound.run)) if (!this.fits) other.release();
    page.sounds.push(this);
    const job = (this.job = {}), buffers = new Map();
    // An OfflineAudioContext decodes before the visitor's first click, when an AudioContext may not start yet.
    const decoder = new OfflineAudioContext(2, 1, this.rate);
    const fetchOne = async ([track, address]) => {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      buffers.set(track, await decoder.decodeAudioData(await answer.arrayBuffer()));
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

  /** The context, which has to be asked for in answer to a click or key, for only so it may sound. */
  open() {
    this.context = page.contexts[this.rate] ??= new AudioContext({ sampleRate: this.rate, latencyHint: "interactive" });
    if (this.context.state !== "running") this.context.resume();
  }

  /** Plays from `at`; loop: [start, end] or null; ended: called when all has been played. */
  play(at, loop, ended) {
    this.stop();
    this.open();
    page.sounds = [...page.sounds.filter((other) => other !== this), this];
    const out = this.context.createGain(), meter = this.context.createAnalyser(), gains = {}, sources = [];
    out.connect(meter).connect(this.context.destination);
    const when = this.context.currentTime + AHEAD;
    if (at > 0) ramp(out.gain, 0, 1, when); // what begins in the middle would begin with a click
    for (const [track, buffer] of this.buffers) {
      gains[track] = this.context.createGain();
      gains[track].gain.value = this.levels[track] ?? 1;
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      if (loop) [source.loop, source.loopStart, source.loopEnd] = [true, loop[0], loop[1]];
      source.connect(gains[track]).connect(out);
      source.start(when, at);
      sources.push(source);
    }
    const run = { at, when, loop, out, meter, gains, sources };
    sources[0].onended = () => this.run === run && (this.stop(), ended());
    this.run = run;
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
    const { at, when, loop } = this.run;
    const now = at + Math.max(0, this.context.currentTime - (this.context.outputLatency || 0) - when);
    return loop && now > loop[1] ? loop[0] + ((now - loop[0]) % (loop[1] - loop[0])) : now;
  }

  setLevel(track, level) {
    this.levels[track] = level;
    const gain = this.run?.gains[track]?.gain;
    if (gain) ramp(gain, gain.value, level, this.context.currentTime);
  }

  /** Root mean square of what is sounding now. */
  get level() {
    if (!this.run) return 0;
    const samples = new Float32Array(this.run.meter.fftSize);
    this.run.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  }
}
