// @ts-check
// What edits do to the notes of a melody. Times are in beats. One note sounds at a time: what an edited note covers gives way.

/** @typedef {import("./types").Placed} Placed */

export const STEP = 0.25; // beats: a sixteenth, by which notes are moved
export const SHORTEST = 0.125;
const EPSILON = 1e-3;
const NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/** @param {number} pitch */
export const pitchName = (pitch) => `${NAMES[((pitch % 12) + 12) % 12]}${Math.floor(pitch / 12) - 1}`;

/** Beats and seconds of a song. */
export class Clock {
  /** @param {[number, number][]} points beats and seconds, between which time passes evenly; at least two */
  constructor(points) {
    this.points = points;
  }

  /**
   * @param {number} x
   * @param {0 | 1} from
   * @param {0 | 1} to
   */
  read(x, from, to) {
    const { points } = this;
    let i = 1;
    while (i < points.length - 1 && points[i][from] < x) i++;
    const [a, b] = [points[i - 1], points[i]];
    return a[to] + ((x - a[from]) * (b[to] - a[to])) / (b[from] - a[from]);
  }

  /** @param {number} seconds */
  beats(seconds) {
    return this.read(seconds, 1, 0);
  }

  /** @param {number} beats */
  seconds(beats) {
    return this.read(beats, 0, 1);
  }
}

/** @param {Placed} note */
const endOf = (note) => note.onset + note.length;

/**
 * Whether two notes sound together.
 * @param {Placed} a
 * @param {Placed} b
 */
const overlap = (a, b) => a.onset < endOf(b) - EPSILON && b.onset < endOf(a) - EPSILON;

/**
 * Puts a note among others, which give way. Those that sounded with `before` already are the file's own chord, and stay.
 * @param {Placed[]} others
 * @param {Placed} note
 * @param {Placed | null} before
 * @returns {{notes: Placed[], index: number}}
 */
function among(others, note, before) {
  /** @type {Placed[]} */
  const notes = [];
  for (const other of others) {
    const stays = !overlap(other, note) || (before && overlap(other, before));
    if (stays) notes.push(other);
    else notes.push(...whatIsLeft(other, note));
  }
  notes.push(note);
  notes.sort((a, b) => a.onset - b.onset || a.pitch - b.pitch);
  return { notes, index: notes.indexOf(note) };
}

/**
 * What is left of a note beside one that it gives way to.
 * @param {Placed} other
 * @param {Placed} note
 */
function whatIsLeft(other, note) {
  if (other.onset < note.onset - EPSILON) {
    const length = note.onset - other.onset;
    return length >= SHORTEST - EPSILON ? [{ ...other, length }] : [];
  }
  const onset = endOf(note), length = endOf(other) - onset;
  return length >= SHORTEST - EPSILON ? [{ ...other, onset, length }] : [];
}

/**
 * Another pitch, place or length of a note.
 * @param {Placed[]} notes
 * @param {number} index
 * @param {Partial<Placed>} change
 */
export function changed(notes, index, change) {
  const before = notes[index];
  return among(notes.filter((_, at) => at !== index), { ...before, ...change }, before);
}

/**
 * @param {Placed[]} notes
 * @param {Placed} note
 */
export function added(notes, note) {
  const next = notes.find((other) => other.onset > note.onset + EPSILON);
  const room = next ? next.onset - note.onset : Infinity;
  return among(notes, { ...note, length: Math.max(Math.min(note.length, room), SHORTEST) }, null);
}

/**
 * @param {Placed[]} notes
 * @param {number} index
 */
export function removed(notes, index) {
  const left = notes.filter((_, at) => at !== index);
  return { notes: left, index: Math.min(index, left.length - 1) };
}
