// @ts-check
// Chord symbols in another key.

const LETTERS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
export const NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]; // as most players read them

/**
 * @param {string} symbol such as "F#m7/C#"
 * @param {number} steps semitones
 */
export function transposed(symbol, steps) {
  if (!steps) return symbol;
  return symbol.replace(/(^|\/)([A-G])([#b]*)/g, (_, before, letter, signs) => {
    const accidentals = [...signs].reduce((sum, sign) => sum + (sign === "#" ? 1 : -1), 0);
    const tone = LETTERS[/** @type {"C"} */ (letter)] + accidentals + steps;
    return before + NAMES[((tone % 12) + 12) % 12];
  });
}
