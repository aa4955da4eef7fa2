// Records the microphone to a metronome. Gradio runs this once for each component it mounts, as the body of a function
// that is given element, props, trigger and upload.
//
// The clicks and the samples are counted by one clock, the AudioContext's: an AudioWorklet hands over the samples with the
// number of their frame, and the clicks are scheduled at times of the same context. A MediaRecorder could not say when it began.

const TEXTS = {
  tempo: t("Tempo (beats a minute)"),
  slower: t("Slower"),
  faster: t("Faster"),
  tap: t("Tap"),
  tapHelp: t("Tap the tempo, several times"),
  meter: t("Metre"),
  meters: { "4/4": "4/4", "3/4": "3/4", "2/4": "2/4", "6/8": t("6/8, two beats a bar") },
  keep: t("Keep clicking while I sing"),
  record: t("Record"),
  stop: t("Stop"),
  again: t("Send again"),
  advice: t("Use headphones, or the microphone records the click. You hear one bar of count-in; sing or play from the next one on."),
  asking: t("Waiting for the microphone: allow it in the browser."),
  counting: t("Count-in"),
  recording: t("Recording. Press Stop when you have finished."),
  quiet: t("Recording, but nothing is heard yet. Is this the right microphone, and is it on?"),
  cancelled: t("Stopped in the count-in: nothing was recorded."),
  short: t("That was less than a second. Press Record and sing a little longer."),
  silent: t("Nothing was heard, so nothing was kept. Choose another microphone in the browser's or the system's settings."),
  sending: t("Sending the recording."),
  done: (seconds, tempo, meter) => t("Recorded {seconds} at {tempo} beats a minute in {meter}.", { seconds, tempo, meter }),
  lost: t(" It ended because the microphone or the sound did."),
  limit: t(" It stopped by itself after 10 minutes."),
  unsent: t("The recording could not be sent. Check the connection, then press Send again."),
  insecure: t("The microphone is not available: it needs a current browser and an address with https."),
  refused: t("The microphone is blocked. Allow it for this page (the icon beside the address; on an iPhone: Settings, Apps, Safari, Microphone), then press Record again."),
  missing: t("No microphone was found. Plug one in, then press Record again."),
  taken: t("Another program is using the microphone. Close it, then press Record again."),
  failed: t("Sound could not be started in this browser. Reload the page and try again."),
};

const METERS = {
  // beats: clicks a bar; parts: what a beat is divided into, softly clicked where a beat is three eighths
  "4/4": { beats: 4, parts: 1 },
  "3/4": { beats: 3, parts: 1 },
  "2/4": { beats: 2, parts: 1 },
  "6/8": { beats: 2, parts: 3 },
};
const SLOWEST = 40;
const FASTEST = 240;
const TAP_PAUSE = 2500; // ms after which a tap begins a new count; beyond a beat at the slowest tempo
const TAPS = 6; // the last taps, of which the median interval counts
const LEAD = 0.3; // seconds from here to the first click: the capture is running by then
const AHEAD = 1.5; // seconds that clicks are scheduled ahead: a page in the background gets one timer a second
const TICK = 25; // ms
const SHORTEST = 1;
const LONGEST = 600;
const QUIET = 0.002; // a peak below this (-54 dB) is a microphone's own noise
const DECAY = 0.85; // of the level that is shown, at each batch of samples: a short sound can be seen
const PATIENCE = 3; // seconds of silence before the visitor is told
const START_LIMIT = 5000; // ms that the browser has to start its sound

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

// --- the page

const root = element.firstElementChild;
root.innerHTML = `
  <div class="settings">
    <div class="field">
      <label for="${element.id}-tempo">${TEXTS.tempo}</label>
      <div class="row">
        <button type="button" data-part="slower" aria-label="${TEXTS.slower}">−</button>
        <input type="number" data-part="tempo" id="${element.id}-tempo" min="${SLOWEST}" max="${FASTEST}" step="1" value="96"
          inputmode="numeric">
        <button type="button" data-part="faster" aria-label="${TEXTS.faster}">+</button>
        <button type="button" data-part="tap" title="${TEXTS.tapHelp}">${TEXTS.tap}</button>
      </div>
    </div>
    <div class="field">
      <label for="${element.id}-meter">${TEXTS.meter}</label>
      <select data-part="meter" id="${element.id}-meter">
        ${Object.keys(METERS).map((name) => `<option value="${name}">${TEXTS.meters[name]}</option>`).join("")}
      </select>
    </div>
    <label class="check"><input type="checkbox" data-part="keep" checked> ${TEXTS.keep}</label>
  </div>
  <div class="row stage">
    <button type="button" class="record" data-part="record">${TEXTS.record}</button>
    <div class="beats" data-part="beats" aria-hidden="true"></div>
    <span class="elapsed" data-part="elapsed" role="timer">0:00</span>
  </div>
  <div class="level" aria-hidden="true"><div data-part="level"></div></div>
  <p class="state" data-part="state" role="status"></p>
  <button type="button" data-part="again" hidden>${TEXTS.again}</button>
  <p class="advice">${TEXTS.advice}</p>
`;
const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
const settings = ["slower", "tempo", "faster", "tap", "meter", "keep"].map((name) => part[name]);

let take = null; // the one that is being recorded
let busy = false; // between the states: waiting for the microphone, or sending
let unsent = null; // a take that could not be sent

function say(text, problem = false) {
  if (part.state.textContent === text) return; // a screen reader would read it again
  part.state.textContent = text;
  part.state.classList.toggle("problem", problem);
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function showRunning(running) {
  part.record.textContent = running ? TEXTS.stop : TEXTS.record;
  part.record.classList.toggle("running", running);
  for (const control of settings) control.disabled = running;
  if (!running) {
    part.level.style.width = "0";
    for (const cell of part.beats.children) cell.className = "";
  }
}

function showBeats() {
  const { beats } = METERS[part.meter.value];
  part.beats.innerHTML = Array.from({ length: beats }, (_, beat) => `<span>${beat + 1}</span>`).join("");
}

function setTempo(value) {
  const tempo = Math.round(Number(value)) || 96;
  part.tempo.value = Math.min(FASTEST, Math.max(SLOWEST, tempo));
}

let taps = [];

function tap(event) {
  if (taps.length && event.timeStamp - taps.at(-1) > TAP_PAUSE) taps = [];
  taps = [...taps, event.timeStamp].slice(-TAPS);
  if (taps.length > 1) setTempo(60000 / median(taps.slice(1).map((time, i) => time - taps[i])));
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// --- one recording

class Take {
  constructor(context, stream, tempo, meter, keep) {
    Object.assign(this, { context, stream, tempo, meter, keep }, METERS[meter]);
    this.beat = 60 / tempo;
    this.chunks = []; // 16-bit samples, from the context's frame this.start up to this.end
    this.start = null;
    this.end = null;
    this.peak = 0;
    this.scheduled = 0; // clicks so far
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

  keepSamples({ start, batch }) {
    this.start ??= start;
    this.end ??= start;
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
    this.onlevel?.(peak);
  }

  // What has been scheduled is heard later, by this much.
  get outputLatency() {
    return this.context.outputLatency || this.context.baseLatency || 0;
  }

  // What is sung is found later, by this much more. Few browsers say.
  get inputLatency() {
    return this.stream.getAudioTracks()[0].getSettings().latency || 0;
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
    for (;;) {
      const time = this.countIn + (this.scheduled * this.beat) / this.parts;
      if (time > this.context.currentTime + AHEAD) return;
      const inBar = this.scheduled % (this.beats * this.parts);
      const sound = inBar === 0 ? [1760, 0.5] : inBar % this.parts === 0 ? [1175, 0.35] : [880, 0.1];
      if (this.keep || this.scheduled < this.beats * this.parts) this.click(time, ...sound);
      this.scheduled += 1;
    }
  }

  click(time, frequency, loudness) {
    const tone = new OscillatorNode(this.context, { frequency });
    const shape = new GainNode(this.context, { gain: 0 });
    shape.gain.setValueAtTime(loudness, time);
    shape.gain.exponentialRampToValueAtTime(0.001, time + 0.05);
    tone.connect(shape).connect(this.clicks);
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
    const bar = (this.firstBar + this.latency) * rate - this.start;
    const skipped = Math.max(0, Math.round(bar - this.beat * rate));
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

function wavHeader(chunks, rate) {
  const bytes = 2 * chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
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

// --- from press to press

async function begin() {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) return say(TEXTS.insecure, true);
  setTempo(part.tempo.value);
  const context = new AudioContext();
  context.resume().catch(() => {}); // before anything is awaited: Safari starts sound only in the press itself
  say(TEXTS.asking);
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, START_LIMIT))]);
    if (context.state !== "running") throw new Error("the AudioContext does not run");
    const next = new Take(context, stream, Number(part.tempo.value), part.meter.value, part.keep.checked);
    await next.run();
    follow(next);
  } catch (error) {
    stream?.getTracks().forEach((track) => track.stop());
    context.close().catch(() => {});
    say(reason(error), true);
  }
}

function reason(error) {
  if (["NotAllowedError", "SecurityError"].includes(error.name)) return TEXTS.refused;
  if (["NotFoundError", "OverconstrainedError"].includes(error.name)) return TEXTS.missing;
  if (["NotReadableError", "AbortError"].includes(error.name)) return TEXTS.taken;
  console.error(error);
  return TEXTS.failed;
}

function follow(next) {
  take = next;
  unsent = null;
  part.again.hidden = true;
  showRunning(true);
  let shown = 0;
  take.onlevel = (peak) => {
    shown = Math.max(peak, shown * DECAY);
    const decibels = 20 * Math.log10(shown + 1e-6);
    part.level.style.width = `${Math.max(0, Math.min(100, 100 + (decibels * 100) / 60))}%`;
  };
  take.timer = setInterval(tick, TICK);
}

function tick() {
  // Gradio may unmount the component (another tab, a reload of the page's code) or the system take the microphone away.
  if (!element.isConnected) return drop();
  if (!take.alive) return end(TEXTS.lost);
  if (take.elapsed > LONGEST) return end(TEXTS.limit);
  take.scheduleClicks();
  const counting = take.elapsed < 0;
  [...part.beats.children].forEach((cell, beat) => {
    cell.className = beat === take.currentBeat ? (counting ? "now counting" : "now") : "";
  });
  part.elapsed.textContent = clock(take.elapsed);
  if (counting) return say(TEXTS.counting);
  const unheard = take.elapsed > PATIENCE && take.peak < QUIET;
  say(unheard ? TEXTS.quiet : TEXTS.recording, unheard);
}

function drop() {
  const dropped = take;
  clearInterval(dropped.timer);
  dropped.close();
  take = null;
  showRunning(false);
  return dropped;
}

async function end(note = "") {
  const ended = Object.assign(drop(), { note });
  if (ended.seconds < 0) return say(TEXTS.cancelled);
  if (ended.seconds < SHORTEST) return say(TEXTS.short, true);
  if (ended.peak < QUIET) return say(TEXTS.silent, true);
  await send(ended);
}

async function send(ended) {
  busy = true;
  say(TEXTS.sending);
  try {
    const { file, first } = ended.wav();
    const { path } = await upload(file);
    // The value is set before the event, which carries it. Gradio adds a `change` of its own for every new value, one from
    // Python too; `input` is for recordings alone.
    props.value = { path, tempo: ended.tempo, meter: ended.meter.split("/").map(Number), first };
    trigger("input");
    unsent = null;
    say(TEXTS.done(clock(ended.seconds), ended.tempo, ended.meter) + ended.note);
  } catch (error) {
    console.warn(error);
    unsent = ended;
    say(TEXTS.unsent, true);
  }
  part.again.hidden = !unsent;
  busy = false;
}

async function press() {
  if (busy) return;
  if (take) return end();
  busy = true;
  await begin();
  busy = false;
}

part.record.addEventListener("click", press);
part.again.addEventListener("click", () => unsent && !busy && send(unsent));
part.tap.addEventListener("click", tap);
part.slower.addEventListener("click", () => setTempo(Number(part.tempo.value) - 1));
part.faster.addEventListener("click", () => setTempo(Number(part.tempo.value) + 1));
part.tempo.addEventListener("change", () => setTempo(part.tempo.value));
part.meter.addEventListener("change", showBeats);
showBeats();
