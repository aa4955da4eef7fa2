// @ts-check
// Keeps peaks below a ceiling. What it makes quieter it foresees by one block, so that nothing is cut.

/** A limiter of stereo sound in blocks of one size, each of which comes out one block late. */
export class Limiter {
  /**
   * @param {number} size frames of a block
   * @param {number} ceiling largest magnitude that comes out
   * @param {number} release by how much the gain comes back in each block, of 1
   */
  constructor(size, ceiling = 0.89, release = 0.02) {
    this.ceiling = ceiling;
    this.release = release;
    this.gain = 1; // at the end of the last block that came out
    this.held = 1; // what the block that is held back needs
    this.waiting = [new Float32Array(size), new Float32Array(size)];
  }

  /**
   * Takes a block, and puts the one before in its place.
   * @param {Float32Array[]} sides left and right
   */
  process(sides) {
    const needed = this.ceiling / Math.max(this.ceiling, peak(sides[0]), peak(sides[1]));
    const from = this.gain, to = Math.min(this.held, needed, from + this.release), size = sides[0].length;
    for (let side = 0; side < 2; side++) {
      const old = this.waiting[side], fresh = sides[side];
      for (let i = 0; i < size; i++) {
        const coming = fresh[i];
        fresh[i] = old[i] * (from + ((to - from) * (i + 1)) / size);
        old[i] = coming;
      }
    }
    this.gain = to;
    this.held = needed;
  }
}

/** @param {Float32Array} samples */
function peak(samples) {
  let most = 0;
  for (let i = 0; i < samples.length; i++) if (Math.abs(samples[i]) > most) most = Math.abs(samples[i]);
  return most;
}
