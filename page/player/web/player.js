// @ts-check
// One player: its song, what it plays it with, and what state it is in. Times are in seconds, lengths in CSS pixels; bars are
// counted from 0 here and from 1 in what goes to Python. The value is described in view.py, view_of.

import { CannotPlay } from "./band.js";
import { ChordPanel } from "./chordpanel.js";
import { listen } from "./controls.js";
import { Desk } from "./desk.js";
import { clamp, minutes } from "./dom.js";
import { FileSound } from "./files.js";
import { LiveSound } from "./live.js";
import { Mixer } from "./mixer.js";
import { NoteEditor } from "./noteeditor.js";
import { Pace } from "./pace.js";
import { keyAt } from "./chords.js";
import { Edge } from "./edge.js";
import { Pointers } from "./pointers.js";
import { RefillPanel } from "./refillpanel.js";
import { Roll } from "./roll.js";
import { t } from "./words.js";

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Choice} Choice */
/** @typedef {import("./pace.js").Chosen} Chosen */
/** @typedef {"empty" | "loading" | "ready" | "playing" | "paused" | "ended" | "error"} State */

/**
 * What the page is told: of bars and locks, of tempo and key and sounds, and that the server has to make the sound; of edits,
 * see page/editing.py.
 * @typedef {object} Telling
 * @property {(choice: Choice) => void} choice
 * @property {(choice: Choice) => void} keep
 * @property {(chosen: Chosen & {id: string}) => void} pace
 * @property {(chosen: {id: string, track: string, program: number}) => void} sound
 * @property {() => void} ask
 * @typedef {Telling & import("./types").Edits} Listener
 */

const PATIENCE = { live: 30, server: 120 }; // seconds until what is waited for counts as lost

/** The players that are on the page. @type {Player[]} */
let players = [];

/** Pauses all players of the page. */
export function pauseAll() {
  for (const player of players) player.pause();
}

export class Player {
  /**
   * @param {HTMLElement} section
   * @param {Listener} listener
   */
  constructor(section, listener) {
    this.section = section;
    this.listener = listener;
    /** @type {Song | null} */
    this.song = null;
    this.mixer = new Mixer({
      changed: () => this.refresh(),
      locked: () => this.tell(),
      anew: (name) => this.refillPanel.openHere(name),
      sound: (track, program) => this.song && listener.sound({ id: this.song.id, track, program }),
    });
    this.roll = new Roll(section);
    this.live = new LiveSound();
    this.files = new FileSound();
    /** What plays the song. @type {import("./types").Sound} */
    this.sound = this.live;
    /** Why the browser can't play live. */
    this.fault = "";
    for (const sound of [this.live, this.files]) {
      sound.ended = () => this.finish();
      sound.failed = (words) => this.fail(words);
    }
    /** @type {State | ""} */
    this.state = "";
    this.at = 0; // where it stands while nothing plays
    this.wanted = false; // whether it plays, or shall as soon as it can
    this.loops = false;
    this.follow = true; // whether the window keeps up with the playhead
    /** @type {[number, number] | null} */
    this.selection = null; // first and last bar
    this.tempo = 1; // as a factor of the song's own
    this.steps = 0;
    this.pace = new Pace(section, this, (chosen) => this.song && listener.pace({ id: this.song.id, ...chosen }));
    this.asked = ""; // the last wish of a song to be heard
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    for (const other of players) if (!other.section.isConnected) other.leave();
    players = [...players.filter((other) => other.section.isConnected), this];
    this.desk = new Desk(this);
    this.notes = new NoteEditor(this);
    this.chordPanel = new ChordPanel(this);
    this.refillPanel = new RefillPanel(this);
    this.pointers = new Pointers(this);
    this.edge = new Edge(this);
    this.theme = listen(this);
    this.setState("empty");
  }

  /**
   * @template {HTMLElement} [E=HTMLElement]
   * @param {string} name class of an element
   * @returns {E}
   */
  find(name) {
    return /** @type {E} */ (this.section.querySelector(`.${name}`));
  }

  // -- the song -------------------------------------------------------------------------------------------------------

  /** @param {Song | null} song */
  show(song) {
    if (song && this.notes.isOld(song)) return; // a later edit is on its way
    this.section.hidden = !song;
    if (!song) return this.empty();
    const before = this.song, isNew = before?.id !== song.id;
    if (isNew) this.setSong(song);
    else this.song = song;
    if (isNew || before?.sound !== song.sound || urls(before) !== urls(song)) this.setSound(song, isNew ? before : song);
    this.pace.show(song);
    this.find("title").textContent = song.title;
    this.section.setAttribute("aria-label", song.title ? t("Player: {title}", { title: song.title }) : t("Song player"));
    this.showEdits();
    this.showChoice();
    if (this.selection || this.choice.locked.length) this.listener.keep(this.choice);
    if (song.play && song.play !== this.asked) {
      this.asked = song.play;
      this.play();
    }
  }

  empty() {
    this.pause();
    this.sound.release();
    this.song = null;
    this.setState("empty");
  }

  /** @param {Song} song */
  setSong(song) {
    const before = this.song, sameBars = JSON.stringify(before?.bars) === JSON.stringify(song.bars);
    if (!before && song.choice) this.restore(song.choice);
    else if (!sameBars) this.selection = null; // it would mean other bars
    const names = (/** @type {Song | null} */ of) => of?.tracks.map((track) => track.name).join();
    if (names(before) !== names(song)) for (const track of song.tracks) this.mixer.strip(track.name).muted = track.muted;
    this.keepPlace(before, song);
    this.song = song;
    if (!sameBars) this.roll.scale = 0;
    this.layTracks();
  }

  /**
   * With the same melody the next take stands where the last one stood.
   * @param {Song | null} before
   * @param {Song} song
   */
  keepPlace(before, song) {
    const stays = goesOn(before, song);
    if (!stays) this.pause();
    const at = before && stays ? this.position + shiftOf(before, song) : 0;
    this.at = at < song.length ? Math.max(0, at) : 0;
    if (!stays) this.roll.left = 0;
  }

  /** Draws the tracks that are seen. */
  layTracks() {
    if (!this.song) return;
    const tracks = this.tracks;
    this.roll.setSong({ ...this.song, tracks });
    this.find("tracks").replaceChildren(...tracks.map((track) => this.mixer.header(track, this.canRefill(track))));
    this.find("views").hidden = this.song.tracks.every((track) => track.is_melody);
    this.refresh();
  }

  /** The tracks that are seen. */
  get tracks() {
    const { tracks } = /** @type {Song} */ (this.song);
    return this.mixer.alone ? tracks.filter((track) => track.is_melody) : tracks;
  }

  /**
   * A component that was taken from the page and put back finds its choices in its value.
   * @param {Choice} choice
   */
  restore({ bars, locked }) {
    this.selection = bars && [bars[0] - 1, bars[1] - 1];
    for (const name of locked) this.mixer.strip(name).locked = true;
  }

  /**
   * Shows the band, or the melody alone.
   * @param {"band" | "melody"} what
   */
  hear(what) {
    this.mixer.alone = what === "melody";
    for (const name of ["band", "melody"]) this.find(`hear-${name}`).setAttribute("aria-pressed", String(name === what));
    this.layTracks();
  }

  // -- the sound ------------------------------------------------------------------------------------------------------

  /**
   * Takes what plays the song, which goes on where it played one with the same melody.
   * @param {Song} song
   * @param {Song | null} before
   */
  setSound(song, before) {
    const sound = song.sound === "live" && !this.fault ? this.live : this.files;
    const isSame = sound === this.sound && sound.isRunning && goesOn(before, song);
    const runs = this.sound.isRunning;
    if (sound !== this.sound) this.sound.release();
    this.sound = sound;
    sound.setSong(song, isSame && before ? shiftOf(before, song) : null);
    this.section.classList.toggle("live", sound === this.live);
    this.find("source").textContent = this.sourceWords;
    if (runs && !sound.isRunning) {
      this.wanted = true; // it was not stopped by the visitor
      this.showPlaying(false);
    }
    this.applyMix();
    this.getReady(song);
  }

  /** @param {Song} song */
  async getReady(song) {
    if (!(await this.load()) || song !== this.song) return;
    if (this.sound.isRunning) return this.setState("playing");
    if (this.wanted) await this.begin();
    else this.setState("ready");
  }

  get sourceWords() {
    if (this.mixer.unfit) return t("A recording can't follow another tempo or key: the piano plays in its place.");
    if (this.sound === this.live) return t("Live sound. The files are mastered, with the same instruments.");
    return this.song?.sound === "none" ? "" : t("Rendered sound, as in the files.");
  }

  /**
   * Whether the sound is there in the end.
   * @returns {Promise<boolean>}
   */
  async load() {
    const { song, sound } = this;
    if (!song) return false;
    if (sound === this.files && song.sound !== "there") return this.waitForServer(song);
    if (sound.isLoaded && sound.isRunning) return true;
    try {
      const all = sound.load((done, of) => song === this.song && this.setState("loading", t("loading sounds {done}/{all}", { done, all: of })));
      await within(PATIENCE.live, all);
    } catch (error) {
      if (song !== this.song) return false;
      if (error instanceof CannotPlay) return this.leaveLive(error);
      this.fail(t("The sounds could not be loaded. Press play to try again."));
      return false;
    }
    return song === this.song && sound.isLoaded;
  }

  /**
   * The browser can't play live, so that the server has to make the sound.
   * @param {Error} error
   * @returns {Promise<boolean>}
   */
  leaveLive(error) {
    console.info(`The sound comes from the server: ${error.message}.`);
    this.fault = error.message;
    this.live.release();
    this.sound = this.files;
    this.files.setSong(/** @type {Song} */ (this.song));
    this.find("source").textContent = this.sourceWords;
    this.section.classList.remove("live");
    return this.load();
  }

  /** @param {Song} song */
  waitForServer(song) {
    if (song.sound === "none") this.fail(t("There can be no sound here; the notes and the MIDI file are complete."));
    else {
      if (song.sound === "live" || this.state === "error") this.listener.ask();
      this.setState("loading", t("The server makes the sound…"));
      clearTimeout(this.patience);
      this.patience = setTimeout(() => {
        if (song === this.song && this.state === "loading") this.fail(t("The sound did not come. Press play to ask again."));
      }, 1000 * PATIENCE.server);
    }
    return false;
  }

  /** @param {string} words */
  fail(words) {
    this.pause();
    this.setState("error", words);
  }

  /**
   * @param {State} state
   * @param {string} [words] that are seen; without them the state is told to screen readers alone
   */
  setState(state, words) {
    const heard = { empty: "", loading: t("loading"), ready: t("ready"), playing: t("playing"), paused: t("paused"), ended: t("ended"), error: "" };
    const status = this.find("status");
    status.textContent = words ?? heard[state];
    status.classList.toggle("quiet", !words && state !== "ready");
    if (this.state === state) return;
    this.state = state;
    this.section.dataset.state = state;
    this.section.dispatchEvent(new CustomEvent("player:state", { bubbles: true, detail: { state } }));
  }

  /** Whether a track is heard.
   * @param {string} name
   */
  isHeard(name) {
    const tracks = this.song?.tracks ?? [], track = tracks.find((each) => each.name === name);
    return !!track && this.mixer.isHeard(track, tracks);
  }

  applyMix() {
    const tracks = this.song?.tracks ?? [];
    for (const track of tracks) this.sound.setLevel(track.name, this.mixer.level(track, tracks));
  }

  // -- playing --------------------------------------------------------------------------------------------------------

  get position() {
    return this.sound.isRunning ? Math.min(this.sound.position, this.roll.end) : this.at;
  }

  /** Plays, as soon as the sound is there. */
  async play() {
    if (!this.song || (this.wanted && this.state !== "error")) return;
    for (const other of players) if (other !== this) other.pause();
    this.wanted = true;
    this.sound.unlock();
    const { song } = this;
    if ((await this.load()) && song === this.song && this.wanted) await this.begin();
  }

  /** Begins what is loaded. */
  async begin() {
    const { song, sound } = this;
    if (sound.isRunning || !song) return;
    const can = await sound.canSound();
    if (song !== this.song || sound !== this.sound || !this.wanted || sound.isRunning) return;
    if (!can) {
      this.wanted = false; // the browser wants a click first
      return this.setState("ready", t("Press play to hear it."));
    }
    this.follow = true;
    if (this.at > song.length - 0.05) this.at = 0;
    this.start(this.at, true);
    requestAnimationFrame(() => this.tick());
  }

  /**
   * @param {number} at
   * @param {boolean} begins whether it did not play before
   */
  start(at, begins = false) {
    this.applyMix();
    const loop = this.loop;
    this.sound.play(loop && at >= loop[1] ? loop[0] : at, loop, begins);
    this.showPlaying(true);
    this.setState("playing");
  }

  /** @param {boolean} plays */
  showPlaying(plays) {
    this.section.classList.toggle("playing", plays);
    this.find("play").setAttribute("aria-label", plays ? t("Pause") : t("Play"));
  }

  pause() {
    const waited = this.wanted && !this.sound.isRunning;
    this.wanted = false; // also what is still loading shall not begin
    if (waited && this.sound.isLoaded) this.setState("paused");
    if (!this.sound.isRunning) return;
    this.at = this.position;
    this.sound.stop();
    this.showPlaying(false);
    this.setState("paused");
    this.showPosition();
  }

  finish() {
    this.wanted = false;
    this.at = 0;
    this.showPlaying(false);
    this.setState("ended");
    this.reveal();
  }

  /** @param {number} time */
  seek(time) {
    if (!this.song) return;
    this.follow = true;
    this.at = clamp(time, 0, this.song.length);
    if (this.sound.isRunning) this.start(this.at);
    this.reveal();
  }

  /**
   * By `step` bars; back goes first to the beginning of this one.
   * @param {number} step
   */
  seekBars(step) {
    if (!this.song) return;
    const { bars } = this.song, bar = this.roll.barAt(this.position);
    const inside = step < 0 && this.position - bars[bar] > 0.4 ? 1 : 0;
    this.seek(bars[clamp(bar + step + inside, 0, bars.length - 2)]);
  }

  /** What is repeated: the selected bars, or all. @returns {[number, number] | null} */
  get loop() {
    if (!this.loops || !this.song) return null;
    const [first, last] = this.selection ?? [0, this.song.bars.length - 2];
    const end = this.sound === this.files ? this.files.duration : Infinity;
    return [this.song.bars[first], Math.min(this.song.bars[last + 1], end)];
  }

  toggleLoop() {
    this.loops = !this.loops;
    this.find("loop").setAttribute("aria-pressed", String(this.loops));
    this.changeLoop();
  }

  /** Plays on under a loop that has changed. */
  changeLoop() {
    const { loop } = this;
    if (!this.sound.isRunning) return;
    if (loop && this.position >= loop[1]) this.start(loop[0]);
    else this.sound.setLoop(loop);
  }

  /** A metronome while the song plays, or none. */
  toggleClicks() {
    const clicks = !this.live.clicks;
    this.find("metronome").setAttribute("aria-pressed", String(clicks));
    this.live.setClicks(clicks).catch(() => this.fail(t("The sounds could not be loaded. Press play to try again.")));
  }

  /** A bar of clicks before the song begins, or none. */
  toggleCount() {
    this.live.counts = !this.live.counts;
    this.find("count").setAttribute("aria-pressed", String(this.live.counts));
  }

  /** @param {number} factor of the song's own tempo */
  setTempo(factor) {
    this.tempo = factor;
    this.sound.setTempo(factor);
    this.fit();
    this.showPosition();
  }

  /** @param {number} steps semitones */
  setTranspose(steps) {
    this.steps = steps;
    this.sound.setTranspose(steps);
    this.roll.steps = steps;
    this.roll.key = keyAt(this.song?.finish.key ?? null, steps);
    this.fit();
    this.draw();
  }

  /** Where a recording can't follow, the piano plays in its place. */
  fit() {
    const unfit = !this.pace?.isOwn && !!this.song?.tracks.some((track) => track.program === null);
    if (unfit === this.mixer.unfit) return;
    this.mixer.unfit = unfit;
    this.find("source").textContent = this.sourceWords;
    this.refresh();
  }

  tick() {
    if (!this.sound.isRunning) return;
    if (!this.section.isConnected) return this.leave();
    this.showPosition();
    requestAnimationFrame(() => this.tick());
  }

  /** Gradio has taken the player from the page. */
  leave() {
    this.sound.release();
    this.theme.disconnect();
  }

  // -- the picture ----------------------------------------------------------------------------------------------------

  refresh() {
    if (!this.song || !this.section.clientWidth) return;
    this.roll.layOut();
    this.roll.readColours();
    this.section.querySelectorAll(".track").forEach((/** @type {any} */ header, i) => {
      const { colour, track } = this.roll.lanes[i];
      header.style.setProperty("--shade", colour);
      header.classList.toggle("silent", !this.isHeard(track.name));
    });
    this.applyMix();
    this.draw();
    this.showPosition();
  }

  draw() {
    if (this.song) this.roll.draw(this.selection, (name) => this.isHeard(name));
  }

  showPosition() {
    if (!this.song) return;
    const { roll } = this, now = this.position;
    if (this.sound.isRunning && this.follow && this.keepUp(now)) this.draw();
    this.find("playhead").style.transform = `translateX(${now * roll.scale - roll.left}px)`;
    const length = this.song.length / this.tempo;
    this.write("time", `${minutes(Math.min(now / this.tempo, length))} / ${minutes(length)}`);
    const counts = this.sound === this.live && this.live.isCounting;
    this.write("place", counts ? t("count-in") : t("bar {bar}", { bar: roll.barAt(now) + this.song.first_bar }));
  }

  /**
   * @param {string} name
   * @param {string} words
   */
  write(name, words) {
    const element = this.find(name);
    if (element.textContent !== words) element.textContent = words;
  }

  /**
   * Moves the window along with the playhead: steadily, or page by page for who wants little motion. Whether it moved.
   * @param {number} now
   */
  keepUp(now) {
    const { roll } = this, before = roll.left, x = now * roll.scale;
    if (!this.calm.matches) roll.moveTo(x - 0.35 * roll.width);
    else if (x < roll.left || x > roll.left + 0.97 * roll.width) roll.moveTo(x - 0.03 * roll.width);
    return roll.left !== before;
  }

  /** Brings the playhead into the window. */
  reveal() {
    const { roll } = this, x = this.position * roll.scale;
    if (x < roll.left || x > roll.left + roll.width) roll.moveTo(x - 0.1 * roll.width);
    this.draw();
    this.showPosition();
  }

  /**
   * @param {number} factor
   * @param {number} [at] pixel of the window that stays in its place
   */
  zoom(factor, at) {
    if (!this.song) return;
    const head = this.position * this.roll.scale - this.roll.left, inside = head >= 0 && head <= this.roll.width;
    this.roll.zoom(factor, at ?? (inside ? head : this.roll.width / 2));
    this.draw();
    this.showPosition();
  }

  // -- edits ----------------------------------------------------------------------------------------------------------

  /** Shows what can be edited of a song, and what an edit calls for. */
  showEdits() {
    this.notes.take();
    this.desk.show();
    this.chordPanel.take();
    this.refillPanel.take();
    this.fitTools();
  }

  /** Shows which way of editing is on. */
  fitTools() {
    const { panel } = this.desk;
    this.find("edit-notes").hidden = !this.notes.track;
    this.find("edit-notes").setAttribute("aria-pressed", String(this.notes.isOn));
    this.find("edit-chords").hidden = !this.song?.places.length;
    this.find("edit-chords").setAttribute("aria-pressed", String(panel === this.chordPanel));
    this.find("hint").hidden = !this.song?.places.length;
  }

  /** The song has other notes: they are seen, and heard where it plays. */
  changeNotes() {
    const { song, sound } = this;
    if (!song) return;
    if (sound === this.live) {
      sound.setSong(song, sound.isRunning ? 0 : null);
      this.applyMix();
    }
    this.layTracks();
  }

  /** Draws a track with other notes, whose lane stays. @param {import("./types").Track} track */
  redraw(track) {
    const lane = this.roll.lanes.find((each) => each.track.name === track.name);
    if (lane) Object.assign(lane, { track, onsets: track.notes.map((note) => note[1]), longest: Math.max(...track.notes.map((note) => note[2])) });
    this.draw();
  }

  /**
   * Lets a note of the melody be heard, where nothing plays.
   * @param {number} pitch
   * @param {number} velocity
   * @param {number} seconds
   */
  strike(pitch, velocity, seconds) {
    if (!this.sound.isRunning && this.sound === this.live) /** @type {any} */ (this.live).strike?.(pitch, velocity, seconds);
  }

  /** Whether bars of a track can be played anew. @param {import("./types").Track} track */
  canRefill(track) {
    return !track.is_melody && !!this.song?.places.length;
  }

  /** Brings a time into the window. @param {number} time */
  bring(time) {
    const { roll } = this, x = time * roll.scale;
    if (x < roll.left + 20 || x > roll.left + roll.width - 60) roll.moveTo(x - 0.3 * roll.width);
    this.follow = false;
    this.draw();
    this.showPosition();
  }

  // -- selection and locks --------------------------------------------------------------------------------------------

  /**
   * @param {[number, number] | null} selection
   * @param {boolean} done whether the visitor has let go
   */
  select(selection, done = true) {
    this.selection = selection;
    this.draw();
    this.showChoice();
    if (done) this.tell();
    if (done && this.loops) this.changeLoop();
  }

  /** @returns {Choice} */
  get choice() {
    const tracks = this.song?.tracks ?? [];
    return {
      bars: this.selection && [this.selection[0] + 1, this.selection[1] + 1],
      locked: tracks.map((track) => track.name).filter((name) => this.mixer.strip(name).locked),
    };
  }

  showChoice() {
    this.find("picked").hidden = !this.selection;
    if (!this.selection || !this.song) return;
    const [from, to] = [this.selection[0] + this.song.first_bar, this.selection[1] + this.song.first_bar];
    const words = from === to ? t("Bar {bar}", { bar: from }) : t("Bars {first}–{last}", { first: from, last: to });
    /** @type {HTMLElement} */ (this.find("picked").firstElementChild).textContent = words;
  }

  tell() {
    this.listener.keep(this.choice);
    this.listener.choice(this.choice);
  }

  /**
   * Moves the end of the selection, which begins where the playhead is, by a bar.
   * @param {number} step
   */
  extend(step) {
    if (!this.song) return;
    const here = this.roll.barAt(this.position), [from, to] = this.selection ?? [here, here - Math.max(step, 0)];
    this.select([from, clamp(to + step, from, this.song.bars.length - 2)]);
  }
}

/**
 * Whether a song is played on where another one was: its melody is the same, or an edited one.
 * @param {Song | null} before
 * @param {Song} song
 */
const goesOn = (before, song) => !!before && (before.melody === song.melody || isFamily(before, song));

/**
 * @param {Song} before
 * @param {Song} song
 */
const isFamily = (before, song) => song.family !== "" && before.family === song.family && Math.abs(before.bars[1] - song.bars[1]) < 1e-3;

/**
 * How much later the same place is in another song with this melody, which may have an introduction.
 * @param {Song} before
 * @param {Song} song
 */
const shiftOf = (before, song) => (before.melody === song.melody ? song.start - before.start : 0);

/** @param {Song | null} song */
const urls = (song) => JSON.stringify(Object.entries(song?.stems ?? {}).map(([track, file]) => [track, file.url]));

/**
 * @template R
 * @param {number} seconds
 * @param {Promise<R>} work
 * @returns {Promise<R>}
 */
function within(seconds, work) {
  return new Promise((resolve, reject) => {
    const clock = setTimeout(() => reject(new Error(`it took more than ${seconds} seconds`)), 1000 * seconds);
    work.then(resolve, reject).finally(() => clearTimeout(clock));
  });
}
