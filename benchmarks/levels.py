"""How loud each instrument's notes are: fits the table in accomp/note_levels.py, which this prints:

    python -m benchmarks.levels > accomp/note_levels.py

Every General MIDI program plays single notes by the soundfont at hand (the shipped table: FluidR3_GM), without reverb and
chorus; of each the energy is measured, weighted as ITU-R BS.1770 has it.
"""

import argparse
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from accomp.music.loudness import HOP
from accomp.music.midi import write_midi
from accomp.music.score import Control, Note, Score, Track
from accomp.sound.meter import weighted_power
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.soundfont import find_soundfont

PITCHES = range(30, 102, 12)
ABOUT = (-4, 0, 4)  # semitones from each: samples differ from one to the next
LENGTHS = (0.06, 0.25, 2.0)  # seconds
KEYS = range(35, 82)
LOUD, SOFT = 100, 50  # velocities
ROOM = 4.0  # seconds from one note to the next

HEADER = '''"""How loud single notes of the General MIDI programs are, measured of FluidR3_GM: `python -m benchmarks.levels`.

A row is a program: the energy of a note that lasts LENGTHS seconds about each of PITCHES at VELOCITY, in LU (dB of K-weighted
power times seconds), short notes first; the last column tells how steeply loudness rises with velocity, in dB a decade
(General MIDI has 40). DRUMS has the energy of a stroke on each key from FIRST_KEY on, and its steepness last.
"""

import numpy as np

PITCHES = np.array({pitches})
LENGTHS = {lengths}
VELOCITY = {velocity}
FIRST_KEY = {first}

# fmt: off
PROGRAMS = np.array([
{rows}
])
DRUMS = np.array([
{drums}
])
'''


def energies(
    notes: list[tuple[int, float, int]], program: int, is_drum: bool = False
) -> np.ndarray:
    """LU of each note (pitch, seconds, velocity), played ROOM apart."""
    track = Track(
        "",
        program,
        is_drum,
        [Note(p, 2 * ROOM * i, 2 * seconds, v) for i, (p, seconds, v) in enumerate(notes)],
    )
    track.controls = [
        Control(0.0, 91, 0),
        Control(0.0, 93, 0),
        Control(2 * ROOM * len(notes), 3, 0),
    ]
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


def row(program: int) -> str:
    """A program's: a pitch that it lacks is as loud as its nearest."""
    notes = [
        (pitch + step, length, LOUD) for length in LENGTHS for pitch in PITCHES for step in ABOUT
    ]
    *levels, loud, soft = energies([*notes, (60, 0.5, LOUD), (60, 0.5, SOFT)], program)
    steep = (loud - soft) / np.log10(LOUD / SOFT)
    table = np.array(levels).reshape(len(LENGTHS), len(PITCHES), len(ABOUT)).mean(2)
    for levels in table:
        there = np.flatnonzero(levels > -80)
        levels[:] = (
            levels[there[np.abs(there[:, None] - np.arange(len(levels))).argmin(0)]]
            if len(there)
            else -60
        )
    return "    [" + ", ".join(f"{value:.0f}" for value in (*table.ravel(), steep)) + "],"


def lines(values: list[float], width: int = 16) -> list[str]:
    rows = [values[at : at + width] for at in range(0, len(values), width)]
    return ["    " + ", ".join(f"{value:.0f}" for value in row) + "," for row in rows]


def main() -> None:
    argparse.ArgumentParser(
        prog="benchmarks.levels", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    ).parse_args()
    with ThreadPoolExecutor() as pool:
        rows = list(pool.map(row, range(128)))
    hits = energies([(key, 0.25, LOUD) for key in KEYS], 0, True)
    soft = energies([(key, 0.25, SOFT) for key in KEYS], 0, True)
    drums = [*hits, np.median(hits - soft) / np.log10(LOUD / SOFT)]
    print(
        HEADER.format(
            pitches=list(PITCHES),
            lengths=LENGTHS,
            velocity=LOUD,
            first=KEYS[0],
            rows="\n".join(rows),
            drums="\n".join(lines(drums)),
        ),
        end="",
    )


if __name__ == "__main__":
    main()
