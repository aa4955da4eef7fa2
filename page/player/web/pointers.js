// @ts-check
// What pointers do on the roll: seek, change a chord, choose bars of a player, edit notes.

/** @typedef {import("./player.js").Player} Player */

const SLACK = 6; // pixels that a click may move

export class Pointers {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    const { canvas } = player.roll;
    /** Where it was pressed. @type {{x: number, y: number, at: number, kind: "note" | "bars" | "none", pointer: number} | null} */
    this.down = null;
    canvas.onpointerdown = (event) => this.press(event);
    canvas.onpointermove = (event) => this.move(event);
    canvas.onpointerup = (event) => this.up(event);
    canvas.onpointercancel = () => this.cancel();
    canvas.onpointerleave = () => this.hover(null);
    // A finger on a note moves it, elsewhere it moves the roll.
    canvas.addEventListener("touchstart", (event) => {
      const [x, y] = this.place(event.touches[0]);
      if (player.notes.holds(y) && player.notes.at(x, y)) event.preventDefault();
    }, { passive: false });
  }

  /** @param {{clientX: number, clientY: number}} event */
  place({ clientX, clientY }) {
    const box = this.player.roll.canvas.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (!this.player.song || event.button !== 0) return;
    const [x, y] = this.place(event), { player } = this, { notes, roll } = player;
    const lane = roll.laneAt(y), isMouse = event.pointerType === "mouse";
    if (roll.isBeyond(x)) return;
    /** @type {"note" | "bars" | "none"} */
    let kind = "none";
    if (notes.holds(y)) kind = notes.press(x, y) ? "note" : "none";
    else if (isMouse && lane && player.canRefill(lane.track)) kind = "bars";
    this.down = { x, y, at: (x + roll.left) / roll.scale, kind, pointer: event.pointerId };
    if (kind !== "none") roll.canvas.setPointerCapture(event.pointerId);
    if (kind === "note") player.section.focus({ preventScroll: true });
  }

  /** @param {PointerEvent} event */
  move(event) {
    const [x, y] = this.place(event), { down, player } = this;
    if (!down) return this.hover([x, y]);
    this.pull(down, x, y);
    if (down.kind !== "none") player.edge.at(x, () => this.pull(down, x, y));
  }

  /**
   * @param {{x: number, y: number, at: number, kind: "note" | "bars" | "none"}} down
   * @param {number} x
   * @param {number} y
   */
  pull(down, x, y) {
    if (down.kind === "note") this.player.notes.pull(x, y);
    if (down.kind === "bars" && Math.abs(x - down.x) > SLACK) this.pick(down, x, false);
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { down, player } = this;
    if (!down) return;
    this.down = null;
    player.edge.stop();
    const [x, y] = this.place(event), isClick = Math.abs(x - down.x) <= SLACK && Math.abs(y - down.y) <= SLACK;
    if (down.kind === "note") return player.notes.release();
    if (!isClick && down.kind === "bars") this.pick(down, x, true);
    else if (!isClick) return;
    else if (player.notes.holds(y)) player.notes.click(x, y);
    else if (player.roll.isChords(y) && player.song?.places.length) this.openChord(x);
    else player.seek(player.roll.timeAt(event.clientX));
  }

  cancel() {
    this.down = null;
    this.player.edge.stop();
    this.player.notes.cancel();
  }

  /** @param {number} x */
  openChord(x) {
    const { player } = this, { roll, chordPanel } = player;
    chordPanel.open(chordPanel.placeAt((x + roll.left) / roll.scale));
  }

  /**
   * Bars of the player in whose lane it was pressed.
   * @param {{y: number, at: number}} down
   * @param {number} x
   * @param {boolean} done
   */
  pick(down, x, done) {
    const { player } = this, { roll } = player, lane = roll.laneAt(down.y);
    if (!lane) return;
    const ends = [down.at, (x + roll.left) / roll.scale].map((time) => roll.barAt(Math.max(time, 0))).sort((a, b) => a - b);
    const bars = /** @type {[number, number]} */ (ends);
    roll.picked = { name: lane.track.name, bars };
    player.draw();
    if (done) player.refillPanel.open(lane.track.name, bars);
  }

  /** Shows what a press would do.
   * @param {number[] | null} place
   */
  hover(place) {
    const { player } = this, { roll, notes, song, chordPanel } = player;
    const [x, y] = place ?? [-1, -1];
    let cursor = "pointer";
    /** @type {[number, number] | null} */
    let chord = null;
    if (place && roll.isBeyond(x)) cursor = "default";
    else if (place && notes.holds(y)) {
      const found = notes.at(x, y);
      cursor = !found ? "copy" : found.kind === "move" ? "grab" : "ew-resize";
    } else if (place && song?.places.length && roll.isChords(y)) {
      const [from, to] = chordPanel.whole(chordPanel.placeAt((x + roll.left) / roll.scale));
      chord = [song.places[from], song.places[to + 1]];
    }
    roll.canvas.style.cursor = cursor;
    if (String(chord) === String(roll.hovered)) return;
    roll.hovered = chord;
    player.draw();
  }
}
