"""POP909 for the chord planner: `python -m train.pop909 POP909 --out FOLDER`, then
`python -m train.prepare FOLDER --labels FOLDER/labels.csv --out CORPUS909`.

POP909 (Wang et al., ISMIR 2020, MIT licence) holds melody, second voice and piano of 909 pop songs in real time, with annotated
beats. Here each song is laid on its beats, so that bars begin where its annotation says; splits are 80/10/10 by song number.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp import MusicError, Note, Score, Track, read_midi, write_midi

BEATS = "beat_midi.txt"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="train.pop909", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path, help="POP909's folder of song folders")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    folders = sorted(path.parent for path in options.source.glob(f"*/{BEATS}"))
    if not folders:
        raise SystemExit(f"{options.source} holds no song folder with a {BEATS}")
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split", "licence"])
        for number, folder in enumerate(tqdm(folders, unit="song")):
            try:
                score = on_beats(read_midi(folder / f"{folder.name}.mid"), np.loadtxt(folder / BEATS, ndmin=2))
            except MusicError as error:
                print(f"{folder.name}: {error}")
                continue
            write_midi(score, options.out / f"{folder.name}.mid")
            split = {8: "val", 9: "test"}.get(number % 10, "train")
            table.writerow([f"{folder.name}.mid", "pop", split, "MIT"])


def on_beats(score: Score, beats: np.ndarray) -> Score:
    """`score` with its notes in annotated beats. beats: [n, 2 or 3], time in seconds and, last, whether a bar begins; the most
    frequent phase of four beats is where bars begin."""
    times = beats[:, 0]
    downbeats = np.flatnonzero(beats[:, -1] > 0)
    phase = int(np.bincount(downbeats % 4, minlength=4).argmax())
    positions = np.arange(len(times)) + (-phase) % 4  # the first bar is filled up with rests

    def beat(onset: float) -> float:
        return float(np.interp(score.seconds(onset), times, positions))

    tracks = []
    for track in score.tracks:
        inside = [n for n in track.notes if times[0] - 0.1 <= score.seconds(n.onset) < times[-1]]
        notes = [Note(n.pitch, beat(n.onset), max(beat(n.end) - beat(n.onset), 0.05), n.velocity) for n in inside]
        tracks.append(Track(track.name, track.program, track.is_drum, notes))
    return Score([track for track in tracks if track.notes])


if __name__ == "__main__":
    main()
