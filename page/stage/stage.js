// What the page as a whole does in the browser: what is folded away, what is busy, what sounds on a card. Gradio runs this
// with takes.js, once, as the body of a function with `element`, `trigger`, `props` and `watch`. `accompStage` is for the
// events of app.py that run in the browser.
// @ts-check

const SETTLING = 400; // ms until Gradio has laid out what it has put in
const LOOK = 80, PATIENCE = 30000; // ms: how often it is looked for a melody that was pressed, and how long
const FOLDERS = ["melody", "correct", "record", "tune"]; // ids of buttons, each of which opens the part `ID-part`
const MAKERS = ["generate", "another", "three", "remake", "line-up", "invent"]; // ids of buttons that say themselves that they are at work

/** Folds and unfolds parts of the page, marks buttons that are busy, plays the tastes of genres. */
class Stage {
  constructor() {
    this.root = document.documentElement;
    /** @type {HTMLAudioElement | null} */
    this.taste = null;
    this.root.dataset.stage = "start";
    this.root.dataset.open = "";
    /** @type {string | undefined} */
    this.shownExample = "ode_to_joy"; // the one that is open at first
    this.waiting = 0; // for the melody that was pressed
    document.addEventListener("click", (event) => this.onClick(event), true);
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => this.onDrag(event));
    if (!this.settled()) {
      const watching = new MutationObserver(() => this.settled() && watching.disconnect());
      watching.observe(document.body, { childList: true, subtree: true });
    }
  }

  /** Prepares what Gradio has put in by now; whether that is all. */
  settled() {
    const buttons = FOLDERS.map((part) => document.getElementById(part)), groups = document.querySelectorAll("fieldset.cards");
    if (buttons.includes(null) || groups.length < 2) return false;
    for (const part of FOLDERS) this.fold(part, this.isOpen(part));
    for (const group of groups) {
      const gather = () => this.group(group);
      gather();
      new MutationObserver(gather).observe(group, { childList: true, subtree: true, attributeFilter: ["name"] });
    }
    this.revealAll();
    return true;
  }

  /** @param {Element} group For the keyboard its cards shall be one group: Gradio names each radio button otherwise. */
  group(group) {
    for (const input of group.querySelectorAll("input")) if (input.name !== group.id) input.name = group.id;
  }

  /** Of cards in a row that scrolls the chosen one is brought into the middle, when all has its place. */
  revealAll() {
    setTimeout(() => {
      for (const card of document.querySelectorAll("fieldset.cards label:has(:checked)")) {
        const row = card.parentElement, box = card.getBoundingClientRect();
        if (row) row.scrollLeft += box.left + box.width / 2 - innerWidth / 2;
      }
    }, SETTLING);
  }

  /** @param {number} takes How many there are: with the first one the inputs fold away. */
  setTakes(takes) {
    const stage = takes ? "play" : "start";
    if (this.root.dataset.stage === stage) return;
    this.root.dataset.stage = stage;
    for (const part of FOLDERS) this.fold(part, false);
    this.revealAll();
    if (takes) window.scrollTo({ top: 0, behavior: "instant" });
  }

  /**
   * @param {string} part One of FOLDERS.
   * @param {boolean} [open] Else it changes.
   */
  fold(part, open) {
    const opens = open ?? !this.isOpen(part);
    const others = (this.root.dataset.open ?? "").split(" ").filter((other) => other && other !== part);
    this.root.dataset.open = (opens ? [...others, part] : others).join(" ");
    document.getElementById(part)?.setAttribute("aria-expanded", String(opens));
    if (opens) document.querySelector(`#${part}-part`)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} part One of FOLDERS. */
  isOpen(part) {
    return (this.root.dataset.open ?? "").split(" ").includes(part);
  }

  /** @param {string} id Of the button that was pressed; it says so until `idle`. */
  busy(id) {
    this.idle();
    this.root.dataset.busy = id;
    document.getElementById(id)?.setAttribute("aria-busy", "true");
    this.silence();
  }

  idle() {
    const id = this.root.dataset.busy;
    if (id) document.getElementById(id)?.removeAttribute("aria-busy");
    delete this.root.dataset.busy;
  }

  /** Puts words in place of what is said of the melody before, until another one is read: `is` false. */
  reading(is = true) {
    const facts = document.getElementById("facts");
    if (is) facts?.setAttribute("data-reading", t("Reading the melody…"));
    else facts?.removeAttribute("data-reading");
  }

  /** @param {MouseEvent} event Also a press on the genre that is chosen already lets it be heard. */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button");
    if (button && MAKERS.includes(button.id)) this.busy(button.id);
    if (button && FOLDERS.includes(button.id)) this.fold(button.id);
    if (!(target instanceof HTMLInputElement)) return;
    if (target.closest("#genres")) this.hear(target.value);
    if (target.closest("#examples")) this.hearMelody();
  }

  /** @param {Event} event A file may be dropped anywhere: it becomes the melody, and the browser does not open it. */
  onDrag(event) {
    const files = event instanceof DragEvent ? event.dataTransfer?.files : null;
    const isTheirs = event.target instanceof Element && event.target.closest("button:has(input[type=file])");
    if (isTheirs || !(event instanceof DragEvent) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const box = /** @type {HTMLInputElement | null} */ (document.querySelector("#melody-file input[type=file]"));
    if (event.type !== "drop" || !files?.length || !box) return;
    box.files = files;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** The one player: see page/player/web/player.js. */
  get player() {
    return /** @type {any} */ (document.querySelector("#song .player"))?.player;
  }

  /** A melody that was pressed is played as soon as it is in the player, which may be now. */
  hearMelody() {
    this.silence();
    clearInterval(this.waiting);
    const before = this.player?.song?.id, isStart = this.root.dataset.stage === "start";
    // The page's own first melody may arrive after the press: it is not what was pressed.
    const title = document.querySelector("#examples label:has(:checked)")?.textContent?.trim();
    let left = PATIENCE / LOOK;
    this.waiting = setInterval(() => {
      left -= 1;
      const song = this.player?.song, isIt = song && song.id !== before && song.title === title;
      if (isIt) this.player.play();
      if (isIt || !left) clearInterval(this.waiting);
    }, LOOK);
    if (isStart && this.chosen === this.shownExample) this.player?.play();
    this.shownExample = this.chosen;
  }

  get chosen() {
    return /** @type {HTMLInputElement | null} */ (document.querySelector("#examples :checked"))?.value;
  }

  /** @param {string} genre Two seconds of it are played, unless the player plays a band. */
  hear(genre) {
    this.silence();
    if (this.root.dataset.stage === "start") this.player?.pause();
    else if (this.player?.state === "playing") return;
    const address = getComputedStyle(this.root).getPropertyValue(`--taste-${genre}`).trim();
    if (!address) return;
    this.taste = new Audio(JSON.parse(address));
    this.taste.play().catch(() => {}); // no sound is no harm
  }

  silence() {
    this.taste?.pause();
    this.taste = null;
  }
}

const stage = (/** @type {any} */ (window).accompStage ??= new Stage());
