// What Python passes in (page/player/view.py) and what the modules pass to one another. Times are in seconds.

/** Pitch, onset, duration, velocity; of a recording also how sure it is that it was sung, where that is in doubt. */
export type Note = [number, number, number, number, number?];

export interface Track {
  name: string;
  /** Whose sounds fit it. */
  part: string;
  label: string;
  colour: string;
  is_melody: boolean;
  is_drum: boolean;
  muted: boolean;
  /** Of General MIDI, from 0 on. Null where the track is a recording. */
  program: number | null;
  /** Onset, number and value of MIDI controllers. */
  controls: [number, number, number][];
  rows: [string, number[]][];
  /** By which each note is heard higher than it is written; empty where none is. */
  octaves: number[];
  notes: Note[];
}

export interface Song {
  id: string;
  sound: "live" | "there" | "coming" | "none";
  title: string;
  length: number;
  /** When the melody begins. */
  start: number;
  /** The same for songs with the same melody in the same time. */
  melody: string;
  /** Where in the song the visitor's recording begins; before it where negative. */
  voice_start: number;
  bars: number[];
  first_bar: number;
  beats: number[];
  chords: [number, string][];
  /** Decibels that bring the synthesizer's sound to the level of the files. */
  gain: number;
  /** The same for songs whose melodies are edits of one another. */
  family: string;
  /** Beats and seconds between which time passes evenly. */
  clock: [number, number][];
  /** The number of the edit that the song came of; 0 for none. */
  turn: number;
  /** Bars, counted from 1, in which the band plays to the melody before an edit. */
  stale: number[];
  /** When chords can change, and when the last one ends; empty where none can. */
  places: number[];
  /** A new text where the song shall be heard as soon as it is shown. */
  play: string;
  /** Its mean tempo in quarters a minute. */
  tempo: number;
  finish: Finish;
  /** Files of sound by track. */
  stems: Record<string, { url: string }>;
  tracks: Track[];
  choice?: Choice;
}

/** In which tempo and key a song is given out. */
export interface Finish {
  /** Quarters a minute; null for the song's own. */
  tempo: number | null;
  /** Semitones. */
  transpose: number;
  /** The song's own key: its tonic, 0 for C, and whether it is minor. */
  key: [number, boolean] | null;
}

export interface Choice {
  bars: [number, number] | null;
  locked: string[];
}

/** A note of the melody, in beats. */
export interface Placed {
  pitch: number;
  onset: number;
  length: number;
  velocity: number;
}

/** What the page is told of edits. Places are numbers, bars are counted from 1. */
export interface Edits {
  edit: (edit: { notes: number[][]; turn: number }) => void;
  chords: (change: { changes: (string | number)[][] }) => void;
  renew: (wish: { all: boolean }) => void;
  refill: (wish: { track: string; bars: [number, number]; busy: number | null; high: number | null }) => void;
  offer: (place: { place: number; asked: number }) => void;
  /** The symbol of a chord that is typed; empty where it is none. */
  read: (text: string) => Promise<string>;
  step: (step: number) => void;
}

export type Span = [number, number];

/** The place in a song at a time of the audio clock. */
export interface Anchor {
  at: number;
  time: number;
  tempo: number;
  loop: Span | null;
}

/** Where the app's files are. */
export interface Places {
  /** The folder of the scripts. */
  scripts: string;
  /** The folder of the instruments. */
  sounds: string;
  /** Files of instruments by "bank-program". */
  made: Record<string, string>;
  /** The instruments to fetch before anything is played. */
  first: string[];
  /** Why the browser can't play live; empty where it can. */
  fault: string;
  /** The programs that fit each part, with their names. */
  fitting: Record<string, [number, string][]>;
  /** All others in its register, by General MIDI's names. */
  more: Record<string, [number, string][]>;
  /** How FluidSynth plays, by the names of its settings. */
  settings: Record<string, number>;
}

/** What plays a song: live.js or files.js. */
export interface Sound {
  readonly isLoaded: boolean;
  readonly isRunning: boolean;
  readonly position: number;
  readonly duration: number;
  /** Root mean square of what sounds now. */
  readonly level: number;
  ended: () => void;
  failed: (words: string) => void;
  /** Another song; `shift` seconds are added to the position where it shall play on. */
  setSong(song: Song, shift: number | null): void;
  unlock(): void;
  load(report: (done: number, all: number) => void): Promise<void>;
  /** Whether the browser lets it sound; it waits a moment for that. */
  canSound(): Promise<boolean>;
  /** `begins` where it did not play before: it may be counted in. */
  play(at: number, loop: Span | null, begins?: boolean): void;
  setLoop(loop: Span | null): void;
  stop(): void;
  setLevel(track: string, level: number): void;
  setTempo(factor: number): void;
  setTranspose(steps: number): void;
  release(): void;
}
