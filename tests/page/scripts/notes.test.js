import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../../page/player/web/history.js";
import { Clock, added, changed, pitchName, removed } from "../../../page/player/web/notes.js";

const note = (pitch, onset, length) => ({ pitch, onset, length, velocity: 80 });
const short = ({ notes, index }) => [notes.map(({ pitch, onset, length }) => [pitch, onset, length]), index];

test("what a note covers gives way: its head, its tail, or all of it", () => {
  const line = [note(60, 0, 1), note(62, 1, 1), note(64, 2, 2)];
  assert.deepEqual(short(changed(line, 0, { length: 2.5 })), [[[60, 0, 2.5], [64, 2.5, 1.5]], 0]);
  assert.deepEqual(short(changed(line, 2, { onset: 0.5 })), [[[60, 0, 0.5], [64, 0.5, 2]], 1]);
  assert.deepEqual(short(changed(line, 1, { onset: 2 })), [[[60, 0, 1], [62, 2, 1], [64, 3, 1]], 1]);
  assert.deepEqual(short(changed(line, 1, { pitch: 70 })), [[[60, 0, 1], [70, 1, 1], [64, 2, 2]], 1]);
});

test("notes of a chord in the file stay together", () => {
  const chord = [note(60, 0, 2), note(64, 0, 2), note(67, 2, 1)];
  assert.deepEqual(short(changed(chord, 1, { pitch: 65, length: 3 })), [[[60, 0, 2], [65, 0, 3]], 1]);
});

test("a note is added up to the next one, and what it falls into ends there", () => {
  assert.deepEqual(short(added([note(60, 0, 1), note(62, 1.5, 1)], note(65, 1, 1))), [[[60, 0, 1], [65, 1, 0.5], [62, 1.5, 1]], 1]);
  assert.deepEqual(short(added([note(60, 0, 4)], note(65, 1, 1))), [[[60, 0, 1], [65, 1, 1]], 1]);
});

test("after a note was deleted the next one is chosen", () => {
  assert.deepEqual(short(removed([note(60, 0, 1), note(62, 1, 1)], 0)), [[[62, 1, 1]], 0]);
  assert.deepEqual(short(removed([note(60, 0, 1), note(62, 1, 1)], 1)), [[[60, 0, 1]], 0]);
});

test("the clock follows changes of tempo, and goes on after the last", () => {
  const clock = new Clock([[0, 0], [4, 2], [5, 3]]);
  assert.deepEqual([0, 2, 4, 5, 8].map((beats) => clock.seconds(beats)), [0, 1, 2, 3, 6]);
  assert.deepEqual([0, 1, 2, 3, 6].map((seconds) => clock.beats(seconds)), [0, 2, 4, 5, 8]);
});

test("the way back and forth ends where it began, and a new edit forgets what was undone", () => {
  const history = new History("a");
  history.add("b");
  history.add("c");
  assert.deepEqual([history.move(-1), history.move(-1), history.move(-1), history.move(1)], ["b", "a", "a", "b"]);
  history.add("d");
  assert.ok(!history.hasLater && history.hasEarlier);
  assert.equal(history.move(-1), "b");
});

test("pitches have names", () => {
  assert.deepEqual([60, 61, 70, 0].map(pitchName), ["C4", "C#4", "Bb4", "C-1"]);
});
