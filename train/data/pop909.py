"""POP909 (Wang et al. 2020) as MIDI on its beats, with its chord labels as markers: `python -m train pop909 SOURCE --out FOLDER`.

SOURCE holds a folder for each song, with <song>.mid, beat_midi.txt (time, and in the last column whether it is a downbeat) and
chord_midi.txt (start, end, chord). Then: `python -m train prepare FOLDER --labels FOLDER/labels.csv --chord-markers --out ...`.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Chord, Note, Score, TimeSignature, Track

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
NAMED = ("dim", "dim7", "aug", "sus2", "sus4", "7", "maj7", "9", "maj9")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train pop909", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path.parent for path in options.source.glob("*/beat_midi.txt"))
    if not folders:
        raise SystemExit(f"{options.source} holds no song with beat_midi.txt")
    with open(options.out / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "licence"])
        for folder in tqdm(folders, unit="song"):
            write_midi(on_beats(folder), options.out / f"{folder.name}.mid")
            table.writerow([f"{folder.name}.mid", "pop", "MIT"])


def on_beats(folder: Path) -> Score:
    """A song with its notes on its beats, bars beginning on downbeats, and its chords."""
    beats = np.loadtxt(folder / "beat_midi.txt")
    times, downbeats = beats[:, 0], np.flatnonzero(beats[:, -1] > 0)
    # How many beats a bar usually has, and how many come before the first whole one.
    lengths = np.diff(downbeats)
    bar = int(np.bincount(lengths).argmax()) if len(lengths) else 4
    before = (-int(downbeats[0]) if len(downbeats) else 0) % bar
    # Most songs have a bar or two of another length, after which all others would be off if it were not written.
    meters = [TimeSignature(0.0, bar, 4)]
    for onset, beats_of_bar in [
        *zip(downbeats, lengths),
        *[(each, bar) for each in downbeats[-1:]],
    ]:
        if beats_of_bar != meters[-1].numerator:
            meters.append(TimeSignature(float(onset + before), int(beats_of_bar), 4))

    def at(seconds) -> np.ndarray:
        """Beats of times, going on at the pace of the first and last beats outside of them."""
        inside = np.interp(seconds, times, np.arange(len(times)))
        first, last = times[1] - times[0], times[-1] - times[-2]
        outside = (
            np.minimum(seconds - times[0], 0) / first + np.maximum(seconds - times[-1], 0) / last
        )
        return np.maximum(inside + outside + before, 0)

    score = read_midi(folder / f"{folder.name}.mid")
    tracks = []
    for track in score.tracks:
        if not track.notes:
            continue
        onsets = at(score.seconds([note.onset for note in track.notes]))
        ends = at(score.seconds([note.end for note in track.notes]))
        notes = [
            Note(n.pitch, float(a), float(max(b - a, 0.05)), n.velocity)
            for n, a, b in zip(track.notes, onsets, ends)
        ]
        tracks.append(Track(track.name, track.program, track.is_drum, notes))
    chords = []
    for line in (folder / "chord_midi.txt").read_text().splitlines():
        start, _, label = line.split()
        # Labels begin on beats, give or take what the estimation of both costs.
        if symbol := symbol_of(label):
            chords.append(Chord(float(np.round(at(float(start)))), symbol))
    return Score(tracks, meters=meters, chords=chords)


def symbol_of(label: str) -> str | None:
    """ "B:min7/b7" to "Bm7"; None where there is no chord. The bass is left out."""
    if label in ("N", "X"):
        return None
    root, _, quality = label.partition(":")
    quality = quality.split("/")[0]
    return root + (
        QUALITIES[quality] if quality in QUALITIES else quality if quality in NAMED else ""
    )


if __name__ == "__main__":
    main()
