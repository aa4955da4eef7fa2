// @ts-check
// Connects a player to Gradio's component. It is called once for each, with what Gradio gives to scripts of gr.HTML.

import { band } from "./band.js";
import { label } from "./labels.js";
import { Player } from "./player.js";
import { setWords } from "./words.js";

/**
 * @typedef {object} Component
 * @property {HTMLElement} element
 * @property {{value: any}} props
 * @property {(event: string, data?: any) => void} trigger
 * @property {(name: string, action: () => void) => void} watch
 * @property {{bring_sound: (key: string) => Promise<string>, read_chord: (text: string) => Promise<string>}} server
 * @property {import("./types").Places} places
 * @property {((text: string, values?: any) => string)} [t]
 */

/** @param {Component} component */
export function mount({ element, props, trigger, watch, server, places, t }) {
  if (t) setWords(t);
  band.prepare(places, (key) => server.bring_sound(key));
  const section = /** @type {HTMLElement & {player: Player}} */ (element.querySelector(".player"));
  label(section);
  const player = new Player(section, {
    choice: (choice) => trigger("select", choice),
    // Into the value, which is what a handler with the player as its input gets. A new value from Python comes without.
    keep: (choice) => {
      const { id, song, stems } = props.value;
      props.value = { id, song, stems, choice };
    },
    pace: (chosen) => trigger("release", chosen),
    sound: (chosen) => trigger("submit", chosen),
    ask: () => trigger("download"),
    edit: (edit) => trigger("edit", edit),
    chords: (change) => trigger("apply", change),
    renew: (wish) => trigger("retry", wish),
    refill: (wish) => trigger("tick", wish),
    offer: (place) => trigger("expand", place),
    read: (text) => server.read_chord(text),
    step: (step) => /** @type {HTMLElement | null} */ (document.querySelector(`#takes .${step < 0 ? "undo" : "redo"}:not(:disabled)`))?.click(),
  });
  player.mixer.fitting = places.fitting;
  player.mixer.more = places.more;
  section.player = player;
  const show = () => {
    const { value } = props;
    player.show(value ? { ...JSON.parse(value.song), id: value.id, stems: { ...value.stems }, choice: value.choice } : null);
  };
  watch("value", show);
  show();
}
