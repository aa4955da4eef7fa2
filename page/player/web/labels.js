// @ts-check
// The words on the parts of a player that do not change.

import { t } from "./words.js";

/** @param {HTMLElement} section */
export function label(section) {
  /** Name and hint by class. @type {Record<string, [string, string]>} */
  const words = {
    start: [t("Back to the start"), t("Back to the start (Home)")],
    play: [t("Play"), t("Play or pause (space)")],
    loop: [t("Loop"), t("Repeat the selected bars, or all")],
    clear: [t("Clear the selection"), t("Clear the selection (Escape)")],
    out: [t("Zoom out"), t("Zoom out (Ctrl and wheel)")],
    in: [t("Zoom in"), t("Zoom in (Ctrl and wheel)")],
    views: [t("What is heard"), ""],
    tempo: [t("Tempo"), t("Tempo in beats a minute: you hear it at once, and all files have it")],
    pace: ["", t("Back to the song's own tempo")],
    transpose: [t("Key, in semitones"), t("Key, in semitones: you hear it at once, and all files have it")],
    metronome: [t("Metronome"), t("Metronome: click along")],
    count: [t("Count-in"), t("Count-in: a bar of clicks before it begins")],
    ruler: ["", t("Drag to select bars")],
    tools: [t("Edit"), ""],
    "edit-notes": ["", t("Move, lengthen, delete and add notes of the melody")],
    "edit-chords": ["", t("Change the chord where the song stands")],
  };
  for (const [name, [label, hint]] of Object.entries(words)) {
    const element = /** @type {HTMLElement} */ (section.querySelector(`.${name}`));
    if (label) element.setAttribute("aria-label", label);
    if (hint) element.title = hint;
  }
  /** Texts by class. @type {Record<string, string>} */
  const texts = {
    "hear-band": t("Band"),
    "hear-melody": t("Melody alone"),
    "edit-notes": t("Edit notes"),
    "edit-chords": t("Chords"),
    hint: matchMedia("(pointer: coarse)").matches
      ? t("Tap a chord to change it, and the round arrow to have bars of a player played anew.")
      : t("Click a chord to change it. Drag over a player's bars to have them played anew."),
  };
  for (const [name, text] of Object.entries(texts)) {
    /** @type {HTMLElement} */ (section.querySelector(`.${name}`)).textContent = text;
  }
}
