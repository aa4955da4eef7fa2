// The clicks of a song, and the bar that is counted in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { countIn, metronome } from "../../../page/player/web/click.js";

const waltz = { bars: [0, 1.5, 3, 4.5], beats: [0.5, 1, 2, 2.5, 3.5, 4], first_bar: 1 };

test("every pulse clicks, the first of a bar otherwise", () => {
  const { notes, is_drum } = metronome(waltz);
  assert.deepEqual(notes.map(([, time]) => time), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]);
  const keys = notes.map(([key]) => key);
  assert.ok(is_drum && keys[0] === keys[3] && keys[0] !== keys[1] && keys[1] === keys[2]);
});

test("a bar is counted in before the song, and in its middle in step with its beats", () => {
  assert.deepEqual(countIn(waltz, 0), [[1.5, true], [1, false], [0.5, false]]);
  assert.deepEqual(countIn(waltz, 2), [[1.5, false], [1, false], [0.5, true]]);
  const before = countIn(waltz, 1.75).map(([seconds, isFirst]) => [Math.round(seconds * 100) / 100, isFirst]);
  assert.deepEqual(before, [[1.25, false], [0.75, false], [0.25, true]]);
});

test("a pickup is counted in by a whole bar", () => {
  const song = { bars: [0, 0.5, 2.5, 4.5], beats: [1, 1.5, 2, 3, 3.5, 4], first_bar: 0 };
  assert.deepEqual(countIn(song, 0), [[2, false], [1.5, true], [1, false], [0.5, false]]);
});
