// @ts-check
// The events of a song in time, for any synthesizer. No clock and no sound: it is told how far to go.

/** @typedef {import("./types").Track} Track */

/**
 * What receives the events. Channels are indices of tracks.
 * @typedef {object} Receiver
 * @property {(channel: number, pitch: number, velocity: number) => void} noteOn
 * @property {(channel: number, pitch: number) => void} noteOff
 * @property {(channel: number, number: number, value: number) => void} control
 */

export const CONTROL = 0, OFF = 1, ON = 2; // kinds of events, in their order at the same time
const SHORTEST = 0.02; // seconds of a note
const WORTH = 0.12; // seconds that a note must have left to be begun in its middle
const SAME = 0.03; // seconds between the onsets of what is the same note in two takes

/** Volume, pan, expression, pedal, reverb, chorus and bend of a channel that is told nothing. */
const USUAL = new Map([[7, 100], [10, 64], [11, 127], [64, 0], [91, 0], [93, 0], [128, 0]]);

/**
 * @typedef {object} Event
 * @property {number} time
 * @property {number} kind
 * @property {number} channel
 * @property {number} a pitch, or number of a controller
 * @property {number} b velocity, or value
 * @property {number} begun when the note began
 */

/** Plays the tracks of a song on a receiver. */
export class Sequencer {
  /** @param {Receiver} receiver */
  constructor(receiver) {
    this.receiver = receiver;
    /** @type {Track[]} */
    this.tracks = [];
    /** @type {Event[]} */
    this.events = [];
    this.next = 0;
    this.steps = 0; // by which all but drums are transposed
    /** What sounds: by channel and pitch as written, the pitch that sounds and when it began.
     * @type {Map<number, {pitch: number, velocity: number, begun: number}>} */
    this.sounding = new Map();
  }

  /** @param {Track[]} tracks */
  setTracks(tracks) {
    this.tracks = tracks;
    this.events = eventsOf(tracks);
    this.next = 0;
  }

  /**
   * Plays what comes before `time`.
   * @param {number} time
   */
  advance(time) {
    for (; this.next < this.events.length && this.events[this.next].time < time; this.next++) this.play(this.events[this.next]);
  }

  /** @param {Event} event */
  play({ kind, channel, a, b, begun }) {
    if (kind === CONTROL) this.receiver.control(channel, a, b);
    else if (kind === ON) this.begin(channel, a, b, begun);
    else if (this.sounding.get(key(channel, a))?.begun === begun) this.end(channel, a); // else a later one took its place
  }

  /**
   * @param {number} channel
   * @param {number} written
   * @param {number} velocity
   * @param {number} begun
   */
  begin(channel, written, velocity, begun) {
    const pitch = this.tracks[channel].is_drum ? written : written + this.steps;
    if (this.sounding.has(key(channel, written))) this.end(channel, written);
    if (pitch < 0 || pitch > 127) return;
    this.sounding.set(key(channel, written), { pitch, velocity, begun });
    this.receiver.noteOn(channel, pitch, velocity);
  }

  /**
   * @param {number} channel
   * @param {number} written
   */
  end(channel, written) {
    const note = this.sounding.get(key(channel, written));
    if (!note) return;
    this.sounding.delete(key(channel, written));
    this.receiver.noteOff(channel, note.pitch);
  }

  /** Ends all notes. */
  silence() {
    for (const each of [...this.sounding.keys()]) this.end(each >> 7, each & 127);
  }

  /**
   * Goes to a time: controllers get their values of then, and notes that are long enough begin in their middle. What sounds and
   * shall sound on is left alone where `keeps`, as from one take to another.
   * @param {number} time
   * @param {boolean} keeps
   */
  seek(time, keeps = false) {
    this.next = this.events.findIndex((event) => event.time >= time);
    if (this.next < 0) this.next = this.events.length;
    const wanted = this.soundingAt(time);
    for (const [each, note] of [...this.sounding]) {
      const same = keeps && wanted.get(each);
      if (same && Math.abs(same.begun - note.begun) < SAME) note.begun = same.begun;
      else this.end(each >> 7, each & 127);
    }
    this.control(time);
    for (const [each, note] of wanted) {
      if (!this.sounding.has(each) && note.end - time > WORTH) this.begin(each >> 7, each & 127, note.velocity, note.begun);
    }
  }

  /**
   * Sets controllers as they are at a time.
   * @param {number} time
   */
  control(time) {
    const values = this.tracks.map(() => new Map(USUAL));
    for (const { kind, channel, a, b, time: when } of this.events) {
      if (when >= time) break;
      if (kind === CONTROL) values[channel].set(a, b);
    }
    values.forEach((of, channel) => of.forEach((value, number) => this.receiver.control(channel, number, value)));
  }

  /**
   * The notes, but for drums, that have begun before a time and end after it.
   * @param {number} time
   * @returns {Map<number, {velocity: number, begun: number, end: number}>}
   */
  soundingAt(time) {
    const found = new Map();
    this.tracks.forEach((track, channel) => {
      if (track.is_drum) return;
      for (const [pitch, begun, duration, velocity] of track.notes) {
        if (begun < time && begun + duration > time) found.set(key(channel, pitch), { velocity, begun, end: begun + duration });
      }
    });
    return found;
  }

  /**
   * Transposes, also what sounds.
   * @param {number} steps
   */
  transpose(steps) {
    const held = [...this.sounding].filter(([each]) => !this.tracks[each >> 7].is_drum);
    for (const [each] of held) this.end(each >> 7, each & 127);
    this.steps = steps;
    for (const [each, note] of held) this.begin(each >> 7, each & 127, note.velocity, note.begun);
  }

  /**
   * Begins again what sounds in a channel: a synthesizer drops what was too soft to be heard.
   * @param {number} channel
   */
  renew(channel) {
    for (const [each, note] of [...this.sounding]) {
      if (each >> 7 === channel && !this.tracks[channel].is_drum) this.begin(channel, each & 127, note.velocity, note.begun);
    }
  }
}

/**
 * @param {number} channel
 * @param {number} pitch
 */
const key = (channel, pitch) => (channel << 7) | pitch;

/**
 * @param {Track[]} tracks
 * @returns {Event[]}
 */
export function eventsOf(tracks) {
  /** @type {Event[]} */
  const events = [];
  tracks.forEach((track, channel) => {
    if (track.program === null) return;
    for (const [time, a, b] of track.controls) events.push({ time, kind: CONTROL, channel, a, b, begun: time });
    for (const [a, time, duration, b] of track.notes) {
      events.push({ time, kind: ON, channel, a, b, begun: time });
      events.push({ time: time + Math.max(duration, SHORTEST), kind: OFF, channel, a, b: 0, begun: time });
    }
  });
  return events.sort((one, other) => one.time - other.time || one.kind - other.kind);
}
