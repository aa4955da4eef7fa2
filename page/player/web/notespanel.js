// @ts-check
// The buttons that edit the melody's notes, with a hint how the roll does it.

import { iconButton, wordButton } from "./desk.js";
import { make } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("./noteeditor.js").NoteEditor} NoteEditor */

export class NotesPanel {
  /** @param {NoteEditor} editor */
  constructor(editor) {
    this.editor = editor;
    this.undo = iconButton("undo", t("Undo (Ctrl+Z)"), () => editor.step(-1));
    this.redo = iconButton("redo", t("Redo (Ctrl+Y)"), () => editor.step(1));
    this.forNote = [
      iconButton("up", t("Higher (arrow up)"), () => editor.higher(1)),
      iconButton("down", t("Lower (arrow down)"), () => editor.higher(-1)),
      iconButton("earlier", t("Earlier (Alt and arrow)"), () => editor.later(-1)),
      iconButton("later", t("Later (Alt and arrow)"), () => editor.later(1)),
      iconButton("shorter", t("Shorter (Shift and arrow)"), () => editor.longer(-1)),
      iconButton("longer", t("Longer (Shift and arrow)"), () => editor.longer(1)),
      iconButton("bin", t("Delete the note (Del)"), () => editor.remove()),
    ];
    const choose = [
      iconButton("left", t("The note before (arrow left)"), () => editor.chooseNext(-1)),
      iconButton("right", t("The next note (arrow right)"), () => editor.chooseNext(1)),
    ];
    const add = iconButton("add", t("Add a note (Enter)"), () => editor.add());
    this.told = make("span", { class: "told", role: "status", "aria-live": "polite" });
    const tools = make("div", { class: "row" }, this.undo, this.redo, make("i", { class: "gap" }),
      ...choose, ...this.forNote, add, this.told, wordButton(t("Done"), () => editor.stop(), "main"));
    const adds = matchMedia("(pointer: coarse)").matches ? t("Tap between notes to add one.") : t("Click between notes to add one.");
    const hint = [t("Drag a note to move it, its right end to lengthen it."), adds, t("One note sounds at a time: what a note covers gives way.")].join(" ");
    this.element = make("div", { class: "notes", role: "toolbar", "aria-label": t("Notes of the melody") }, tools, make("p", { class: "how" }, hint));
  }

  refresh() {
    const { history, selected } = this.editor;
    this.undo.disabled = !history.hasEarlier;
    this.redo.disabled = !history.hasLater;
    for (const button of this.forNote) button.disabled = selected === null;
    if (selected === null) this.told.textContent = "";
  }

  /** @param {import("./types").Placed | null} note that is chosen */
  tell(note) {
    this.say(note ? this.editor.describe(note) : "");
  }

  /** @param {string} words */
  say(words) {
    this.told.textContent = words;
  }

  closed() {
    if (this.editor.isOn) this.editor.stop();
  }
}
