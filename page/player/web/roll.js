// @ts-check
// The picture of a song: a piano roll on a canvas.

import { transposed } from "./chords.js";
import { clamp } from "./dom.js";
import { pitchName } from "./notes.js";
import { t } from "./words.js";

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Track} Track */

/**
 * Where a track is drawn, and what of it.
 * @typedef {object} Lane
 * @property {Track} track
 * @property {Map<number, number>} rows of a drum track, by key
 * @property {number} low
 * @property {number} high
 * @property {number[]} onsets
 * @property {number} longest
 * @property {number} height
 * @property {number} top
 * @property {string} colour
 */

const RULER = 24, CHORDS = 22; // heights above the first track
const LANE = { melody: 86, pitched: 64, row: 14, edited: 13 };
const AROUND = 5; // semitones above and below the notes that are edited
const FEWEST_ROWS = 18; // of a lane that is edited
const BLACK = [1, 3, 6, 8, 10];
const HEADER = 42; // height of a track's controls where they stand above its notes
const NARROW = 620; // a player less wide than this has no column for the controls
const SLOWEST = 26, FASTEST = 400; // pixels a second: at first at least, and at most

/**
 * The index of the last of rising `numbers` that is not above x; -1 if there is none.
 * @param {number[]} numbers
 * @param {number} x
 */
function lastUpTo(numbers, x) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * A colour made for white ground, lighter on dark ground.
 * @param {string} hex
 * @param {boolean} dark
 */
function shade(hex, dark) {
  const parts = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return `rgb(${parts.map((part) => Math.round(dark ? part + (255 - part) * 0.38 : part)).join(",")})`;
}

/** The picture. What it shows of a song lies between `left` and `left + width`, in pixels from the song's beginning. */
export class Roll {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.canvas = /** @type {HTMLCanvasElement} */ (section.querySelector("canvas"));
    this.scroll = /** @type {HTMLElement} */ (section.querySelector(".scroll"));
    this.left = this.width = this.height = this.end = 0;
    this.room = 0; // above a track's notes, for its controls
    this.scale = 0; // pixels a second; 0 until it is laid out
    this.steps = 0; // by which chord symbols are transposed
    /** The key in which they are then. @type {import("./chords.js").Key | null} */
    this.key = null;
    this.narrow = this.dark = false;
    this.font = "";
    /** @type {Lane[]} */
    this.lanes = [];
    /** @type {number[]} */
    this.chordOnsets = [];
    /** @type {Record<string, string>} */
    this.colours = {};
    /** @type {number[]} */
    this.bars = [0, 0];
    /** @type {number[]} */
    this.beats = [];
    /** @type {[number, string][]} */
    this.chords = [];
    this.firstBar = 1;
    /** The track whose notes are edited, and the note that is chosen. @type {{name: string, selected: number | null} | null} */
    this.edited = null;
    /** Seconds of the chord that is changed, and of the one under the pointer. @type {[number, number] | null} */
    this.place = null;
    /** @type {[number, number] | null} */
    this.hovered = null;
    /** Bars of one player. @type {{name: string, bars: [number, number]} | null} */
    this.picked = null;
  }

  /** @param {Song} song */
  setSong(song) {
    this.bars = song.bars;
    this.beats = song.beats;
    this.firstBar = song.first_bar;
    this.chords = song.chords;
    this.end = song.bars[song.bars.length - 1];
    this.lanes = song.tracks.map((track) => this.lane(track));
    this.chordOnsets = song.chords.map((chord) => chord[0]);
    this.canvas.setAttribute("aria-label", t("Piano roll of {tracks} tracks and {bars} bars", { tracks: song.tracks.length, bars: song.bars.length - 1 }));
  }

  /**
   * @param {Track} track
   * @returns {Lane}
   */
  lane(track) {
    const pitches = track.notes.map((note) => note[0]), rows = /** @type {Map<number, number>} */ (new Map());
    track.rows.forEach(([, keys], row) => keys.forEach((key) => rows.set(key, row)));
    let [low, high] = pitches.length ? [Math.min(...pitches), Math.max(...pitches)] : [60, 60];
    if (track.is_drum) [low, high] = [0, Math.max(track.rows.length - 1, 0)];
    const isEdited = track.name === this.edited?.name, fewest = isEdited ? FEWEST_ROWS : 13; // at least an octave: a step looks like a step
    const spare = track.is_drum ? 0 : isEdited ? Math.max(AROUND, Math.ceil((fewest - (high - low)) / 2)) : Math.max(1, (fewest - (high - low)) / 2);
    const count = high - low + 2 * spare + 1;
    const pitched = isEdited ? 8 + count * LANE.edited : LANE[track.is_melody ? "melody" : "pitched"];
    return {
      track, rows, low: low - spare, high: high + spare,
      onsets: track.notes.map((note) => note[1]),
      longest: track.notes.reduce((most, note) => Math.max(most, note[2]), 0),
      height: track.is_drum ? Math.max(LANE.pitched, LANE.row * track.rows.length + 8) : pitched,
      top: 0,
      colour: track.colour,
    };
  }

  /** Places all for the width there is. */
  layOut() {
    this.narrow = this.section.clientWidth < NARROW;
    // Before there is a band the page shows the notes alone.
    this.room = this.narrow && document.documentElement.dataset.stage !== "start" ? HEADER : 0;
    this.section.classList.toggle("narrow", this.narrow);
    this.width = this.scroll.clientWidth;
    let y = RULER + CHORDS;
    /** @type {NodeListOf<HTMLElement>} */
    const headers = this.section.querySelectorAll(".track");
    this.lanes.forEach((lane, index) => {
      headers[index].style.top = `${y}px`;
      headers[index].style.height = `${this.narrow ? HEADER : lane.height}px`;
      lane.top = y + this.room;
      y = lane.top + lane.height;
    });
    this.height = y;
    this.zoom(1);
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(y * ratio);
    this.canvas.style.cssText = `width:${this.width}px;height:${y}px`;
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    /** @type {HTMLElement} */ (this.canvas.parentElement).style.width = `${this.width}px`;
  }

  get pen() {
    return /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  }

  /**
   * Shows `factor` times as many pixels a second; what is at pixel `at` of the window stays there.
   * @param {number} factor
   */
  zoom(factor, at = 0) {
    const fitting = this.width / this.end, time = (this.left + at) / (this.scale || 1);
    this.scale = clamp((this.scale || Math.max(fitting, SLOWEST)) * factor, Math.min(fitting, SLOWEST), FASTEST);
    /** @type {HTMLElement} */ (this.scroll.firstElementChild).style.width = `${Math.max(this.end * this.scale, this.width)}px`;
    this.moveTo(time * this.scale - at);
  }

  /** @param {number} left */
  moveTo(left) {
    this.left = clamp(left, 0, Math.max(0, this.end * this.scale - this.width));
    this.scroll.scrollLeft = this.left;
  }

  /** @param {number} clientX */
  timeAt(clientX) {
    return clamp((clientX - this.canvas.getBoundingClientRect().left + this.left) / this.scale, 0, this.end);
  }

  /** Whether a place of the window is behind the last bar. @param {number} x */
  isBeyond(x) {
    return x > this.inside;
  }

  /** How much of the window the song takes; all of it, where it goes on. */
  get inside() {
    return Math.min(this.width, this.end * this.scale - this.left);
  }

  /** @param {number} time */
  barAt(time) {
    return clamp(lastUpTo(this.bars, time + 1e-3), 0, this.bars.length - 2);
  }

  /** @param {number} y */
  laneAt(y) {
    return this.lanes.find((lane) => y >= lane.top && y < lane.top + lane.height);
  }

  /** Whether a place is among the chord symbols.
   * @param {number} y
   */
  isChords(y) {
    return y >= RULER && y < RULER + CHORDS;
  }

  /** The height of a pitch.
   * @param {Lane} lane
   */
  rowOf({ low, high, height }) {
    return (height - 8) / (high - low + 1);
  }

  /**
   * Where the middle of a pitch is drawn.
   * @param {Lane} lane
   * @param {number} pitch
   */
  middle(lane, pitch) {
    return lane.top + 4 + (lane.high - pitch + 0.5) * this.rowOf(lane);
  }

  /**
   * @param {Lane} lane
   * @param {number} y
   */
  pitchAt(lane, y) {
    return clamp(Math.round(lane.high + 0.5 - (y - lane.top - 4) / this.rowOf(lane)), 0, 127);
  }

  /** Colours of the page's theme, which are asked for once and not in every frame. */
  readColours() {
    const style = getComputedStyle(this.section), read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.dark = !!document.querySelector("body.dark, html.dark");
    this.colours = {
      line: read("--border-color-primary"), text: read("--body-text-color"), ground: read("--background-fill-primary"),
      band: read("--background-fill-secondary"), accent: read("--color-accent"),
    };
    this.font = style.fontFamily;
    for (const lane of this.lanes) lane.colour = shade(lane.track.colour, this.dark);
  }

  /**
   * @param {[number, number] | null} selection
   * @param {(track: string) => boolean} isHeard
   */
  draw(selection, isHeard) {
    const g = this.pen;
    g.clearRect(0, 0, this.width, this.height);
    g.fillStyle = this.colours.band;
    g.fillRect(0, 0, this.inside, RULER);
    if (selection) this.drawSelection(g, selection);
    this.drawGrid(g);
    for (const lane of this.lanes) this.drawLane(g, lane, isHeard(lane.track.name));
    if (this.picked) this.drawPicked(g, this.picked);
    this.drawNumbers(g);
    this.drawPlaces(g);
    this.drawChords(g);
  }

  /**
   * The bars of one player that are chosen.
   * @param {CanvasRenderingContext2D} g
   * @param {{name: string, bars: [number, number]}} picked
   */
  drawPicked(g, { name, bars }) {
    const lane = this.lanes.find((each) => each.track.name === name);
    if (!lane) return;
    const [left, right] = [this.bars[bars[0]], this.bars[bars[1] + 1]].map((time) => time * this.scale - this.left);
    this.frame(g, left, lane.top + 1, right - left, lane.height - 2);
  }

  /** The chord that is changed, and the one under the pointer. @param {CanvasRenderingContext2D} g */
  drawPlaces(g) {
    for (const place of [this.place, this.hovered]) {
      if (!place) continue;
      const [left, right] = place.map((time) => time * this.scale - this.left);
      this.frame(g, left + 1, RULER + 1, right - left - 2, CHORDS - 2);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  frame(g, x, y, width, height) {
    g.beginPath();
    g.roundRect(x, y, width, height, 4);
    g.fillStyle = g.strokeStyle = this.colours.accent;
    g.globalAlpha = 0.14;
    g.fill();
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    g.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {[number, number]} bars
   */
  drawSelection(g, [from, to]) {
    const [left, right] = [this.bars[from], this.bars[to + 1]].map((t) => t * this.scale - this.left);
    g.fillStyle = this.colours.accent;
    g.globalAlpha = 0.1;
    g.fillRect(left, RULER, right - left, this.height);
    g.globalAlpha = 0.45;
    g.fillRect(left, 0, right - left, RULER);
    g.globalAlpha = 1;
  }

  /**
   * Those of rising times that are in the window: [index, x].
   * @param {number[]} times
   */
  *visible(times) {
    for (let i = Math.max(0, lastUpTo(times, this.left / this.scale)); i < times.length; i++) {
      const x = times[i] * this.scale - this.left;
      if (x > this.width) return;
      if (x >= -1) yield [i, x];
    }
  }

  /** @param {CanvasRenderingContext2D} g */
  drawGrid(g) {
    const { bars, beats } = this, beatRoom = (this.scale * this.end) / (bars.length + beats.length);
    g.fillStyle = this.colours.line;
    g.globalAlpha = 0.5;
    if (beatRoom > 11) for (const [, x] of this.visible(beats)) g.fillRect(Math.round(x), RULER + CHORDS, 1, this.height);
    g.globalAlpha = 1;
    const every = this.every(6);
    for (const [i, x] of this.visible(bars)) if (i % every === 0) g.fillRect(Math.round(x), 0, 1, this.height);
    for (const lane of this.lanes) {
      if (this.room) g.clearRect(0, lane.top - this.room, this.width, this.room);
      g.fillRect(0, lane.top - this.room - 1, this.inside, 1);
    }
  }

  /**
   * Every how many bars there is room for one that needs `room` pixels.
   * @param {number} room
   */
  every(room) {
    const barRoom = (this.scale * this.end) / (this.bars.length - 1);
    return [1, 2, 4, 8, 16, 32, 64].find((count) => count * barRoom >= room) ?? 128;
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {Lane} lane
   * @param {boolean} heard
   */
  drawLane(g, lane, heard) {
    const { track, low, high, top, height } = lane, step = (height - 8) / (high - low + 1), from = this.left / this.scale;
    const y = (/** @type {number} */ row) => top + 4 + (high - row) * step;
    this.drawRows(g, lane, y, step);
    const last = lastUpTo(lane.onsets, from + this.width / this.scale);
    let first = Math.max(0, lastUpTo(lane.onsets, from - lane.longest));
    const isEdited = track.name === this.edited?.name;
    const tall = clamp(track.is_drum ? step - 4 : step, 3, 11), rounded = last - first < 600; // more rounded ones take long
    g.fillStyle = lane.colour;
    for (; first <= last; first++) {
      const [pitch, onset, duration, velocity, sure = 1] = track.notes[first]; // what is in doubt is pale
      const wide = track.is_drum ? clamp(this.scale * 0.07, 2, 7) : Math.max(2, duration * this.scale - 1);
      const x = onset * this.scale - this.left, middle = y(track.is_drum ? (lane.rows.get(pitch) ?? 0) : pitch) + step / 2;
      if (x + wide < 0) continue;
      g.globalAlpha = isEdited ? 1 : (0.35 + (0.65 * velocity) / 127) * (heard ? 1 : 0.2) * (0.3 + 0.7 * sure);
      if (!rounded) g.fillRect(x, middle - tall / 2, wide, tall);
      else g.beginPath(), g.roundRect(x, middle - tall / 2, wide, tall, 2), g.fill();
      if (isEdited && first === this.edited?.selected) this.drawChosen(g, x, middle, wide, tall);
    }
    g.globalAlpha = 1;
    if (track.rows.length) this.nameRows(g, lane, step);
  }

  /**
   * The note that is chosen, with the end by which it is lengthened.
   * @param {CanvasRenderingContext2D} g
   * @param {number} x
   * @param {number} middle
   * @param {number} wide
   * @param {number} tall
   */
  drawChosen(g, x, middle, wide, tall) {
    const { fillStyle } = g;
    g.strokeStyle = g.fillStyle = this.colours.text;
    g.lineWidth = 2;
    g.beginPath();
    g.roundRect(x - 1, middle - tall / 2 - 1, wide + 2, tall + 2, 3);
    g.stroke();
    g.fillRect(x + wide - 4, middle - tall / 2 + 2, 2, tall - 4);
    g.fillStyle = fillStyle;
  }

  /**
   * The rows of a lane that is edited, as the keys of a piano, and the names of its Cs.
   * @param {CanvasRenderingContext2D} g
   * @param {Lane} lane
   * @param {(row: number) => number} y
   * @param {number} step
   */
  drawKeys(g, { low, high }, y, step) {
    g.fillStyle = this.colours.band;
    for (let pitch = Math.ceil(low); pitch <= high; pitch++) {
      if (BLACK.includes(((pitch % 12) + 12) % 12)) g.fillRect(0, y(pitch), this.inside, step);
    }
    g.fillStyle = this.colours.text;
    g.font = `10px ${this.font}`;
    g.textBaseline = "middle";
    for (let c = 12 * Math.ceil(low / 12); c <= high; c += 12) g.fillText(pitchName(c + this.steps), 4, y(c) + step / 2);
  }

  /**
   * What is behind the notes: lines at octaves.
   * @param {CanvasRenderingContext2D} g
   * @param {Lane} lane
   * @param {(row: number) => number} y
   * @param {number} step
   */
  drawRows(g, lane, y, step) {
    const { track, low, high, height, top } = lane;
    if (track.name === this.edited?.name) this.drawKeys(g, lane, y, step);
    g.fillStyle = this.colours.line;
    g.globalAlpha = 0.7;
    const lowestC = track.is_drum ? Infinity : 12 * Math.ceil(low / 12);
    for (let c = lowestC; c <= high; c += 12) g.fillRect(0, Math.round(y(c) + step), this.inside, 1);
    g.globalAlpha = 1;
    g.fillStyle = this.colours.text;
    g.font = `10px ${this.font}`;
    g.textBaseline = "middle";
    if (!track.notes.length) g.fillText(t("silent"), 10, top + height / 2);
  }

  /**
   * At the right edge, or where the song ends, for on the left it begins.
   * @param {CanvasRenderingContext2D} g
   * @param {Lane} lane
   * @param {number} step
   */
  nameRows(g, { track, high, top, height }, step) {
    g.font = `9px ${this.font}`;
    g.fillStyle = this.colours.ground;
    g.globalAlpha = 0.85;
    const right = Math.max(this.inside, 46);
    g.fillRect(right - 46, top + 1, 46, height - 2);
    g.fillStyle = this.colours.text;
    track.rows.forEach(([name], row) => g.fillText(name, right - 41, top + 4 + (high - row + 0.5) * step));
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g */
  drawNumbers(g) {
    const every = this.every(34), count = this.bars.length - 1;
    g.font = `11px ${this.font}`;
    g.fillStyle = this.colours.text;
    g.textBaseline = "middle";
    for (const [i, x] of this.visible(this.bars)) {
      if (i < count && i % every === 0) g.fillText(String(i + this.firstBar), x + 5, RULER / 2 + 1);
    }
  }

  /** @param {CanvasRenderingContext2D} g */
  drawChords(g) {
    g.font = `600 12px ${this.font}`;
    g.fillStyle = this.colours.text;
    let free = -Infinity; // where the name before ends
    for (const [i, x] of this.visible(this.chordOnsets)) {
      if (x < free) continue;
      const name = transposed(this.chords[i][1], this.steps, this.key);
      g.fillText(name, x + 5, RULER + CHORDS / 2 + 1);
      free = x + g.measureText(name).width + 4;
    }
  }
}
