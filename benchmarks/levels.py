"""Measure how loud each instrument's notes are: `python -m benchmarks.levels [--out FOLDER]`.

It writes the tables of accomp.band.note_levels. Every General MIDI program plays single notes by
the soundfont at hand (the tables that ship: FluidR3_GM), without reverb and chorus. Of each note
the energy is measured, weighted as ITU-R BS.1770 has it.
"""

import argparse
import csv
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from accomp.band.note_levels import FIRST_KEY, LENGTHS, PITCHES, TABLES, VELOCITY
from accomp.music.loudness import HOP
from accomp.music.midi import write_midi
from accomp.music.score import Control, Note, Score, Track
from accomp.sound.meter import weighted_power
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.soundfont import find_soundfont

ABOUT = (-4, 0, 4)  # semitones from each pitch: samples differ from one to the next
KEYS = range(FIRST_KEY, 82)
SOFT = 50  # velocity that is compared with VELOCITY
ROOM = 4.0  # seconds from one note to the next
SILENT, UNKNOWN = (
    -80,
    -60,
)  # LU below which a program lacks a pitch; and what it gets if it lacks all


def main(arguments: list[str] | None = None) -> None:
    """Measure all programs and drum keys and write the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks.levels", description=__doc__)
    parser.add_argument("--out", type=Path, default=TABLES, help="folder (default: the package's)")
    out = parser.parse_args(arguments).out
    with ThreadPoolExecutor() as pool:
        rows = list(pool.map(program_levels, range(128)))
    columns = [f"{length:g}s@{pitch}" for length in LENGTHS for pitch in PITCHES]
    _write(
        out / "programs.csv",
        ["program", *columns, "steepness"],
        [[program, *row] for program, row in enumerate(rows)],
    )
    struck = note_energies([(key, LENGTHS[1], VELOCITY) for key in KEYS], 0, True)
    soft = note_energies([(key, LENGTHS[1], SOFT) for key in KEYS], 0, True)
    steepness = np.median(struck - soft) / np.log10(VELOCITY / SOFT)
    levels = [[key, round(float(level))] for key, level in zip(KEYS, struck)]
    _write(out / "drums.csv", ["key", "level"], [*levels, ["steepness", round(float(steepness))]])


def note_energies(
    notes: list[tuple[int, float, int]], program: int, is_drum: bool = False
) -> np.ndarray:
    """Measure the energy in LU of each note (pitch, seconds, velocity), played ROOM apart."""
    track = Track(
        "",
        program,
        is_drum,
        [Note(p, 2 * ROOM * i, 2 * seconds, v) for i, (p, seconds, v) in enumerate(notes)],
    )
    end = 2 * ROOM * len(notes)
    track.controls = [Control(0.0, 91, 0), Control(0.0, 93, 0), Control(end, 3, 0)]
    with TemporaryDirectory() as folder:
        midi, wav = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        write_midi(Score([track]), midi)
        plain = ["-R", "0", "-C", "0", "-O", "float", "-r", str(SAMPLE_RATE)]
        command = ["fluidsynth", "-ni", *plain, "-F", wav, find_soundfont(), midi]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        power = weighted_power(soundfile.read(wav, dtype="float32")[0], SAMPLE_RATE)
    size = round(ROOM / HOP)
    power = np.pad(power, (0, max(len(notes) * size - len(power), 0)))[: len(notes) * size]
    return 10 * np.log10(power.reshape(len(notes), size).sum(1) * HOP + 1e-9)


def program_levels(program: int) -> list[int]:
    """Measure a program's row; a pitch that it lacks is as loud as its nearest."""
    notes = [
        (int(pitch) + step, length, VELOCITY)
        for length in LENGTHS
        for pitch in PITCHES
        for step in ABOUT
    ]
    beside = [(60, 0.5, VELOCITY), (60, 0.5, SOFT)]
    *levels, loud, soft = note_energies([*notes, *beside], program)
    steepness = (loud - soft) / np.log10(VELOCITY / SOFT)
    table = np.array(levels).reshape(len(LENGTHS), len(PITCHES), len(ABOUT)).mean(2)
    for row in table:
        known = np.flatnonzero(row > SILENT)
        nearest = np.abs(known[:, None] - np.arange(len(row))).argmin(0) if len(known) else None
        row[:] = UNKNOWN if nearest is None else row[known[nearest]]
    return [round(float(value)) for value in (*table.ravel(), steepness)]


def _write(path: Path, header: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
