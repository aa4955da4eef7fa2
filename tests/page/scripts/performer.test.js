import assert from "node:assert/strict";
import { test } from "node:test";

import { Performer } from "../../../page/player/web/performer.js";
import { Listener, track } from "./support.js";

const RATE = 6400, FRAMES = 128; // 20 ms at a time

function ready(sound) {
  const listener = new Listener(sound), told = [], performer = new Performer(listener, RATE, (message) => told.push(message));
  let time = 0;
  const left = new Float32Array(FRAMES), right = new Float32Array(FRAMES);
  const goes = (seconds, recording = []) => {
    for (const end = time + seconds; time < end - 1e-9; time += FRAMES / RATE) performer.render(left, right, recording, time);
    return left;
  };
  const song = (tracks, more = {}) =>
    performer.hear({ type: "song", tracks, keys: tracks.map(() => "0-33"), gain: 0, length: 4, shift: null, ...more });
  return { performer, listener, told, goes, song, play: (more = {}) =>
    performer.hear({ type: "play", at: 0, time, loop: null, tempo: 1, ...more }) };
}

test("it begins at its time and not before", () => {
  const { listener, goes, song, play } = ready();
  song([track([[40, 0, 1, 90]])]);
  play({ time: 0.5 });
  goes(0.48);
  assert.deepEqual(listener.notes(), []);
  goes(0.06);
  assert.deepEqual(listener.notes(), ["on 0 40 90"]);
});

test("tempo changes how fast it goes, and says where it is", () => {
  const { performer, told, goes, song, play } = ready();
  song([track([[40, 0, 1, 90]])]);
  play({ tempo: 0.5 });
  goes(1);
  assert.ok(Math.abs(performer.at - 0.5) < 1e-6);
  performer.hear({ type: "tempo", factor: 2 });
  const { type, at, tempo } = told.at(-1);
  assert.deepEqual([type, Math.round(at * 100), tempo], ["anchor", 50, 2]);
  goes(0.5);
  assert.ok(Math.abs(performer.at - 1.5) < 1e-6);
});

test("a loop goes round, and tells each time", () => {
  const { performer, listener, told, goes, song, play } = ready();
  song([track([[40, 1, 0.5, 90]])]);
  play({ at: 1.4, loop: [1, 2] });
  goes(0.58);
  listener.notes();
  goes(0.06);
  assert.ok(performer.at >= 1 && performer.at < 1.1);
  assert.deepEqual(listener.notes(), ["on 0 40 90"]);
  const { type, at, time } = told.at(-1);
  assert.deepEqual([type, Math.round(at * 10), Math.round(time * 10)], ["anchor", 10, 6]);
  performer.hear({ type: "loop", loop: null });
  goes(1.5);
  assert.ok(performer.at > 2);
});

test("another take goes on later in the song", () => {
  const { performer, listener, told, goes, song, play } = ready();
  song([track([[40, 0, 4, 90]])]);
  play();
  goes(1);
  listener.notes();
  song([track([[43, 0, 9, 90]])], { shift: 2 });
  assert.ok(Math.abs(performer.at - 3) < 1e-6 && performer.isPlaying);
  assert.equal(told.at(-1).type, "anchor");
  assert.deepEqual(listener.notes(), ["off 0 40", "on 0 43 90"]);
  song([track([[45, 0, 4, 90]])]); // no take of the same melody
  assert.ok(!performer.isPlaying);
});

test("what another instrument plays does not sound on", () => {
  const { listener, goes, song, play } = ready();
  song([track([[40, 0, 4, 90]])]);
  play();
  goes(0.5);
  listener.notes();
  song([track([[40, 0, 4, 90]])], { shift: 0, keys: ["0-35"] });
  assert.deepEqual(listener.notes(), ["off 0 40", "on 0 40 90"]);
});

test("a pause dies away soon; an end rings out", () => {
  const { performer, told, goes, song, play } = ready();
  song([track([[40, 0, 1, 90]])], { length: 1 });
  play();
  assert.ok(goes(0.3)[0] > 0.09);
  performer.hear({ type: "stop" });
  const last = goes(0.2).slice(-1)[0];
  assert.ok(last < 1e-3, `${last}`);
  play();
  goes(3.6);
  assert.equal(told.at(-1).type, "ended");
  assert.ok(goes(0.2)[0] > 0.09); // the synthesizer's own end is heard
});

test("the recording is mixed in, and nothing exceeds the ceiling", () => {
  const { goes, song, play } = ready(0.4);
  song([track([[40, 0, 4, 90]])], { gain: 6.0206 });
  play();
  const voice = new Float32Array(FRAMES).fill(0.05);
  assert.ok(Math.abs(goes(0.2, [voice])[100] - 0.85) < 1e-3);
  const loud = new Float32Array(FRAMES).fill(0.9);
  const peak = Math.max(...goes(0.2, [loud, loud]));
  assert.ok(peak <= 0.8901 && peak > 0.88, `${peak}`);
});

test("an instrument that comes late is given to its channels", () => {
  const { performer, listener, song } = ready();
  song([track([[40, 0, 4, 90]])]);
  performer.hear({ type: "instrument", key: "0-33", data: new ArrayBuffer(7) });
  assert.deepEqual(listener.log.at(-1), ["choose", 0, 7]);
});

test("a fault is told, with words", () => {
  const { performer, listener, told } = ready();
  listener.load = () => {
    throw new Error("no memory");
  };
  performer.hear({ type: "instrument", key: "0-33", data: new ArrayBuffer(7) });
  assert.deepEqual(told, [{ type: "failed", words: "Error: no memory" }]);
});

test("a bar is counted in before it begins, and a stop ends that", () => {
  const { listener, goes, song, play, performer } = ready();
  performer.hear({ type: "instrument", key: "128-0", data: new ArrayBuffer(3) });
  song([track([[40, 0, 1, 90]])]);
  const clicks = [[0.1, true], [0.3, false]];
  play({ time: 0.5, clicks: [...clicks], kit: "128-0" });
  goes(0.4);
  assert.deepEqual(listener.notes(), ["on 31 76 127", "off 31 76", "on 31 77 100", "off 31 77"]);
  goes(0.2);
  assert.deepEqual(listener.notes(), ["on 0 40 90"]);
  play({ time: 2, clicks: clicks.map(([time, isFirst]) => [time + 1.5, isFirst]), kit: "128-0" });
  performer.hear({ type: "stop" });
  listener.notes();
  goes(2);
  assert.deepEqual(listener.notes(), []);
});

test("what the visitor plays sounds without a song, and beside one", () => {
  const { listener, goes, song, play, performer } = ready();
  performer.hear({ type: "instrument", key: "0-0", data: new ArrayBuffer(3) });
  performer.hear({ type: "key", key: "0-9", pitch: 60, velocity: 90 }); // has not come yet
  performer.hear({ type: "key", key: "0-0", pitch: 60, velocity: 90 });
  assert.deepEqual(listener.notes(), ["on 30 60 90"]);
  assert.ok(goes(10).some((sample) => sample > 0.1)); // as long as it is held
  performer.hear({ type: "key", key: "0-0", pitch: 60, velocity: 0 });
  performer.hear({ type: "key", key: "0-0", pitch: 60, velocity: 0 });
  assert.deepEqual(listener.notes(), ["off 30 60"]);
  song([track([[40, 0, 1, 90]])]);
  play({ time: 10.1 });
  goes(0.3);
  performer.hear({ type: "key", key: "0-0", pitch: 64, velocity: 80 });
  assert.deepEqual(listener.notes(), ["on 0 40 90", "on 30 64 80"]);
});
