// Stand-ins for the tests of the player's scripts.

/** A track with some notes: pitch, onset, duration, velocity. */
export function track(notes, more = {}) {
  return { name: "bass", program: 33, is_drum: false, is_melody: false, notes, controls: [], rows: [], ...more };
}

/** A synthesizer that writes down what it is told, and sounds as loud as `sound` says. */
export class Listener {
  constructor(sound = 0.1) {
    this.log = [];
    this.sound = sound;
  }

  noteOn(channel, pitch, velocity) {
    this.log.push(["on", channel, pitch, velocity]);
  }

  noteOff(channel, pitch) {
    this.log.push(["off", channel, pitch]);
  }

  control(channel, number, value) {
    this.log.push(["control", channel, number, value]);
  }

  setLevel(channel, level) {
    this.log.push(["level", channel, level]);
  }

  choose(channel, soundfont) {
    this.log.push(["choose", channel, soundfont]);
  }

  load(data) {
    return data.byteLength;
  }

  cut() {
    this.log.push(["cut"]);
  }

  render(left, right) {
    left.fill(this.sound);
    right.fill(this.sound);
  }

  /** What it was told of notes since it was last asked. */
  notes() {
    const found = this.log.filter(([what]) => what === "on" || what === "off").map((each) => each.join(" "));
    this.log = [];
    return found;
  }
}
