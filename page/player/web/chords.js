// @ts-check
// Names of chords and keys, also in another key. They are spelled as accomp/music/spelling.py does it.

/** @typedef {[number, boolean]} Key tonic, and whether it is minor */

const LETTERS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]; // of major keys, as most players read them
const MINOR_NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];
// Places on the line of fifths: F -1, C 0, G 1. By semitones above a chord's root, the place of the tone beside the root's.
const FIFTHS = "FCGDAEB", TONES = [0, -5, 2, -3, 4, -1, -6, 1, -4, 3, -2, 5];

/**
 * @param {number} x
 * @param {number} by
 */
const modulo = (x, by) => ((x % by) + by) % by;

/** @param {Key} key */
export const keyTonic = ([tonic, isMinor]) => (isMinor ? MINOR_NAMES : NAMES)[modulo(tonic, 12)];

/**
 * @param {Key | null} key
 * @param {number} steps semitones
 * @returns {Key | null}
 */
export const keyAt = (key, steps) => key && [modulo(key[0] + steps, 12), key[1]];

/** The name at a place of the line of fifths, the simpler one of extreme ones. @param {number} place */
function nameAt(place) {
  const near = place > 12 ? place - 12 : place < -8 ? place + 12 : place, signs = Math.floor((near + 1) / 7);
  return FIFTHS[modulo(near + 1, 7)] + (signs < 0 ? "b" : "#").repeat(Math.abs(signs));
}

/** @param {string} name such as "F#" */
function pitchClass(name) {
  const signs = [...name.slice(1)].reduce((sum, sign) => sum + (sign === "#" ? 1 : -1), 0);
  return LETTERS[/** @type {"C"} */ (name[0])] + signs;
}

/**
 * @param {string} symbol such as "F#m7/C#"
 * @param {number} steps semitones
 * @param {Key | null} key that it is in then; null where that is not known
 */
export function transposed(symbol, steps, key = null) {
  const parts = /^([A-G][#b]*)(.*?)(?:\/([A-G][#b]*))?$/.exec(symbol);
  if (!steps || !parts) return symbol;
  const [, root, quality, bass] = parts, tone = modulo(pitchClass(root) + steps, 12);
  const major = key ? key[0] + (key[1] ? 3 : 0) : 0, fifths = key ? modulo(7 * major + 5, 12) - 5 : 0;
  // A diminished chord mostly leads up by a semitone, so that its root is sharp rather than flat.
  const low = fifths - (quality.startsWith("dim") ? 1 : 5), place = low + modulo(7 * tone - low, 12);
  const rest = bass ? `/${nameAt(place + TONES[modulo(pitchClass(bass) - pitchClass(root), 12)])}` : "";
  return nameAt(place) + quality + rest;
}
