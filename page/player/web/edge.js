// @ts-check
// The roll goes on under a drag that has reached its edge.

import { clamp } from "./dom.js";

/** @typedef {import("./player.js").Player} Player */

const EDGE = 28; // pixels from an edge of the window within which a drag moves it
const FASTEST = 14; // pixels a frame, at the very edge and beyond

/**
 * By how many pixels the window moves in a frame, for a pointer in it.
 * @param {number} x from the window's left edge
 * @param {number} width of the window
 */
export function speed(x, width) {
  const room = Math.min(EDGE, width / 4), past = x < room ? x - room : Math.max(x - (width - room), 0);
  return room > 0 ? Math.round(FASTEST * clamp(past / room, -1, 1)) : 0;
}

export class Edge {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.x = 0;
    /** What a move of the window changes; null while nothing is dragged. @type {(() => void) | null} */
    this.again = null;
  }

  /**
   * A drag is at a place of the window. The roll moves on until another place is told, or `stop`.
   * @param {number} x
   * @param {() => void} again drags to the same place of the window, where another time of the song is by then
   */
  at(x, again) {
    const waits = this.again !== null;
    this.x = x;
    this.again = again;
    if (!waits) requestAnimationFrame(() => this.step());
  }

  stop() {
    this.again = null;
  }

  step() {
    const { player, again } = this, { roll } = player;
    if (!again) return;
    const before = roll.left, by = speed(this.x, roll.width);
    if (by) {
      player.follow = false; // it does not run with the sound meanwhile
      roll.moveTo(before + by);
      if (roll.left !== before) {
        again();
        player.draw();
        player.showPosition();
      }
    }
    requestAnimationFrame(() => this.step());
  }
}
