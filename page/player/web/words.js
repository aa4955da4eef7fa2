// @ts-check
// The visitor's language: the page says how words are translated.

/**
 * Puts values in the places of a text that are named in braces.
 * @type {(text: string, values?: Record<string, string | number>) => string}
 */
let translate = (text, values = {}) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** @param {typeof translate} other */
export function setWords(other) {
  translate = other;
}

/**
 * A text in the visitor's language.
 * @param {string} text
 * @param {Record<string, string | number>} [values]
 */
export const t = (text, values = {}) => translate(text, values);
