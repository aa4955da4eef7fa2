"""The ensembles that real songs of a genre have: who plays beside the melody, with which sounds.

The table was counted by `python -m benchmarks.ensembles CORPUS` in songs as the genres' models
learn from. Drums are in all of them.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from accomp.checks import shown
from accomp.errors import MusicError

TABLE = Path(__file__).parents[1] / "data" / "ensembles.json"


class Ensemble(NamedTuple):
    """Who plays beside the melody.

    Attributes:
        name: Such as "piano, no strings".
        share: Of the genre's songs that have it, 0 to 1.
        instruments: For `Options.instruments`.
        programs: For `Finish.programs`: the sound that most of these songs give a part.
        second_guitar: For `Options.second_guitar`.
    """

    name: str
    share: float
    instruments: tuple[str, ...]
    programs: dict[str, int]
    second_guitar: bool = False


def ensembles(genre: str) -> list[Ensemble]:
    """Return the ensembles of a genre, the most frequent first; none of an unknown genre."""
    return [
        Ensemble(
            each["name"],
            each["share"],
            tuple(each["instruments"]),
            dict(each["programs"]),
            each.get("second_guitar", False),
        )
        for each in _table().get(genre, [])
    ]


def find_ensemble(genre: str, name: str) -> Ensemble:
    """Return an ensemble of a genre by its name.

    Raises:
        MusicError: The genre has none of this name.
    """
    known = ensembles(genre)
    found = next((each for each in known if each.name == name), None)
    if found is None:
        names = "; ".join(each.name for each in known) or "none for this genre"
        raise MusicError(f"{genre} has no ensemble {shown(name, repr)}; accepted: {names}")
    return found


@cache
def _table() -> dict[str, list[dict]]:
    return json.loads(TABLE.read_text(encoding="utf-8"))
