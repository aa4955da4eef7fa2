import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequencer } from "../../../page/player/web/sequencer.js";
import { Listener, track } from "./support.js";

function ready(...tracks) {
  const listener = new Listener(), sequencer = new Sequencer(listener);
  sequencer.setTracks(tracks);
  return [sequencer, listener];
}

test("notes begin and end in their order, an end before a beginning", () => {
  const [sequencer, listener] = ready(track([[40, 0, 1, 90], [40, 1, 1, 80], [43, 0.5, 0, 70]]));
  sequencer.advance(0.5);
  assert.deepEqual(listener.notes(), ["on 0 40 90"]);
  sequencer.advance(1.5);
  assert.deepEqual(listener.notes(), ["on 0 43 70", "off 0 43", "off 0 40", "on 0 40 80"]);
  sequencer.advance(9);
  assert.deepEqual(listener.notes(), ["off 0 40"]);
});

test("of overlapping notes of one pitch the end of the first does not end the second", () => {
  const [sequencer, listener] = ready(track([[40, 0, 2, 90], [40, 1, 3, 80]]));
  sequencer.advance(3);
  assert.deepEqual(listener.notes(), ["on 0 40 90", "off 0 40", "on 0 40 80"]);
  sequencer.advance(5);
  assert.deepEqual(listener.notes(), ["off 0 40"]);
});

test("after a jump long notes begin in their middle, but neither drums nor what is almost over", () => {
  const [sequencer, listener] = ready(
    track([[40, 0, 4, 90], [45, 0, 2.05, 90]]),
    track([[36, 0, 4, 100]], { is_drum: true, program: 0 }),
  );
  sequencer.seek(2);
  assert.deepEqual(listener.notes(), ["on 0 40 90"]);
  sequencer.seek(0);
  assert.deepEqual(listener.notes(), ["off 0 40"]);
});

test("after a jump controllers are as they would be", () => {
  const [sequencer, listener] = ready(track([[40, 0, 9, 90]], { controls: [[0, 7, 50], [2, 7, 80], [4, 7, 20]] }));
  sequencer.seek(3);
  const volumes = listener.log.filter(([what, , number]) => what === "control" && number === 7);
  assert.deepEqual(volumes, [["control", 0, 7, 80]]);
  sequencer.seek(0);
  assert.deepEqual(listener.log.filter(([, , number]) => number === 7).at(-1), ["control", 0, 7, 100]);
});

test("another take leaves alone what sounds in both", () => {
  const [sequencer, listener] = ready(track([[60, 0, 4, 90]]), track([[40, 0, 4, 90]]));
  sequencer.advance(1);
  listener.notes();
  sequencer.setTracks([track([[60, 0.01, 4, 90]]), track([[43, 0, 4, 90]])]);
  sequencer.seek(1, true);
  assert.deepEqual(listener.notes(), ["off 1 40", "on 1 43 90"]);
  sequencer.advance(9);
  assert.deepEqual(listener.notes(), ["off 1 43", "off 0 60"]);
});

test("transposing moves all but drums, also what sounds, and ends what it began", () => {
  const [sequencer, listener] = ready(track([[40, 0, 4, 90]]), track([[36, 0, 4, 100]], { is_drum: true }));
  sequencer.advance(1);
  listener.notes();
  sequencer.transpose(3);
  assert.deepEqual(listener.notes(), ["off 0 40", "on 0 43 90"]);
  sequencer.advance(9);
  assert.deepEqual(listener.notes().sort(), ["off 0 43", "off 1 36"]);
});

test("what leaves MIDI's range is silent, and a recording has no events", () => {
  const [sequencer, listener] = ready(track([[126, 0, 1, 90]]), track([[60, 0, 1, 90]], { program: null }));
  sequencer.transpose(5);
  sequencer.advance(9);
  assert.deepEqual(listener.notes(), []);
});

test("a channel that was silent sounds again", () => {
  const [sequencer, listener] = ready(track([[40, 0, 4, 90]]), track([[50, 0, 4, 90]]));
  sequencer.advance(1);
  listener.notes();
  sequencer.renew(0);
  assert.deepEqual(listener.notes(), ["off 0 40", "on 0 40 90"]);
});
