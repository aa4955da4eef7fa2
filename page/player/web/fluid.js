// @ts-check
// FluidSynth, compiled to WebAssembly (js-synthesizer's libfluidsynth), as far as a song needs it.

/**
 * The compiled module. Pointers are numbers.
 * @typedef {Record<string, any> & {HEAPF32: Float32Array}} Library
 */

/**
 * How it plays: FluidSynth's settings by their names, those of accomp/sound/render.py among them.
 * @typedef {Record<string, number>} Settings
 */

const CHANNELS = 32;
const ATTENUATION = 48; // the generator, in hundredths of a Bel ("centibel")
const BEND = 128; // in place of a controller's number, as in accomp/music/score.py
const SILENT = 1440; // centibels
const LOG_LEVELS = 5;

/** Resolves when the module can be called.
 * @param {Library} library
 * @returns {Promise<void>}
 */
export function whenReady(library) {
  return new Promise((resolve) => (library.calledRun ? resolve() : library.addOnPostRun(resolve)));
}

/** A synthesizer with as many channels as a song has tracks; each has an instrument from a soundfont of its own. */
export class Fluid {
  /**
   * @param {Library} library ready to be called
   * @param {number} rate samples a second
   * @param {number} frames that are rendered at a time
   * @param {Settings} settings
   */
  constructor(library, rate, frames, settings) {
    this.library = library;
    this.frames = frames;
    for (let level = 0; level < LOG_LEVELS; level++) library._fluid_set_log_function(level, 0, 0); // it warns of stand-ins for files
    const all = library._new_fluid_settings();
    const set = library.cwrap("fluid_settings_setnum", "number", ["number", "string", "number"]);
    const setWhole = library.cwrap("fluid_settings_setint", "number", ["number", "string", "number"]);
    set(all, "synth.sample-rate", rate);
    setWhole(all, "synth.midi-channels", CHANNELS);
    for (const [name, value] of Object.entries(settings)) set(all, name, value);
    this.synth = library._new_fluid_synth(all);
    if (!this.synth) throw new Error("FluidSynth could not be started");
    for (let channel = 0; channel < CHANNELS; channel++) library._fluid_synth_set_channel_type(this.synth, channel, 0);
    this.buffer = library._malloc(8 * frames);
  }

  /**
   * Loads a soundfont, whose only preset is program 0 of bank 0. Returns its number.
   * @param {ArrayBuffer} data
   * @returns {number}
   */
  load(data) {
    const { FS, cwrap } = this.library, name = "/preset.sf2";
    FS.writeFile(name, new Uint8Array(data));
    const number = cwrap("fluid_synth_sfload", "number", ["number", "string", "number"])(this.synth, name, 0);
    FS.unlink(name);
    if (number < 0) throw new Error("FluidSynth could not read an instrument");
    return number;
  }

  /**
   * @param {number} channel
   * @param {number} soundfont as `load` returned it
   */
  choose(channel, soundfont) {
    this.library._fluid_synth_program_select(this.synth, channel % CHANNELS, soundfont, 0, 0);
  }

  /**
   * @param {number} channel
   * @param {number} pitch
   * @param {number} velocity
   */
  noteOn(channel, pitch, velocity) {
    this.library._fluid_synth_noteon(this.synth, channel % CHANNELS, pitch, velocity);
  }

  /**
   * @param {number} channel
   * @param {number} pitch
   */
  noteOff(channel, pitch) {
    this.library._fluid_synth_noteoff(this.synth, channel % CHANNELS, pitch);
  }

  /**
   * @param {number} channel
   * @param {number} number
   * @param {number} value
   */
  control(channel, number, value) {
    if (number === BEND) this.library._fluid_synth_pitch_bend(this.synth, channel % CHANNELS, value + 8192);
    else this.library._fluid_synth_cc(this.synth, channel % CHANNELS, number, value);
  }

  /**
   * Makes a channel louder or softer, at once.
   * @param {number} channel
   * @param {number} level factor of its samples
   */
  setLevel(channel, level) {
    const attenuation = level > 0 ? -200 * Math.log10(level) : SILENT;
    this.library._fluid_synth_set_gen(this.synth, channel % CHANNELS, ATTENUATION, Math.min(attenuation, SILENT));
  }

  /** Cuts off all that sounds. */
  cut() {
    this.library._fluid_synth_all_sounds_off(this.synth, -1);
  }

  get voices() {
    return this.library._fluid_synth_get_active_voice_count(this.synth);
  }

  /**
   * Renders the next frames.
   * @param {Float32Array} left
   * @param {Float32Array} right
   */
  render(left, right) {
    const { library, buffer, frames } = this, first = buffer >> 2;
    library._fluid_synth_write_float(this.synth, frames, buffer, 0, 1, buffer + 4 * frames, 0, 1);
    left.set(library.HEAPF32.subarray(first, first + frames)); // read anew: it moves when the memory grows
    right.set(library.HEAPF32.subarray(first + frames, first + 2 * frames));
  }
}
