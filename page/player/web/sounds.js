// @ts-check
// The sound of a part: a list of the General MIDI programs that fit it, which opens where its name stands.

import { make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./types").Track} Track */

/**
 * A track's name with the sound it has; a list lies over both, unseen until it opens.
 * @param {Track} track
 * @param {[number, string][]} fitting those that play what the part plays
 * @param {[number, string][]} more all others in its register, by General MIDI's names
 * @param {(program: number) => void} choose
 */
export function named(track, fitting, more, choose) {
  const label = t(track.label), { program } = track, name = make("div", { class: "name", title: label }, label);
  if (program === null || !fitting.length) return name;
  const known = [...fitting, ...more].some(([number]) => number === program);
  const all = known ? fitting : [.../** @type {[number, string][]} */ ([[program, t("Program {number}", { number: program + 1 })]]), ...fitting];
  const list = make("select", { class: "sounds", "aria-label": t("Sound of {track}", { track: label }) });
  for (const [number, words] of all) list.add(new Option(t(words), String(number)));
  const others = make("optgroup", { label: t("More in its register") });
  others.append(...more.map(([number, words]) => new Option(t(words), String(number))));
  if (more.length) list.append(others);
  list.value = String(program);
  list.onchange = () => choose(Number(list.value));
  const sound = make("div", { class: "sound", "aria-hidden": true }, list.selectedOptions[0].text);
  return make("div", { class: "patch" }, name, sound, list);
}
