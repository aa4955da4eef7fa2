"""The drum keys of General MIDI: their names and parts of the drum kit."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parents[1] / "data" / "general_midi" / "drums.csv"
# Parts of the drum kit that a drummer uses for the same purpose; other keys are of kind "other".
KINDS = ("kick", "snare", "closed hi-hat", "open hi-hat", "tom", "crash", "ride")
# The keys that the band itself strikes. The drumsticks (31) are not in every General MIDI kit.
BASS_DRUM, SIDE_STICK, CRASH = 36, 37, 49


class DrumKey(NamedTuple):
    """One percussion key.

    Attributes:
        name: General MIDI's name.
        label: A shorter name for a picture's axis.
        kind: One of KINDS, or "other".
    """

    name: str
    label: str
    kind: str


@cache
def drum_keys() -> dict[int, DrumKey]:
    """Return General MIDI's percussion keys, 35 to 81, by MIDI pitch."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            int(row["key"]): DrumKey(row["name"], row["label"], row["kind"])
            for row in csv.DictReader(file)
        }


def keys_of(*kinds: str) -> tuple[int, ...]:
    """Return the percussion keys of these kinds, rising."""
    return tuple(key for key, drum in drum_keys().items() if drum.kind in kinds)


def drum_label(key: int) -> str:
    """Return a short name of a percussion key; "key 20" where General MIDI has none."""
    drum = drum_keys().get(key)
    return drum.label if drum else f"key {key}"
