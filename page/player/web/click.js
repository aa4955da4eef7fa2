// @ts-check
// The clicks of a song: a metronome while it plays, and a bar that is counted in before. Times are in seconds of the song.

/** @typedef {import("./types").Song} Song */
/** @typedef {import("./types").Track} Track */
/** When, and whether it is the first of a bar. @typedef {[number, boolean]} Click */

export const KIT = "128-0"; // the instrument that clicks
const STRONG = [76, 127], WEAK = [77, 100]; // key and velocity: high and low wood block

/** The key and the velocity of a click.
 * @param {boolean} isFirst
 */
export const strokeOf = (isFirst) => (isFirst ? STRONG : WEAK);

/**
 * The pulses of a song as a track of clicks.
 * @param {Pick<Song, "bars" | "beats">} song
 * @returns {Pick<Track, "program" | "is_drum" | "controls" | "notes">}
 */
export function metronome({ bars, beats }) {
  const clicks = [...bars.slice(0, -1).map((time) => /** @type {Click} */ ([time, true])), ...beats.map((time) => /** @type {Click} */ ([time, false]))];
  clicks.sort(([one], [other]) => one - other);
  const notes = clicks.map(([time, isFirst]) => {
    const [key, velocity] = strokeOf(isFirst);
    return /** @type {import("./types").Note} */ ([key, time, 0.1, velocity]);
  });
  return { program: 0, is_drum: true, controls: [], notes };
}

/**
 * A bar of clicks before a place in a song, as seconds before it. They go on as its beats do.
 * @param {Pick<Song, "bars" | "beats" | "first_bar">} song
 * @param {number} at
 * @returns {Click[]}
 */
export function countIn({ bars, beats, first_bar }, at) {
  const here = Math.max(0, bars.filter((bar) => bar <= at + 1e-3).length - 1);
  const bar = Math.min(here === 0 && first_bar === 0 ? 1 : here, bars.length - 2); // a pickup is no whole bar
  const [start, end] = [bars[bar], bars[bar + 1]];
  const pulses = 1 + beats.filter((beat) => beat > start && beat < end).length, step = (end - start) / pulses;
  const last = Math.ceil((at - start) / step - 1e-3) - 1; // the pulse before `at`, counted from the bar line
  return Array.from({ length: pulses }, (_, i) => last - pulses + 1 + i).map((pulse) => {
    return [at - (start + pulse * step), ((pulse % pulses) + pulses) % pulses === 0];
  });
}
