// @ts-check
// Edits the melody's notes on the roll: with pointers, keys, and the buttons of its panel.

import { History } from "./history.js";
import { Clock, STEP, SHORTEST, added, changed, pitchName, removed } from "./notes.js";
import { NotesPanel } from "./notespanel.js";
import { clamp } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./types").Placed} Placed */
/** @typedef {import("./types").Track} Track */
/** @typedef {import("./player.js").Player} Player */

const USUAL = { length: 1, velocity: 90 };
const EDGE = 9; // pixels at the right end of a note by which it is lengthened
const BEAT = 40; // pixels that it has at least while notes are edited, so that they can be grasped
const WAIT = 200; // ms after an edit until it is told, within which others may follow

export class NoteEditor {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.isOn = false;
    /** @type {Placed[]} */
    this.notes = [];
    /** @type {number | null} */
    this.selected = null;
    /** @type {History<Placed[]>} */
    this.history = new History(/** @type {Placed[]} */ ([]));
    this.clock = new Clock([[0, 0], [1, 1]]);
    this.turn = 0; // of the last edit, by which the song that comes of it is known
    this.told = 0; // the last one that the page was told of
    /** @type {{kind: "move" | "stretch", from: Placed[], index: number, beat: number, y: number, moved: boolean} | null} */
    this.drag = null;
    this.panel = new NotesPanel(this);
  }

  /** @returns {Track | undefined} */
  get track() {
    return this.player.song?.tracks.find((track) => track.is_melody && track.program !== null);
  }

  get lane() {
    return this.player.roll.lanes.find((lane) => lane.track.name === this.track?.name);
  }

  toggle() {
    if (this.isOn) this.stop();
    else this.start();
  }

  start() {
    if (!this.track) return;
    this.isOn = true;
    this.player.mixer.strip(this.track.name).muted = false; // beside a recording it is silent at first
    this.player.section.classList.add("editing");
    this.show();
    this.player.desk.open(this.panel);
    const { roll } = this.player, wide = (roll.scale * this.clock.seconds(this.end)) / this.end;
    if (wide < BEAT) this.player.zoom(BEAT / wide);
  }

  stop() {
    this.isOn = false;
    this.drag = null;
    this.selected = null;
    this.send();
    this.player.section.classList.remove("editing");
    this.player.roll.edited = null;
    this.player.desk.close(this.panel);
    this.player.layTracks();
  }

  /** A song was shown: one that came of the last edit has its notes here already. */
  take() {
    const { song } = this.player;
    if (!song || (song.turn && song.turn === this.turn)) return;
    this.clock = new Clock(song.clock);
    this.notes = (this.track?.notes ?? []).map(([pitch, onset, duration, velocity]) => {
      const begin = this.clock.beats(onset);
      return { pitch, velocity, onset: begin, length: this.clock.beats(onset + duration) - begin };
    });
    this.history = new History(this.notes);
    this.selected = null;
    this.turn = 0;
    if (this.isOn && !this.track) this.stop();
  }

  /** Draws the roll with what is edited. */
  show() {
    this.player.roll.edited = this.isOn && this.track ? { name: this.track.name, selected: this.selected } : null;
    this.player.layTracks();
    this.panel.refresh();
  }

  /** Whether a song is one from before the last edit.
   * @param {import("./types").Song} song
   */
  isOld(song) {
    return song.turn > 0 && song.turn < this.turn;
  }

  // -- edits ----------------------------------------------------------------------------------------------------------

  /**
   * Shows notes, and is done with them or, while something is dragged, not yet.
   * @param {{notes: Placed[], index: number | null}} edit
   */
  put({ notes, index }, done = true) {
    if (!notes.length) return this.panel.say(t("A melody needs at least one note."));
    this.notes = notes;
    this.selected = index;
    if (done && notes !== this.history.now) this.history.add(notes);
    this.write(done);
    if (done) this.sound();
  }

  /** @param {boolean} done */
  write(done) {
    const { track, player, clock } = this;
    if (!track) return;
    track.notes = this.notes.map(({ pitch, onset, length, velocity }) => {
      const begin = clock.seconds(onset);
      return [pitch, begin, clock.seconds(onset + length) - begin, velocity];
    });
    player.roll.edited = { name: track.name, selected: this.selected };
    if (!done) return player.redraw(track);
    this.turn = Math.max(Date.now(), this.turn + 1);
    player.changeNotes();
    this.panel.refresh();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.send(), WAIT);
  }

  /** Tells the page what was edited. */
  send() {
    clearTimeout(this.waiting);
    if (!this.turn || this.turn === this.told) return;
    this.told = this.turn;
    const notes = this.notes.map(({ pitch, onset, length, velocity }) => [pitch, onset, length, velocity]);
    this.player.listener.edit({ notes, turn: this.turn });
  }

  /** @param {-1 | 1} step */
  step(step) {
    const before = this.history.now, notes = this.history.move(step);
    if (notes === before) return;
    this.notes = notes;
    this.selected = null;
    this.write(true);
    this.panel.say(step < 0 ? t("Undone.") : t("Done again."));
  }

  /** The note that is chosen is heard where nothing plays. */
  sound() {
    const note = this.selected === null ? null : this.notes[this.selected];
    if (note) this.player.strike(note.pitch, note.velocity, 0.35);
    this.panel.tell(note);
  }

  /** @param {number | null} index */
  choose(index) {
    this.selected = index;
    if (this.track) this.player.roll.edited = { name: this.track.name, selected: index };
    this.player.draw();
    this.panel.refresh();
    this.sound();
    if (index !== null) this.player.bring(this.clock.seconds(this.notes[index].onset));
  }

  /** @param {-1 | 1} step */
  chooseNext(step) {
    const { notes } = this;
    if (this.selected !== null) return this.choose(clamp(this.selected + step, 0, notes.length - 1));
    const here = this.clock.beats(this.player.position);
    const next = notes.findIndex((note) => note.onset + note.length > here + 1e-3);
    this.choose(next < 0 ? notes.length - 1 : next);
  }

  /** @param {Partial<Placed>} change of what is chosen */
  change(change) {
    if (this.selected !== null) this.put(changed(this.notes, this.selected, change));
  }

  /** @param {number} steps semitones */
  higher(steps) {
    if (this.selected !== null) this.change({ pitch: clamp(this.notes[this.selected].pitch + steps, 0, 127) });
  }

  /** @param {number} steps of STEP beats */
  later(steps) {
    if (this.selected === null) return;
    const { onset, length } = this.notes[this.selected];
    this.change({ onset: clamp(onset + steps * STEP, 0, this.end - length) });
  }

  /** @param {number} steps of STEP beats */
  longer(steps) {
    if (this.selected === null) return;
    const { onset, length } = this.notes[this.selected];
    this.change({ length: clamp(length + steps * STEP, SHORTEST, this.end - onset) });
  }

  remove() {
    if (this.selected !== null) this.put(removed(this.notes, this.selected));
  }

  /** Adds a note behind the one that is chosen, else where the song stands. */
  add() {
    const chosen = this.selected === null ? null : this.notes[this.selected];
    const onset = chosen ? chosen.onset + chosen.length : Math.floor(this.clock.beats(this.player.position) / STEP) * STEP;
    const near = chosen ?? this.notes[0];
    this.addAt(Math.min(onset, this.end - STEP), near?.pitch ?? 60);
  }

  /**
   * @param {number} onset
   * @param {number} pitch
   */
  addAt(onset, pitch) {
    const velocity = this.notes.length ? Math.round(this.notes.reduce((sum, note) => sum + note.velocity, 0) / this.notes.length) : USUAL.velocity;
    this.put(added(this.notes, { pitch, onset, length: USUAL.length, velocity }));
  }

  /** Where the last bar ends. */
  get end() {
    return this.clock.beats(this.player.roll.end);
  }

  // -- pointers -------------------------------------------------------------------------------------------------------

  /**
   * What of a note is at a place of the roll.
   * @param {number} x
   * @param {number} y
   * @returns {{index: number, kind: "move" | "stretch"} | null}
   */
  at(x, y) {
    const { lane, player } = this, { roll } = player;
    if (!lane) return null;
    for (let index = this.notes.length - 1; index >= 0; index--) {
      const { pitch, onset, length } = this.notes[index];
      const [left, right] = [onset, onset + length].map((beat) => this.clock.seconds(beat) * roll.scale - roll.left);
      const middle = roll.middle(lane, pitch), tall = Math.max(roll.rowOf(lane) / 2, 7);
      if (Math.abs(y - middle) > tall || x < left - 2 || x > Math.max(right, left + 6) + 3) continue;
      const edge = Math.min(EDGE, (right - left) / 3);
      return { index, kind: x > right - edge ? "stretch" : "move" };
    }
    return null;
  }

  /** Whether a place is in the lane that is edited.
   * @param {number} y
   */
  holds(y) {
    const { lane } = this;
    return this.isOn && !!lane && y >= lane.top && y < lane.top + lane.height;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  press(x, y) {
    const found = this.at(x, y);
    this.drag = found && { ...found, from: this.notes, beat: this.beatAt(x), y, moved: false };
    if (found) this.choose(found.index);
    return !!found;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  pull(x, y) {
    const { drag, lane, player } = this;
    if (!drag || !lane) return;
    const { roll } = player, note = drag.from[drag.index];
    const steps = Math.round((this.beatAt(x) - drag.beat) / STEP);
    const rows = Math.round((drag.y - y) / roll.rowOf(lane));
    if (!drag.moved && !steps && (drag.kind === "stretch" || !rows)) return;
    drag.moved = true;
    const change = drag.kind === "stretch"
      ? { length: clamp(note.length + steps * STEP, SHORTEST, this.end - note.onset) }
      : { onset: clamp(note.onset + steps * STEP, 0, this.end - note.length), pitch: clamp(note.pitch + rows, 0, 127) };
    const before = this.selected === null ? null : this.notes[this.selected].pitch;
    this.put(changed(drag.from, drag.index, change), false);
    if (change.pitch !== undefined && change.pitch !== before) this.sound();
  }

  /** The beat at a place of the window. @param {number} x */
  beatAt(x) {
    const { roll } = this.player;
    return this.clock.beats((x + roll.left) / roll.scale);
  }

  /** Lets go. */
  release() {
    const { drag } = this;
    this.drag = null;
    if (drag?.moved) this.put({ notes: this.notes, index: this.selected });
  }

  /** What was dragged goes back to where it was. */
  cancel() {
    const { drag } = this;
    this.drag = null;
    if (drag?.moved) this.put({ notes: drag.from, index: drag.index }, false), this.player.refresh();
  }

  /**
   * A click between notes adds one.
   * @param {number} x
   * @param {number} y
   */
  click(x, y) {
    const { lane, player } = this, { roll } = player;
    if (!lane || this.at(x, y)) return;
    const onset = Math.floor(this.beatAt(x) / STEP + 1e-6) * STEP;
    this.addAt(clamp(onset, 0, this.end - STEP), roll.pitchAt(lane, y));
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was for notes
   */
  key(event) {
    if (!this.isOn) return false;
    const { shiftKey: shift, altKey: alt } = event;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => (shift ? this.longer(-1) : alt ? this.later(-1) : this.chooseNext(-1)),
      ArrowRight: () => (shift ? this.longer(1) : alt ? this.later(1) : this.chooseNext(1)),
      ArrowUp: () => this.higher(shift ? 12 : 1),
      ArrowDown: () => this.higher(shift ? -12 : -1),
      Delete: () => this.remove(),
      Backspace: () => this.remove(),
      Insert: () => this.add(),
      Enter: () => this.add(),
      Escape: () => (this.selected === null ? this.stop() : this.choose(null)),
    };
    if (!actions[event.key]) return false;
    actions[event.key]();
    return true;
  }

  /** @param {Placed} note */
  describe(note) {
    const seconds = this.clock.seconds(note.onset), { roll } = this.player;
    return t("{pitch}, bar {bar}, {beats} beats long", {
      pitch: pitchName(note.pitch + this.player.steps), bar: roll.barAt(seconds) + roll.firstBar, beats: Math.round(note.length * 100) / 100,
    });
  }
}
