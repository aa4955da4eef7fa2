"""Convert POP909 to MIDI on its beats, with its chord labels as markers.

    python -m train pop909 SOURCE --out FOLDER

SOURCE is POP909 (Wang et al. 2020). It holds a folder for each song, with three files: <song>.mid;
beat_midi.txt, whose columns are the time of each beat and, last, whether it is a downbeat;
chord_midi.txt, with start, end and label of each chord. FOLDER gets the MIDI files and labels.csv;
then:

    python -m train prepare FOLDER --labels FOLDER/labels.csv --chord-markers --out CORPUS
"""

import csv
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp.music.chord_symbols import parse_symbol
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from train.command_line import command_parser

SHORTEST = 0.05  # beats; a note that ends as it begins would not sound
# POP909's names of the kinds of chords, where ours differ, and those that are the same.
QUALITIES = {
    "maj": "",
    "min": "m",
    "min7": "m7",
    "sus4(b7)": "7sus4",
    "hdim7": "m7b5",
    "minmaj7": "m(maj7)",
    "maj6": "6",
    "min6": "m6",
    "min9": "m9",
    "sus4(b7,9)": "9sus4",
}
# Semitones above the root of the basses that its labels name.
DEGREES = {"b3": 3, "3": 4, "5": 7, "b7": 10, "7": 11}
SAME_QUALITIES = ("dim", "dim7", "aug", "sus2", "sus4", "7", "maj7", "9", "maj9")


def main(arguments: list[str] | None = None) -> None:
    """Write the songs as MIDI, and their labels."""
    parser = command_parser("pop909", __doc__)
    parser.add_argument("source", type=Path, metavar="SOURCE", help="folder of POP909")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for MIDI files")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path.parent for path in options.source.glob("*/beat_midi.txt"))
    if not folders:
        raise SystemExit(f"{options.source} holds no song with beat_midi.txt")
    with (options.out / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "licence"])
        for folder in tqdm(folders, unit="song"):
            write_midi(on_beats(folder), options.out / f"{folder.name}.mid")
            table.writerow([f"{folder.name}.mid", "pop", "MIT"])


def on_beats(folder: Path) -> Score:
    """Read a song with notes on its beats, bars from its downbeats, and chords as markers."""
    table = np.loadtxt(folder / "beat_midi.txt")
    times, downbeats = table[:, 0], np.flatnonzero(table[:, -1] > 0)
    # How many beats a bar usually has, and how many come before the first whole one.
    lengths = np.diff(downbeats)
    bar = int(np.bincount(lengths).argmax()) if len(lengths) else 4
    before = (-int(downbeats[0]) if len(downbeats) else 0) % bar
    score = read_midi(folder / f"{folder.name}.mid")
    tracks = []
    for track in score.tracks:
        if not track.notes:
            continue
        onsets = beats_at(score.seconds([note.onset for note in track.notes]), times, before)
        ends = beats_at(score.seconds([note.end for note in track.notes]), times, before)
        notes = [
            Note(note.pitch, float(onset), float(max(end - onset, SHORTEST)), note.velocity)
            for note, onset, end in zip(track.notes, onsets, ends)
        ]
        tracks.append(Track(track.name, track.program, track.is_drum, notes))
    chords = []
    for line in (folder / "chord_midi.txt").read_text().splitlines():
        start, _, label = line.split()
        # Labels begin on beats; both were estimated, so that they may be a little apart.
        if symbol := symbol_of(label):
            chords.append(Chord(float(np.round(beats_at(float(start), times, before))), symbol))
    return Score(tracks, meters=meters_of(downbeats, bar, before), chords=chords)


def beats_at(seconds: np.ndarray | float, times: np.ndarray, before: int) -> np.ndarray:
    """Return the beats at times in seconds; outside the song, at the pace of its outmost beats.

    times: [beats] seconds of each beat; before: the number of the first one.
    """
    inside = np.interp(seconds, times, np.arange(len(times)))
    first, last = times[1] - times[0], times[-1] - times[-2]
    earlier, later = np.minimum(seconds - times[0], 0), np.maximum(seconds - times[-1], 0)
    return np.maximum(inside + (earlier / first + later / last) + before, 0)


def meters_of(downbeats: np.ndarray, bar: int, before: int) -> list[TimeSignature]:
    """Return the meters of a song of `bar` beats a bar, with its bars of other lengths.

    Most songs have a bar or two of another length; all bars after it would be off if it were not
    written. downbeats: [bars] numbers of their beats; before: the number of the first beat.
    """
    meters = [TimeSignature(0.0, bar, 4)]
    bars = [*zip(downbeats, np.diff(downbeats)), *[(last, bar) for last in downbeats[-1:]]]
    for onset, beats in bars:
        if beats != meters[-1].numerator:
            meters.append(TimeSignature(float(onset + before), int(beats), 4))
    return meters


def symbol_of(label: str) -> str | None:
    """Return POP909's label as we write it; None where there is no chord.

    "B:min7/b7" is "Bm7/A".
    """
    if label in ("N", "X"):
        return None
    root, _, quality = label.partition(":")
    quality, _, degree = quality.partition("/")
    symbol = root + QUALITIES.get(quality, quality if quality in SAME_QUALITIES else "")
    if degree not in DEGREES:
        return symbol
    bass = (parse_symbol(root).root + DEGREES[degree]) % 12
    return str(parse_symbol(symbol)._replace(bass=bass))


if __name__ == "__main__":
    main()
