// @ts-check
// What the visitor does with a player: buttons, keys, pointers.

/** @typedef {import("./player.js").Player} Player */

const PICKY = "input, select, textarea"; // elements that need their keys themselves

/**
 * Connects all of it. Returns what looks out for light and dark.
 * @param {Player} player
 */
export function listen(player) {
  const { section, roll } = player;
  const on = (/** @type {string} */ name, /** @type {() => void} */ action) => (player.find(name).onclick = action);
  on("play", () => (player.wanted || player.sound.isRunning ? player.pause() : player.play()));
  on("start", () => player.seek(0));
  on("loop", () => player.toggleLoop());
  on("clear", () => (player.select(null), section.focus()));
  on("in", () => player.zoom(1.5));
  on("out", () => player.zoom(1 / 1.5));
  on("metronome", () => player.toggleClicks());
  on("count", () => player.toggleCount());
  on("hear-band", () => player.hear("band"));
  on("hear-melody", () => player.hear("melody"));
  on("edit-notes", () => player.notes.toggle());
  on("edit-chords", () => (player.desk.panel === player.chordPanel ? player.desk.close() : player.chordPanel.openHere()));
  section.addEventListener("keydown", (event) => onKey(player, event));
  roll.scroll.addEventListener("wheel", (event) => onWheel(player, event), { passive: false });
  roll.scroll.addEventListener("scroll", () => onScroll(player));
  listenToRuler(player, player.find("ruler"));
  new ResizeObserver(() => player.refresh()).observe(section);
  const theme = new MutationObserver(() => player.refresh());
  theme.observe(document.body, { attributeFilter: ["class"] });
  return theme;
}

/**
 * @param {Player} player
 * @param {HTMLElement} ruler
 */
function listenToRuler(player, ruler) {
  /** @type {number | null} */
  let anchor = null;
  const { roll, edge } = player;
  const placeOf = (/** @type {PointerEvent} */ event) => event.clientX - roll.canvas.getBoundingClientRect().left;
  const barOf = (/** @type {PointerEvent} */ event) => roll.barAt(roll.timeAt(event.clientX));
  const pick = (/** @type {PointerEvent} */ event, /** @type {boolean} */ done) => {
    if (anchor === null) return;
    const bar = barOf(event);
    player.select([Math.min(anchor, bar), Math.max(anchor, bar)], done);
  };
  const letGo = () => {
    anchor = null;
    edge.stop();
  };
  ruler.onpointerdown = (event) => {
    if (roll.isBeyond(placeOf(event))) return;
    ruler.setPointerCapture(event.pointerId);
    anchor = barOf(event);
  };
  ruler.onpointermove = (event) => {
    pick(event, false);
    if (anchor !== null) edge.at(placeOf(event), () => pick(event, false));
  };
  ruler.onpointerup = (event) => {
    pick(event, true);
    letGo();
  };
  ruler.onpointercancel = letGo;
}

/**
 * @param {Player} player
 * @param {KeyboardEvent} event
 */
function onKey(player, event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const isTheirs = target.matches(PICKY) || ([" ", "Enter"].includes(event.key) && target.closest("button"));
  if (isTheirs) return;
  if (event.ctrlKey || event.metaKey) return onUndoKey(player, event);
  if (player.notes.key(event)) return event.preventDefault();
  if (event.altKey) return;
  /** @type {Record<string, () => void>} */
  const actions = {
    " ": () => player.find("play").click(),
    Home: () => player.seek(0),
    Escape: () => player.selection && player.select(null),
    ArrowLeft: () => (event.shiftKey ? player.extend(-1) : player.seekBars(-1)),
    ArrowRight: () => (event.shiftKey ? player.extend(1) : player.seekBars(1)),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

/**
 * Ctrl+Z and Ctrl+Y: of notes that are edited, else of takes.
 * @param {Player} player
 * @param {KeyboardEvent} event
 */
function onUndoKey(player, event) {
  const key = event.key.toLowerCase(), step = key === "z" && !event.shiftKey ? -1 : key === "y" || key === "z" ? 1 : 0;
  if (!step) return;
  event.preventDefault();
  const { notes } = player;
  if (notes.isOn && (step < 0 ? notes.history.hasEarlier : notes.history.hasLater)) notes.step(step);
  else if (!notes.isOn) player.listener.step(step);
}

/**
 * @param {Player} player
 * @param {WheelEvent} event
 */
function onWheel(player, event) {
  if (!event.ctrlKey) return;
  event.preventDefault();
  player.zoom(Math.exp(-event.deltaY / 300), event.clientX - player.roll.canvas.getBoundingClientRect().left);
}

/** @param {Player} player */
function onScroll(player) {
  const { roll } = player;
  if (Math.abs(roll.scroll.scrollLeft - roll.left) < 1.5) return; // it was moved by moveTo
  player.follow = false; // the visitor looks elsewhere
  roll.left = roll.scroll.scrollLeft;
  player.draw();
  player.showPosition();
}
