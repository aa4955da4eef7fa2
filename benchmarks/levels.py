"""Measure how loud each instrument's notes are: `python -m benchmarks.levels [--out FOLDER]`.

Writes the tables in accomp/data/note_levels (accomp.band.note_levels says what they hold). Every
General MIDI program plays single notes by the soundfont at hand (FluidR3_GM for the shipped
tables), without reverb and chorus. Of each note the energy is measured, weighted as in ITU-R
BS.1770.
"""

import argparse
import csv
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

REVERB, CHORUS = 91, 93  # MIDI controllers
BREATH = 3  # a controller that nothing follows: it only makes the file last
PROGRAMS, LAST_KEY = 128, 81


@dataclass(frozen=True)
class LevelSettings:
    """Which notes are played."""

    about: tuple[int, ...] = (-4, 0, 4)  # semitones from each pitch: samples differ between keys
    soft: int = 50  # velocity that tells how steeply loudness rises with it
    steep_at: tuple[int, float] = (60, 0.5)  # pitch and seconds of the notes that tell it
    stroke: float = 0.25  # seconds of a stroke on a drum
    apart: float = 4.0  # seconds from one note to the next: the longest dies away
    silent: float = -80  # LU; a pitch that is softer is missing in the soundfont
    missing: float = -60  # LU of a program without any sound


def main() -> None:
    """Measure all programs and drums, and write the two tables."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.levels", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=TABLES, help="folder for programs.csv and drums.csv"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        programs = list(pool.map(program_levels, range(PROGRAMS)))
    names = [f"{seconds:g}s@{pitch}" for seconds in LENGTHS for pitch in PITCHES]
    write_table(
        options.out / "programs.csv",
        ["program", *names, "steepness"],
        ([program, *levels] for program, levels in enumerate(programs)),
    )
    keys = [*range(FIRST_KEY, LAST_KEY + 1), "steepness"]
    write_table(
        options.out / "drums.csv",
        ["key", "level"],
        ([key, level] for key, level in zip(keys, drum_levels())),
    )


def write_table(path: Path, heading: list[str], rows: Iterable[list]) -> None:
    """Write a CSV file of a key and rounded levels in each row."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(heading)
        table.writerows([key, *(f"{level:.0f}" for level in levels)] for key, *levels in rows)


def program_levels(program: int, settings: LevelSettings = LevelSettings()) -> list[float]:
    """Measure a program: LU of each length and pitch, and its steepness in dB a decade.

    A pitch that it lacks is as loud as its nearest one.
    """
    notes = [
        (int(pitch) + step, length, VELOCITY)
        for length in LENGTHS
        for pitch in PITCHES
        for step in settings.about
    ]
    steep = [(*settings.steep_at, velocity) for velocity in (VELOCITY, settings.soft)]
    *levels, loud, soft = energies([*notes, *steep], program, settings=settings)
    table = np.array(levels).reshape(len(LENGTHS), len(PITCHES), len(settings.about)).mean(2)
    for row in table:
        there = np.flatnonzero(row > settings.silent)
        nearest = np.abs(there[:, None] - np.arange(len(row)))
        row[:] = row[there[nearest.argmin(0)]] if len(there) else settings.missing
    return [*table.ravel(), (loud - soft) / np.log10(VELOCITY / settings.soft)]


def drum_levels(settings: LevelSettings = LevelSettings()) -> list[float]:
    """Measure the drums: LU of a stroke on each key, and their median steepness."""
    loud, soft = (
        energies(
            [(key, settings.stroke, velocity) for key in range(FIRST_KEY, LAST_KEY + 1)],
            0,
            is_drum=True,
            settings=settings,
        )
        for velocity in (VELOCITY, settings.soft)
    )
    return [*loud, np.median(loud - soft) / np.log10(VELOCITY / settings.soft)]


def energies(
    notes: list[tuple[int, float, int]],
    program: int,
    is_drum: bool = False,
    settings: LevelSettings = LevelSettings(),
) -> np.ndarray:
    """Play notes one by one and measure their energy.

    Args:
        notes: Pitch, seconds and velocity of each.
        program: General MIDI program, from 0.
        is_drum: Whether they are strokes on the drums.
        settings: How far apart they are played.

    Returns:
        LU of each note.
    """
    tempo = 2  # beats a second, as in every file that names none
    track = Track("", program, is_drum)
    track.notes = [
        Note(pitch, tempo * settings.apart * i, tempo * seconds, velocity)
        for i, (pitch, seconds, velocity) in enumerate(notes)
    ]
    end = tempo * settings.apart * len(notes)
    track.controls = [Control(0.0, REVERB, 0), Control(0.0, CHORUS, 0), Control(end, BREATH, 0)]
    with TemporaryDirectory() as folder:
        midi, wav = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        write_midi(Score([track]), midi)
        plain = ["-R", "0", "-C", "0", "-O", "float", "-r", str(SAMPLE_RATE)]
        command = ["fluidsynth", "-ni", *plain, "-F", wav, find_soundfont(), midi]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        power = weighted_power(soundfile.read(wav, dtype="float32")[0], SAMPLE_RATE)
    size = round(settings.apart / HOP)
    power = np.pad(power, (0, max(len(notes) * size - len(power), 0)))[: len(notes) * size]
    return 10 * np.log10(power.reshape(len(notes), size).sum(1) * HOP + 1e-9)


if __name__ == "__main__":
    main()
