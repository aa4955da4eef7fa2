"""Read recordings of people singing, with the notes that other people heard in them.

A folder holds a folder for each set, which may lie deeper. A recording has a table beside it of the
same name, `song.ogg` and `song.csv`: onset and offset in seconds, and the MIDI pitch, which may
have fractions. Where several people wrote down the same song their tables are song_A1.csv,
song_A2.csv and so on; each is a row of its own. A file `pitch_doubtful.json` above the sets lists
the recordings in which the pitch that was written down is off; they count for onsets alone.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from accomp.listen.beat_grid import SungNote
from accomp.sound.audio_file import read_recording
from train.data import phones
from train.eval.hearing_figures import Truth

LOUDNESS = 80  # velocity of notes of which nobody wrote down how loud they are
DOUBTFUL = "pitch_doubtful.json"
SOUNDS = (".ogg", ".wav", ".flac", ".mp3")
# What is done to recordings that are measured a second time.
TREATMENTS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "clipped": lambda sound, _: phones.clipped(sound),
    "soft": phones.soft,
    "echoing": phones.echoing,
    **{
        name: partial(lambda codec, sound, _: phones.coded(sound, codec), codec)
        for name, codec in phones.CODECS.items()
    },
}


@dataclass
class RealClip:
    """A recording of a person.

    Attributes:
        group: The set it is from, with who wrote it down where several people did.
        name: The file's.
        path: The file.
        notes: As they were written down; pitches may have fractions.
        doubtful: Whether their pitches are in doubt.
    """

    group: str
    name: str
    path: Path
    notes: list[tuple[float, float, float, int]]
    doubtful: bool

    def sound(self) -> np.ndarray:
        """Return [samples] mono float32 at LISTEN_RATE."""
        return read_recording(self.path).mono


def real_clips(folder: Path) -> list[RealClip]:
    """List the recordings below a folder that have notes."""
    doubtful = {
        name for path in folder.rglob(DOUBTFUL) for name in json.loads(path.read_text("utf-8"))
    }
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SOUNDS):
        group = path.parent.relative_to(folder).as_posix()
        alone = path.with_suffix(".csv")
        tables = [alone] if alone.is_file() else sorted(path.parent.glob(f"{path.stem}_A*.csv"))
        for table in tables:
            who = "" if table == alone else " " + table.stem.removeprefix(f"{path.stem}_")
            notes = read_notes(table)
            found.append(RealClip(group + who, path.stem, path, notes, path.stem in doubtful))
    return found


def read_notes(table: Path) -> list[tuple[float, float, float, int]]:
    """Read notes that somebody wrote down."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            [float(row[name]) for name in ("midi", "onset", "offset")]
            for row in csv.DictReader(file)
        ]
    return [(pitch, onset, offset, LOUDNESS) for pitch, onset, offset in rows]


def as_sung(notes: list[SungNote]) -> list[SungNote]:
    """Return notes with the pitches that were sung, the singer's tuning put back."""
    return [note._replace(pitch=note.pitch + note.tuning) for note in notes]


def later_by(true: Truth, found: list[SungNote], reach: float = 0.15) -> float:
    """Return by how many milliseconds found notes are later than true ones, at the median.

    reach: seconds within which a note is the same.
    """
    starts = np.array([note.onset for note in found])
    apart = [
        starts[np.abs(starts - onset).argmin()] - onset for _, onset, _, _ in true if len(starts)
    ]
    near = [gap for gap in apart if abs(gap) < reach]
    return 1000 * float(np.median(near)) if near else 0.0
