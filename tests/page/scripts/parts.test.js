import assert from "node:assert/strict";
import { test } from "node:test";

import { keyAt, keyTonic, transposed } from "../../../page/player/web/chords.js";
import { Limiter } from "../../../page/player/web/limiter.js";
import { unpacked } from "../../../page/player/web/sf2.js";

test("chord symbols move with their bass", () => {
  assert.equal(transposed("F#m7/C#", 1), "Gm7/D");
  assert.equal(transposed("Bbmaj7", 2), "Cmaj7");
  assert.equal(transposed("C6/9", 7), "G6/9");
  assert.equal(transposed("Cb", 0), "Cb");
  assert.equal(transposed("N.C.", 3), "N.C.");
});

test("they are spelled by the key in which they are then", () => {
  const d = [2, false], songs = [["Em", -3, "C#m"], ["A/C#", -3, "F#/A#"], ["G", 1, "Ab"], ["F#m7b5", 2, "G#m7b5"], ["C#dim", -1, "Cdim"]];
  for (const [symbol, steps, name] of songs) assert.equal(transposed(symbol, steps, keyAt(d, steps)), name);
  assert.equal(transposed("Am", 4, keyAt([9, true], 4)), "C#m");
  assert.equal(keyTonic(keyAt([9, true], 4)), "C#");
  assert.equal(keyTonic(keyAt([0, false], 1)), "Db");
});

test("a limiter lets through what is soft, one block late, and foresees peaks", () => {
  const limiter = new Limiter(4, 0.5, 0.5), blocks = [[0.1, 0.2, 0.1, 0.2], [0.4, 2, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]];
  const out = blocks.map((samples) => {
    const sides = [Float32Array.from(samples), Float32Array.from(samples)];
    limiter.process(sides);
    return [...sides[0]];
  });
  assert.deepEqual(out[0], [0, 0, 0, 0]);
  assert.ok(Math.abs(out[1][0]) < 0.1 && out[1][3] > 0); // on the way down before the peak
  assert.ok(Math.max(...out[2]) <= 0.5 + 1e-6 && Math.max(...out[2]) > 0.45);
  assert.ok(out[3][3] > 0.07); // and back up
});

/** A soundfont in small: one sample, whose bytes are not Vorbis. */
function soundfont(kind, smpl) {
  const chunk = (name, body) => [...[...name].map((c) => c.charCodeAt(0)), ...number(body.length), ...body, ...(body.length % 2 ? [0] : [])];
  const number = (n) => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >> 24];
  const list = (name, body) => chunk("LIST", [...[...name].map((c) => c.charCodeAt(0)), ...body]);
  const header = [...Array(20).fill(65), ...number(0), ...number(kind ? 3 : 2), ...number(1), ...number(2), ...number(44100), 60, 0, 0, 0, kind, 0];
  const last = Array(46).fill(0);
  const body = [...list("INFO", chunk("ifil", [3, 0, 0, 0])), ...list("sdta", chunk("smpl", smpl)), ...list("pdta", chunk("shdr", [...header, ...last]))];
  return Uint8Array.from(chunk("RIFF", [...[..."sfbk"].map((c) => c.charCodeAt(0)), ...body])).buffer;
}

test("packed samples become whole numbers, with loops counted from the beginning of all", () => {
  const seen = [];
  const out = unpacked(soundfont(0x11, [7, 8, 9]), (data) => (seen.push([...data]), Float32Array.of(0.5, -1, 2, 0)));
  assert.deepEqual(seen, [[7, 8, 9]]);
  const view = new DataView(out), text = Buffer.from(out).toString("latin1");
  assert.equal(view.getUint32(4, true), out.byteLength - 8);
  assert.equal(view.getUint16(text.indexOf("ifil") + 8, true), 2);
  const samples = text.indexOf("smpl") + 8, header = text.indexOf("shdr") + 8;
  assert.deepEqual([0, 2, 4, 6].map((at) => view.getInt16(samples + at, true)), [16384, -32768, 32767, 0]);
  assert.deepEqual([20, 24, 28, 32].map((at) => view.getUint32(header + at, true)), [0, 4, 1, 2]);
  assert.equal(view.getUint16(header + 44, true), 1);
});

test("samples that are not packed stay", () => {
  const out = unpacked(soundfont(0, [1, 0, 2, 0]), () => assert.fail("nothing to decode"));
  const view = new DataView(out), samples = Buffer.from(out).toString("latin1").indexOf("smpl") + 8;
  assert.deepEqual([0, 2].map((at) => view.getInt16(samples + at, true)), [1, 2]);
});

test("a damaged file is said to be one", () => {
  assert.throws(() => unpacked(new ArrayBuffer(40), () => new Float32Array(0)), /damaged/);
});
