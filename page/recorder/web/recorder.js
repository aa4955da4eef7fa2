// @ts-check
// The recorder: a melody is sung, freely or to a click, or played on a keyboard to one. It is called once for each component,
// with what Gradio gives to scripts of gr.HTML.

import { band } from "./band.js";
import { Take } from "./capture.js";
import { make } from "./dom.js";
import { pauseAll } from "./player.js";
import { PIANO, Playing } from "./playing.js";
import { setWords, t } from "./words.js";

/** @typedef {import("./capture.js").Meter} Meter */
/** @typedef {"sing" | "play"} Way */

/**
 * @typedef {object} Component
 * @property {HTMLElement} element
 * @property {{value: any}} props
 * @property {(event: string, data?: any) => void} trigger
 * @property {(file: File) => Promise<{path: string}>} upload
 * @property {{bring_sound: (key: string) => Promise<string>}} server
 * @property {import("./types").Places} places
 * @property {((text: string, values?: any) => string)} t
 */

/** @type {Record<string, Meter>} */
const METERS = {
  "4/4": { beats: 4, parts: 1 },
  "3/4": { beats: 3, parts: 1 },
  "2/4": { beats: 2, parts: 1 },
  "6/8": { beats: 2, parts: 3 },
};
const SLOWEST = 40;
const FASTEST = 240;
const TAP_PAUSE = 2500; // ms after which a tap begins a new count; beyond a beat at the slowest tempo
const TAPS = 6; // the last taps, of which the median interval counts
const TICK = 25; // ms
const SHORTEST = 1; // seconds
const LONGEST = 600;
const QUIET = 0.002; // a peak below this (-54 dB) is a microphone's own noise
const DECAY = 0.85; // of the level that is shown, at each batch of samples: a short sound can be seen
const PATIENCE = 3; // seconds of silence before the visitor is told
const START_LIMIT = 5000; // ms that the browser has to start its sound

/** @param {Component} component */
export function mount(component) {
  setWords(component.t);
  band.prepare(component.places, (key) => component.server.bring_sound(key));
  return new Recorder(component);
}

class Recorder {
  /** @param {Component} component */
  constructor(component) {
    this.component = component;
    this.root = /** @type {HTMLElement} */ (component.element.querySelector(".click-recorder"));
    /** @type {any} */ (this.root).recorder = this;
    this.root.innerHTML = template(component.element.id);
    /** @type {Record<string, any>} */
    this.part = Object.fromEntries([...this.root.querySelectorAll("[data-part]")].map((node) => [/** @type {HTMLElement} */ (node).dataset.part, node]));
    /** The recording that runs. @type {Take | null} */
    this.take = null;
    /** What is sung and could not be sent. @type {Take | null} */
    this.unsent = null;
    this.isBusy = false; // waiting for the microphone, or sending
    /** @type {number[]} */
    this.taps = [];
    /** @type {Way} */
    this.way = "sing";
    /** @type {Playing | null} */
    this.playing = null;
    this.listen();
    this.choose("sing");
    this.showBeats();
  }

  listen() {
    const { part } = this;
    part.record.onclick = () => this.press();
    part.again.onclick = () => this.unsent && !this.isBusy && this.send(this.unsent);
    part.sing.onclick = () => this.choose("sing");
    part.play.onclick = () => this.choose("play");
    part.click.onchange = () => this.showSettings();
    part.tap.onclick = (/** @type {MouseEvent} */ event) => this.tap(event.timeStamp);
    part.slower.onclick = () => this.setTempo(Number(part.tempo.value) - 1);
    part.faster.onclick = () => this.setTempo(Number(part.tempo.value) + 1);
    part.tempo.onchange = () => this.setTempo(part.tempo.value);
    part.meter.onchange = () => this.showBeats();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.lookForMicrophone());
  }

  /** @param {Way} way */
  choose(way) {
    if (this.isRunning) return;
    this.way = way;
    this.root.dataset.way = way;
    for (const each of ["sing", "play"]) this.part[each].setAttribute("aria-pressed", String(each === way));
    this.say("");
    this.showSettings();
    if (way === "sing") this.lookForMicrophone();
    else this.preparePlaying();
  }

  preparePlaying() {
    this.playing ??= new Playing(this.part.keys, (words, isProblem) => this.say(words, isProblem));
    this.playing.ticked = () => this.showPlaying();
    this.playing.keyboard.layOut();
    this.playing.prepare().catch((error) => this.say(t("The keyboard can't sound in this browser: {reason}.", { reason: error.message }), true));
  }

  /** Whether the keyboard can sound. */
  get hasPiano() {
    return band.there.has(PIANO);
  }

  /** Root mean square of what sounds now. */
  get level() {
    return band.level;
  }

  get hasClick() {
    return this.way === "play" || this.part.click.checked;
  }

  get isRunning() {
    return this.take !== null || !!this.playing?.isOn;
  }

  showSettings() {
    this.root.classList.toggle("clicks", this.hasClick);
    const advice = {
      free: t("Sing, hum or whistle one line. It begins as soon as you press Record."),
      sing: t("Use headphones, or the microphone records the click. You hear one bar of count-in; sing or play from the next one on."),
      play: t("You hear one bar of count-in; play from the next one on. You can try the keys before."),
    };
    this.part.advice.textContent = advice[this.way === "play" ? "play" : this.hasClick ? "sing" : "free"];
  }

  /**
   * @param {string} text
   * @param {boolean} [isProblem]
   */
  say(text, isProblem = false) {
    if (this.part.state.textContent === text) return; // a screen reader would read it again
    this.part.state.textContent = text;
    this.part.state.classList.toggle("problem", isProblem);
  }

  /** Before anything is pressed, who has no microphone shall know. */
  async lookForMicrophone() {
    const { mediaDevices } = navigator;
    if (!mediaDevices?.enumerateDevices) return this.say(t("The microphone is not available: it needs a current browser and an address with https."), true);
    const devices = await mediaDevices.enumerateDevices(), isThere = devices.some((device) => device.kind === "audioinput");
    if (this.way !== "sing" || this.isRunning) return;
    const missing = t("No microphone was found. Plug one in, or drop a file instead.");
    if (!isThere) this.say(missing, true);
    else if (this.part.state.textContent === missing) this.say("");
  }

  /** @param {boolean} isRunning */
  showRunning(isRunning) {
    const { part } = this;
    part.record.textContent = isRunning ? t("Stop") : t("Record");
    part.record.classList.toggle("running", isRunning);
    for (const name of ["slower", "tempo", "faster", "tap", "meter", "keep", "click", "sing", "play"]) part[name].disabled = isRunning;
    if (isRunning) return;
    part.level.style.width = "0";
    for (const cell of part.beats.children) cell.className = "";
  }

  showBeats() {
    const { beats } = METERS[this.part.meter.value];
    this.part.beats.replaceChildren(...Array.from({ length: beats }, (_, beat) => make("span", {}, String(beat + 1))));
  }

  /**
   * @param {number} beat of the bar, from 0
   * @param {boolean} isCounting
   */
  markBeat(beat, isCounting) {
    [...this.part.beats.children].forEach((cell, each) => {
      cell.className = each === beat ? (isCounting ? "now counting" : "now") : "";
    });
  }

  /** @param {string | number} value */
  setTempo(value) {
    const tempo = Math.round(Number(value)) || 96;
    this.part.tempo.value = String(Math.min(FASTEST, Math.max(SLOWEST, tempo)));
  }

  /** @param {number} when */
  tap(when) {
    if (this.taps.length && when - this.taps[this.taps.length - 1] > TAP_PAUSE) this.taps = [];
    this.taps = [...this.taps, when].slice(-TAPS);
    if (this.taps.length > 1) this.setTempo(60000 / median(this.taps.slice(1).map((time, i) => time - this.taps[i])));
  }

  async press() {
    if (this.isBusy) return;
    if (this.playing?.isOn) return this.endPlaying();
    if (this.take) return this.end();
    this.isBusy = true;
    pauseAll();
    if (this.way === "play") await this.beginPlaying();
    else await this.beginSinging();
    this.isBusy = false;
  }

  // -- played on a keyboard -------------------------------------------------------------------------------------------

  async beginPlaying() {
    const { part } = this, playing = /** @type {Playing} */ (this.playing);
    this.setTempo(part.tempo.value);
    try {
      await playing.begin(Number(part.tempo.value), METERS[part.meter.value], part.keep.checked);
      this.showRunning(true);
      playing.keyboard.keys.focus({ preventScroll: true }); // the keys shall play, not press buttons
    } catch (error) {
      console.error(error);
      this.say(t("Sound could not be started in this browser. Reload the page and try again."), true);
    }
  }

  showPlaying() {
    const playing = /** @type {Playing} */ (this.playing), { elapsed, beat, meter, notes } = playing;
    if (!this.component.element.isConnected) return playing.leave();
    if (!playing.isOn) return this.endPlaying();
    const isCounting = elapsed < 0, now = Math.floor(elapsed / beat);
    this.markBeat(now < -meter.beats ? -1 : ((now % meter.beats) + meter.beats) % meter.beats, isCounting);
    this.part.elapsed.textContent = clock(elapsed);
    if (isCounting) this.say(t("Count-in"));
    else this.say(notes.length ? t("Recording. Press Stop when you have finished.") : t("Recording: play."));
    this.part.count.textContent = notes.length ? t("{count} notes", { count: notes.length }) : "";
  }

  endPlaying() {
    const playing = /** @type {Playing} */ (this.playing), notes = playing.end(), { tempo } = playing;
    this.showRunning(false);
    this.part.count.textContent = "";
    if (!notes.length) return this.say(t("Nothing was played: nothing was kept."), true);
    const [beats, unit] = this.part.meter.value.split("/").map(Number);
    this.component.props.value = { notes, tempo, meter: [beats, unit] };
    this.component.trigger("input");
    this.say(t("Played {count} notes at {tempo} beats a minute in {meter}.", { count: notes.length, tempo, meter: this.part.meter.value }));
  }

  // -- sung -----------------------------------------------------------------------------------------------------------

  async beginSinging() {
    const { part } = this;
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
      return this.say(t("The microphone is not available: it needs a current browser and an address with https."), true);
    }
    this.setTempo(part.tempo.value);
    const context = new AudioContext();
    context.resume().catch(() => {}); // before anything is awaited: Safari starts sound only in the press itself
    this.say(t("Waiting for the microphone: allow it in the browser."));
    /** @type {MediaStream | null} */
    let stream = null;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
      await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, START_LIMIT))]);
      if (context.state !== "running") throw new Error("the AudioContext does not run");
      const name = part.meter.value, click = { ...METERS[name], name, tempo: Number(part.tempo.value), keep: part.keep.checked };
      const take = new Take(context, stream, this.hasClick ? click : null);
      await take.run();
      this.follow(take);
    } catch (error) {
      stream?.getTracks().forEach((track) => track.stop());
      context.close().catch(() => {});
      this.say(reason(/** @type {Error} */ (error)), true);
    }
  }

  /** @param {Take} take */
  follow(take) {
    this.take = take;
    this.unsent = null;
    this.part.again.hidden = true;
    this.showRunning(true);
    let shown = 0;
    take.onlevel = (peak) => {
      shown = Math.max(peak, shown * DECAY);
      const decibels = 20 * Math.log10(shown + 1e-6);
      this.part.level.style.width = `${Math.max(0, Math.min(100, 100 + (decibels * 100) / 60))}%`;
    };
    this.timer = setInterval(() => this.tick(take), TICK);
  }

  /** @param {Take} take */
  tick(take) {
    // Gradio may unmount the component (another tab, a reload of the page's code) or the system take the microphone away.
    if (!this.component.element.isConnected) return this.drop(take);
    if (!take.alive) return this.end(t(" It ended because the microphone or the sound did."));
    if (take.elapsed > LONGEST) return this.end(t(" It stopped by itself after 10 minutes."));
    take.scheduleClicks();
    const isCounting = take.elapsed < 0;
    if (take.click) this.markBeat(take.currentBeat, isCounting);
    this.part.elapsed.textContent = clock(take.elapsed);
    if (isCounting) return this.say(t("Count-in"));
    const isUnheard = take.elapsed > PATIENCE && take.peak < QUIET;
    this.say(isUnheard ? t("Recording, but nothing is heard yet. Is this the right microphone, and is it on?") : t("Recording. Press Stop when you have finished."), isUnheard);
  }

  /** @param {Take} take */
  drop(take) {
    clearInterval(this.timer);
    take.close();
    this.take = null;
    this.showRunning(false);
  }

  async end(note = "") {
    const { take } = this;
    if (!take) return;
    this.drop(take);
    take.note = note;
    if (take.seconds < 0) return this.say(t("Stopped in the count-in: nothing was recorded."));
    if (take.seconds < SHORTEST) return this.say(t("That was less than a second. Press Record and sing a little longer."), true);
    if (take.peak < QUIET) return this.say(t("Nothing was heard, so nothing was kept. Choose another microphone in the browser's or the system's settings."), true);
    await this.send(take);
  }

  /** @param {Take} take */
  async send(take) {
    const { props, trigger, upload } = this.component, { click } = take;
    this.isBusy = true;
    this.say(t("Sending the recording."));
    try {
      const { file, first } = take.wav();
      const { path } = await upload(file);
      // The value is set before the event, which carries it. Gradio adds a `change` of its own for every new value, one from
      // Python too; `input` is for recordings alone.
      props.value = click ? { path, tempo: click.tempo, meter: click.name.split("/").map(Number), first } : { path };
      trigger("input");
      this.unsent = null;
      const seconds = clock(take.seconds);
      const words = click ? t("Recorded {seconds} at {tempo} beats a minute in {meter}.", { seconds, tempo: click.tempo, meter: click.name }) : t("Recorded {seconds}.", { seconds });
      this.say(words + take.note);
    } catch (error) {
      console.warn(error);
      this.unsent = take;
      this.say(t("The recording could not be sent. Check the connection, then press Send again."), true);
    }
    this.part.again.hidden = !this.unsent;
    this.isBusy = false;
  }
}

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {Error} error */
function reason(error) {
  if (["NotAllowedError", "SecurityError"].includes(error.name)) return t("The microphone is blocked. Allow it for this page (the icon beside the address; on an iPhone: Settings, Apps, Safari, Microphone), then press Record again.");
  if (["NotFoundError", "OverconstrainedError"].includes(error.name)) return t("No microphone was found. Plug one in, then press Record again.");
  if (["NotReadableError", "AbortError"].includes(error.name)) return t("Another program is using the microphone. Close it, then press Record again.");
  console.error(error);
  return t("Sound could not be started in this browser. Reload the page and try again.");
}

/** @param {string} id */
function template(id) {
  const meters = Object.keys(METERS).map((name) => `<option value="${name}">${name === "6/8" ? t("6/8, two beats a bar") : name}</option>`);
  return `
    <div class="row">
      <div class="row ways" role="group" aria-label="${t("How you record")}">
        <button type="button" data-part="sing">${t("Sing")}</button>
        <button type="button" data-part="play">${t("Play keys")}</button>
      </div>
      <label class="check sung"><input type="checkbox" data-part="click"> ${t("With a click")}</label>
    </div>
    <div class="settings clicked">
      <div class="field clicked">
        <label for="${id}-tempo">${t("Tempo (beats a minute)")}</label>
        <div class="row">
          <button type="button" data-part="slower" aria-label="${t("Slower")}">−</button>
          <input type="number" data-part="tempo" id="${id}-tempo" min="${SLOWEST}" max="${FASTEST}" step="1" value="96" inputmode="numeric">
          <button type="button" data-part="faster" aria-label="${t("Faster")}">+</button>
          <button type="button" data-part="tap" title="${t("Tap the tempo, several times")}">${t("Tap")}</button>
        </div>
      </div>
      <div class="field clicked">
        <label for="${id}-meter">${t("Metre")}</label>
        <select data-part="meter" id="${id}-meter">${meters.join("")}</select>
      </div>
      <label class="check clicked"><input type="checkbox" data-part="keep" checked> ${t("Keep clicking after the count-in")}</label>
    </div>
    <div class="row stage">
      <button type="button" class="record" data-part="record">${t("Record")}</button>
      <div class="beats clicked" data-part="beats" aria-hidden="true"></div>
      <span class="elapsed" data-part="elapsed" role="timer">0:00</span>
      <span class="count" data-part="count"></span>
    </div>
    <div class="level sung" aria-hidden="true"><div data-part="level"></div></div>
    <div class="played" data-part="keys"></div>
    <p class="state" data-part="state" role="status"></p>
    <button type="button" data-part="again" hidden>${t("Send again")}</button>
    <p class="advice" data-part="advice"></p>`;
}
