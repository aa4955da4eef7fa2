// The other synthesizer that was weighed: node spessasynth.mjs PACKAGE SOUNDFONT SONG.mid SOUND.f32 SAMPLES. PACKAGE is the
// folder of spessasynth_core, which is not part of this project.

import fs from "node:fs";

const RATE = 44100;
const [, , folder, soundfont, midi, to, samples] = process.argv;
const { BasicMIDI, SoundBankLoader, SpessaSynthProcessor, SpessaSynthSequencer } = await import(`${folder}/dist/index.js`);
const read = (file) => Uint8Array.from(fs.readFileSync(file)).buffer;

const start = performance.now(), synth = new SpessaSynthProcessor(RATE, {});
await synth.processorInitialized;
synth.soundBankManager.addSoundBank(SoundBankLoader.fromArrayBuffer(read(soundfont)), "main");
const sequencer = new SpessaSynthSequencer(synth);
sequencer.loadNewSongList([BasicMIDI.fromArrayBuffer(read(midi))]);
sequencer.play();
const ready = performance.now(), frames = Math.ceil(Number(samples) / 128) * 128;
const both = new Float32Array(2 * frames), left = new Float32Array(frames), right = new Float32Array(frames);
for (let at = 0; at < frames; at += 128) {
  sequencer.processTick();
  synth.process(left, right, at, 128);
}
for (let i = 0; i < frames; i++) [both[2 * i], both[2 * i + 1]] = [left[i], right[i]];
fs.writeFileSync(to, both);
const rendering = (performance.now() - ready) / 1000;
console.log(JSON.stringify({ start: (ready - start) / 1000, speed: frames / RATE / rendering }));
