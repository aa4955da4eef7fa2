"""The instruments (programs) of General MIDI, and the pitches that they play."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parents[1] / "data" / "general_midi" / "programs.csv"
PROGRAMS = 128
# Drum kits by program, as Roland's GS has them and General MIDI 2 took them over.
KITS = {
    0: "Standard kit",
    8: "Room kit",
    16: "Power kit",
    24: "Electronic kit",
    25: "Analog kit",
    32: "Jazz kit",
    40: "Brush kit",
}


class Instrument(NamedTuple):
    """A program of General MIDI.

    Attributes:
        name: Such as "Flute".
        pitches: The lowest and the highest sounding pitch of the real instrument, or of the keys
            that a synthesiser's sound is made for; None for noises and drums.
    """

    name: str
    pitches: tuple[int, int] | None


def program_name(program: int) -> str:
    """Return General MIDI's name of a program, counted from 0: 73 is "Flute"."""
    return instruments()[program].name


def program_pitches(program: int) -> tuple[int, int] | None:
    """Return the lowest and the highest pitch of a program; None where it has no pitch."""
    return instruments()[program].pitches


@cache
def instruments() -> tuple[Instrument, ...]:
    """Return all programs by number, from 0."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Instrument(row["name"], (int(row["low"]), int(row["high"])) if row["low"] else None)
        for row in rows
    )
