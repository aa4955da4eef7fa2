// Renders what the page's player plays, without a browser: node live.mjs VIEW.json SOUND.f32 SAMPLES. The view holds `folder`,
// where the instruments are, and `settings` of FluidSynth. The sound is left and right in turn. Prints how long it took.

import fs from "node:fs";
import { createRequire } from "node:module";

import { StbVorbis } from "../../page/player/node_modules/stb-vorbis/dist/index.js";
import { Fluid, whenReady } from "../../page/player/web/fluid.js";
import { Performer, STEP } from "../../page/player/web/performer.js";
import { unpacked } from "../../page/player/web/sf2.js";

const RATE = 44100;
const [, , from, to, samples] = process.argv, song = JSON.parse(fs.readFileSync(from, "utf8"));
const library = createRequire(import.meta.url)("../../page/player/node_modules/js-synthesizer/externals/libfluidsynth-2.4.6.js");
await Promise.all([StbVorbis.ready, whenReady(library)]);

const start = performance.now();
const faults = [];
const performer = new Performer(new Fluid(library, RATE, STEP, song.settings), RATE, (message) => {
  if (message.type === "failed") faults.push(message.words);
});
const keys = song.tracks.map((track) => `${track.is_drum ? 128 : 0}-${track.program}`);
for (const key of new Set(keys)) {
  const file = fs.readdirSync(song.folder).find((name) => name.startsWith(`${key}-`));
  const packed = Uint8Array.from(fs.readFileSync(`${song.folder}/${file}`)).buffer;
  performer.hear({ type: "instrument", key, data: unpacked(packed, (data) => StbVorbis.decode(data).channels[0]) });
}
const ready = performance.now();
performer.hear({ type: "song", tracks: song.tracks, keys, gain: song.gain, length: song.length, shift: null });
performer.hear({ type: "play", at: 0, time: 0, loop: null, tempo: 1 });
const frames = Math.ceil(Number(samples) / 128) * 128, both = new Float32Array(2 * frames);
const left = new Float32Array(128), right = new Float32Array(128);
for (let at = 0; at < frames; at += 128) {
  performer.render(left, right, [], at / RATE);
  for (let i = 0; i < 128; i++) [both[2 * (at + i)], both[2 * (at + i) + 1]] = [left[i], right[i]];
}
if (faults.length) throw new Error(faults[0]);
fs.writeFileSync(to, both);
const rendering = (performance.now() - ready) / 1000;
console.log(JSON.stringify({ start: (ready - start) / 1000, speed: frames / RATE / rendering }));
