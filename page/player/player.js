// A song's piano roll with a mixer beside it. Gradio runs this, after sound.js and roll.js, once for each Player on the page, as
// the body of a function with `element`, `trigger`, `props` and `watch`. Times are in seconds, lengths in CSS pixels; bars are
// counted from 0 here and from 1 in what goes to Python. The value is described in view.py, view_of.

const SHACKLED = "M4 7V5a4 4 0 0 1 8 0v2h1v8H3V7zm2 0h4V5a2 2 0 0 0-4 0z";
const PADLOCK = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${SHACKLED}"/></svg>`;

const minutes = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

function make(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** One player: its buttons, keys and pointers, and what the visitor has chosen. */
class Player {
  constructor(section) {
    this.section = section;
    this.find = (name) => section.querySelector(`.${name}`);
    this.sound = new Sound();
    this.roll = new Roll(section);
    this.mix = {}; // by name of track: volume, muted, solo, locked; kept when a new song comes
    this.at = 0; // where it stands while nothing plays
    this.selection = null; // [first, last] bar
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    for (const other of page.players) if (!other.section.isConnected) other.leave();
    page.players = [...page.players.filter((other) => other.section.isConnected), this];
    this.listen();
  }

  // -- the song -------------------------------------------------------------------------------------------------------

  show(song) {
    this.section.hidden = !song;
    if (!song) {
      this.pause();
      this.sound.setFiles([], 0);
      this.song = null;
      return;
    }
    const isNew = this.song?.id !== song.id;
    if (isNew) this.setSong(song);
    this.song = song;
    const files = Object.entries(song.stems).map(([track, file]) => [track, file.url]);
    if (isNew || JSON.stringify(files) !== JSON.stringify(this.sound.files)) this.setSound(files);
    this.find("title").textContent = song.title;
    this.section.setAttribute("aria-label", song.title ? `Player: ${song.title}` : "Song player");
    this.showChoice();
    if (this.selection || this.choice.locked.length) this.keepChoice();
  }

  setSong(song) {
    this.pause();
    const sameBars = JSON.stringify(this.song?.bars) === JSON.stringify(song.bars); // then the selection still means something
    if (!this.song && song.choice) this.restore(song.choice);
    else if (!sameBars) this.selection = null;
    this.at = 0;
    const names = (of) => of?.tracks.map((track) => track.name).join();
    if (names(this.song) !== names(song)) for (const track of song.tracks) this.settings(track.name).muted = track.muted;
    this.song = song;
    this.roll.setSong(song);
    if (!sameBars) this.roll.scale = null;
    this.roll.left = 0;
    this.find("tracks").replaceChildren(...song.tracks.map((track) => this.header(track)));
    this.refresh();
  }

  /** A component that was taken from the page and put back finds its choices in its value. */
  restore({ bars, locked }) {
    this.selection = bars && [bars[0] - 1, bars[1] - 1];
    for (const name of locked) this.settings(name).locked = true;
  }

  async setSound(files) {
    this.pause();
    this.sound.setFiles(files, this.song.length);
    this.find("play").disabled = !files.length;
    if (!files.length) this.say(this.song.sound === "none" ? "no sound" : "preparing the sound…");
    else if (this.sound.fits) await this.load();
    else this.say("", true); // it is loaded when it is first played
  }

  /** Whether the sound is there in the end. */
  async load() {
    const { files } = this.sound;
    try {
      await this.sound.load((done, all) => this.say(`loading sound ${done}/${all}`));
    } catch (error) {
      if (files === this.sound.files) this.say("The sound could not be loaded. Press play to try again.");
      return false;
    }
    const isHere = files === this.sound.files && this.sound.isLoaded;
    if (files === this.sound.files) this.say(isHere ? "ready" : "", true); // not here: another player took the room
    return isHere;
  }

  say(words, quiet = false) {
    this.find("status").textContent = words;
    this.find("status").classList.toggle("quiet", quiet); // for screen readers alone
  }

  // -- the mixer ------------------------------------------------------------------------------------------------------

  settings(name) {
    return (this.mix[name] ??= { volume: 100, muted: false, solo: false, locked: false });
  }

  header(track) {
    const settings = this.settings(track.name), label = track.label;
    const toggle = (key, kind, face, hint, change) => {
      const attributes = { type: "button", class: kind, title: hint, "aria-label": hint, "aria-pressed": settings[key] };
      const button = make("button", attributes);
      button.innerHTML = face;
      button.onclick = () => {
        settings[key] = !settings[key];
        button.setAttribute("aria-pressed", settings[key]);
        change();
      };
      return button;
    };
    const toggles = make("div", { class: "toggles" },
      toggle("muted", "mute", "M", `Mute ${label}`, () => this.refresh()),
      toggle("solo", "solo", "S", `Solo ${label}`, () => this.refresh()));
    const keep = `Lock ${label}: keep it when others are remade`;
    // The melody is what was given: no regeneration changes it.
    if (!track.is_melody) toggles.append(toggle("locked", "lock", PADLOCK, keep, () => this.tell()));
    const slider = make("input", { type: "range", min: 0, max: 150, value: settings.volume, "aria-label": `Volume of ${label}` });
    const number = make("span", {}, `${settings.volume}%`);
    slider.oninput = () => {
      settings.volume = +slider.value;
      number.textContent = `${slider.value}%`;
      this.applyMix();
    };
    slider.ondblclick = () => (slider.value = 100, slider.oninput());
    const name = make("div", { class: "name", title: label }, label), volume = make("div", { class: "volume" }, slider, number);
    return make("div", { class: "track", role: "group", "aria-label": label }, name, toggles, volume);
  }

  isHeard(name) {
    const anySolo = this.song.tracks.some((track) => this.settings(track.name).solo), { muted, solo } = this.settings(name);
    return !muted && (solo || !anySolo);
  }

  applyMix() {
    for (const { name } of this.song.tracks) this.sound.setLevel(name, this.isHeard(name) ? this.settings(name).volume / 100 : 0);
  }

  // -- playing --------------------------------------------------------------------------------------------------------

  get position() {
    return this.sound.run ? Math.min(this.sound.position, this.roll.end) : this.at;
  }

  async play() {
    for (const other of page.players) if (other !== this) other.pause();
    this.wanted = true;
    this.sound.open();
    if (!(await this.load())) this.wanted = false;
    if (!this.wanted) return;
    this.follow = true;
    if (this.at > this.song.length - 0.05) this.at = 0;
    this.start(this.at);
    this.say("playing", true);
    requestAnimationFrame(() => this.tick());
  }

  start(at) {
    this.applyMix();
    let loop = this.loops && this.range();
    if (loop && at >= loop[1]) at = loop[0];
    this.sound.play(at, loop || null, () => this.finish());
    this.section.classList.add("playing");
    this.find("play").setAttribute("aria-label", "Pause");
  }

  pause() {
    this.wanted = false; // also what is still loading shall not begin
    if (!this.sound.run) return;
    this.at = this.position;
    this.sound.stop();
    this.section.classList.remove("playing");
    this.find("play").setAttribute("aria-label", "Play");
    this.say("paused", true);
    this.showPosition();
  }

  finish() {
    this.wanted = false;
    this.at = 0;
    this.section.classList.remove("playing");
    this.find("play").setAttribute("aria-label", "Play");
    this.say("ended", true);
    this.reveal();
  }

  seek(time) {
    this.follow = true;
    this.at = clamp(time, 0, this.song.length);
    if (this.sound.run) this.start(this.at);
    this.reveal();
  }

  /** By `step` bars; back goes first to the beginning of this one. */
  seekBars(step) {
    const { bars } = this.song, bar = this.roll.barAt(this.position);
    const inside = step < 0 && this.position - bars[bar] > 0.4 ? 1 : 0;
    this.seek(bars[clamp(bar + step + inside, 0, bars.length - 2)]);
  }

  range() {
    const [first, last] = this.selection ?? [0, this.song.bars.length - 2];
    return [this.song.bars[first], Math.min(this.song.bars[last + 1], this.sound.duration || Infinity)];
  }

  toggleLoop() {
    this.loops = !this.loops;
    this.find("loop").setAttribute("aria-pressed", this.loops);
    this.restart();
  }

  /** Plays on under a loop that has changed. */
  restart() {
    if (this.sound.run) this.start(this.position);
  }

  tick() {
    if (!this.sound.run) return;
    if (!this.section.isConnected) return this.leave();
    this.showPosition();
    requestAnimationFrame(() => this.tick());
  }

  /** Gradio has taken the player from the page. */
  leave() {
    this.sound.release();
    this.theme.disconnect();
  }

  // -- the picture ----------------------------------------------------------------------------------------------------

  refresh() {
    if (!this.song || !this.section.clientWidth) return;
    this.roll.layOut();
    this.roll.readColours();
    this.section.querySelectorAll(".track").forEach((header, i) => {
      const { colour, track } = this.roll.lanes[i];
      header.style.setProperty("--shade", colour);
      header.classList.toggle("silent", !track.notes.length);
    });
    this.applyMix();
    this.draw();
    this.showPosition();
  }

  draw() {
    this.roll.draw(this.selection, (name) => this.isHeard(name));
  }

  showPosition() {
    const { roll } = this, now = this.position;
    if (this.sound.run && this.follow && this.keepUp(now)) this.draw();
    this.find("playhead").style.transform = `translateX(${now * roll.scale - roll.left}px)`;
    const bar = roll.barAt(now) + this.song.first_bar;
    const time = `${minutes(Math.min(now, this.song.length))} / ${minutes(this.song.length)}`;
    if (this.find("time").textContent !== time) this.find("time").textContent = time;
    if (this.find("place").textContent !== `bar ${bar}`) this.find("place").textContent = `bar ${bar}`;
  }

  /** Moves the window along with the playhead: steadily, or page by page for who wants little motion. Whether it moved. */
  keepUp(now) {
    const { roll } = this, before = roll.left, x = now * roll.scale;
    if (!this.calm.matches) roll.moveTo(x - 0.35 * roll.width);
    else if (x < roll.left || x > roll.left + 0.97 * roll.width) roll.moveTo(x - 0.03 * roll.width);
    return roll.left !== before;
  }

  /** Brings the playhead into the window. */
  reveal() {
    const { roll } = this, x = this.position * roll.scale;
    if (x < roll.left || x > roll.left + roll.width) roll.moveTo(x - 0.1 * roll.width);
    this.draw();
    this.showPosition();
  }

  zoom(factor, at) {
    const head = this.position * this.roll.scale - this.roll.left, inside = head >= 0 && head <= this.roll.width;
    this.roll.zoom(factor, at ?? (inside ? head : this.roll.width / 2));
    this.draw();
    this.showPosition();
  }

  // -- selection and locks --------------------------------------------------------------------------------------------

  /** done: whether the visitor has let go. */
  select(selection, done = true) {
    this.selection = selection;
    this.draw();
    this.showChoice();
    if (done) this.tell();
    if (done && this.loops) this.restart();
  }

  get choice() {
    return {
      bars: this.selection && this.selection.map((bar) => bar + 1),
      locked: this.song.tracks.map((track) => track.name).filter((name) => this.settings(name).locked),
    };
  }

  showChoice() {
    const [from, to] = (this.selection ?? []).map((bar) => bar + this.song.first_bar);
    this.find("picked").hidden = !this.selection;
    this.find("picked").firstElementChild.textContent = from === to ? `Bar ${from}` : `Bars ${from}–${to}`;
  }

  /** Into the value, which is what a handler with the player as its input gets. A new value from Python comes without. */
  keepChoice() {
    const { id, song, stems } = props.value;
    props.value = { id, song, stems, choice: this.choice };
  }

  tell() {
    this.keepChoice();
    trigger("select", this.choice);
  }

  /** Moves the end of the selection, which begins where the playhead is, by a bar. */
  extend(step) {
    const [from, to] = this.selection ?? [this.roll.barAt(this.position), this.roll.barAt(this.position) - Math.max(step, 0)];
    this.select([from, clamp(to + step, from, this.song.bars.length - 2)]);
  }

  // -- what the visitor does ------------------------------------------------------------------------------------------

  listen() {
    const on = (name, action) => (this.find(name).onclick = action);
    on("play", () => (this.wanted ? this.pause() : this.play()));
    on("start", () => this.seek(0));
    on("loop", () => this.toggleLoop());
    on("clear", () => (this.select(null), this.section.focus()));
    on("in", () => this.zoom(1.5));
    on("out", () => this.zoom(1 / 1.5));
    this.roll.canvas.onclick = (event) => this.seek(this.roll.timeAt(event.clientX));
    this.section.addEventListener("keydown", (event) => this.onKey(event));
    this.roll.scroll.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.roll.scroll.addEventListener("scroll", () => this.onScroll());
    this.listenToRuler(this.find("ruler"));
    new ResizeObserver(() => this.refresh()).observe(this.section);
    this.theme = new MutationObserver(() => this.refresh()); // light or dark
    this.theme.observe(document.body, { attributeFilter: ["class"] });
  }

  listenToRuler(ruler) {
    let anchor = null;
    const pick = (event, done) => {
      const bar = this.roll.barAt(this.roll.timeAt(event.clientX));
      this.select([Math.min(anchor, bar), Math.max(anchor, bar)], done);
    };
    ruler.onpointerdown = (event) => {
      ruler.setPointerCapture(event.pointerId);
      anchor = this.roll.barAt(this.roll.timeAt(event.clientX));
    };
    ruler.onpointermove = (event) => anchor !== null && pick(event, false);
    ruler.onpointerup = (event) => anchor !== null && (pick(event, true), (anchor = null));
    ruler.onpointercancel = () => (anchor = null);
  }

  onKey(event) {
    const isTheirs = event.target.matches("input") || (event.key === " " && event.target.closest("button"));
    if (isTheirs || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      " ": () => this.find("play").click(),
      Home: () => this.seek(0),
      Escape: () => this.selection && this.select(null),
      ArrowLeft: () => (event.shiftKey ? this.extend(-1) : this.seekBars(-1)),
      ArrowRight: () => (event.shiftKey ? this.extend(1) : this.seekBars(1)),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  onWheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), event.clientX - this.roll.canvas.getBoundingClientRect().left);
  }

  onScroll() {
    const { roll } = this;
    if (Math.abs(roll.scroll.scrollLeft - roll.left) < 1.5) return; // it was moved by moveTo
    this.follow = false; // the visitor looks elsewhere
    roll.left = roll.scroll.scrollLeft;
    this.draw();
    this.showPosition();
  }
}

const section = element.querySelector(".player");
const player = (section.player = new Player(section));

function show() {
  const value = props.value;
  player.show(value ? { ...JSON.parse(value.song), id: value.id, stems: { ...value.stems }, choice: value.choice } : null);
}

watch("value", show);
show();
