"""The instruments (programs) of General MIDI."""

import csv
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parents[1] / "data" / "general_midi" / "programs.csv"


def program_name(program: int) -> str:
    """Return General MIDI's name of a program, counted from 0: 73 is "Flute"."""
    return _program_names()[program]


@cache
def _program_names() -> list[str]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]
