// @ts-check
// Unpacks a soundfont whose samples are Ogg Vorbis (.sf3) to one that FluidSynth reads without a decoder (.sf2).

/**
 * Decodes an Ogg Vorbis file of one channel.
 * @callback Decode
 * @param {Uint8Array} data
 * @returns {Float32Array}
 */

const VORBIS = 0x10; // flag of a sample's kind
const PADDING = 46; // zeros after each sample
const HEADER = 46; // bytes of a sample's header

/** @typedef {{name: string, at: number, size: number}} Chunk */

/**
 * @param {DataView} view
 * @param {number} at
 * @param {number} end
 * @returns {Chunk[]}
 */
function chunks(view, at, end) {
  const found = [];
  while (at + 8 <= end) {
    const name = String.fromCharCode(...new Uint8Array(view.buffer, at, 4)), size = view.getUint32(at + 4, true);
    found.push({ name, at: at + 8, size });
    at += 8 + size + (size % 2);
  }
  return found;
}

/**
 * @param {ArrayBuffer} data as accomp/sound/preset_cut.py writes it: lists and chunks in the order of the specification, padded
 * @param {Decode} decode
 * @returns {ArrayBuffer}
 */
export function unpacked(data, decode) {
  const view = new DataView(data);
  const lists = chunks(view, 12, data.byteLength);
  const [info, samples, tables] = lists.map((list) => ({ ...list, parts: chunks(view, list.at + 4, list.at + list.size) }));
  const raw = samples?.parts[0], headers = tables?.parts.find((part) => part.name === "shdr");
  if (!raw || !headers) throw new Error("the instrument's file is damaged");
  const parts = [], written = new Uint8Array(data.slice(headers.at, headers.at + headers.size)), rows = new DataView(written.buffer);
  let frames = 0;
  for (let row = 0; row + 2 * HEADER <= headers.size; row += HEADER) {
    const start = rows.getUint32(row + 20, true), end = rows.getUint32(row + 24, true), kind = rows.getUint16(row + 44, true);
    const isVorbis = kind & VORBIS;
    const sound = isVorbis
      ? whole(decode(new Uint8Array(data, raw.at + start, end - start)))
      : new Int16Array(data.slice(raw.at + 2 * start, raw.at + 2 * end));
    const shift = isVorbis ? frames : frames - start; // Vorbis's loops are counted from the beginning of the sample
    rows.setUint32(row + 20, frames, true);
    rows.setUint32(row + 24, frames + sound.length, true);
    for (const place of [28, 32]) rows.setUint32(row + place, rows.getUint32(row + place, true) + shift, true);
    rows.setUint16(row + 44, kind & ~VORBIS, true);
    parts.push(sound);
    frames += sound.length + PADDING;
  }
  return joined(data, info, tables, headers, written, parts, frames);
}

/** @param {Float32Array} sound */
function whole(sound) {
  const out = new Int16Array(sound.length);
  for (let i = 0; i < sound.length; i++) out[i] = Math.max(-32768, Math.min(32767, Math.round(sound[i] * 32768)));
  return out;
}

/**
 * @param {ArrayBuffer} data
 * @param {Chunk} info
 * @param {Chunk} tables
 * @param {Chunk} headers
 * @param {Uint8Array} written the headers of the samples as they are now
 * @param {Int16Array[]} parts
 * @param {number} frames
 */
function joined(data, info, tables, headers, written, parts, frames) {
  const sound = 2 * frames, size = 12 + (8 + info.size) + (12 + 8 + sound) + (8 + tables.size);
  const out = new Uint8Array(size), view = new DataView(out.buffer);
  const name = (/** @type {number} */ at, /** @type {string} */ text) => out.set([...text].map((letter) => letter.charCodeAt(0)), at);
  const copy = (/** @type {number} */ to, /** @type {Chunk} */ chunk) => out.set(new Uint8Array(data, chunk.at - 8, chunk.size + 8), to);
  name(0, "RIFF"), view.setUint32(4, size - 8, true), name(8, "sfbk");
  copy(12, info);
  let at = 12 + 8 + info.size;
  view.setUint16(32, 2, true), view.setUint16(34, 1, true); // "ifil": version 2.1 has no Vorbis
  name(at, "LIST"), view.setUint32(at + 4, 12 + sound, true), name(at + 8, "sdtasmpl"), view.setUint32(at + 16, sound, true);
  at += 20;
  for (const part of parts) {
    new Int16Array(out.buffer, at, part.length).set(part);
    at += 2 * (part.length + PADDING);
  }
  copy(at, tables);
  out.set(written, at + 8 + (headers.at - tables.at));
  return out.buffer;
}
