// @ts-check
// The way back and forth through what was edited.

/** @template T */
export class History {
  /** @param {T} first */
  constructor(first) {
    this.states = [first];
    this.at = 0;
  }

  get now() {
    return this.states[this.at];
  }

  get hasEarlier() {
    return this.at > 0;
  }

  get hasLater() {
    return this.at < this.states.length - 1;
  }

  /** @param {T} state */
  add(state) {
    this.states = [...this.states.slice(0, this.at + 1), state];
    this.at += 1;
  }

  /** @param {-1 | 1} step */
  move(step) {
    this.at = Math.max(0, Math.min(this.at + step, this.states.length - 1));
    return this.now;
  }
}
