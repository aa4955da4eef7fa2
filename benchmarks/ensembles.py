"""Count which ensembles the songs of each genre have, for accomp/data/ensembles.json.

    python -m benchmarks.ensembles CORPUS

CORPUS is a folder of `python -m train prepare`, whose songs.json says which program plays a part.
An ensemble is what plays chords in the guitar's part (a guitar, a piano) and what sustains in the
strings' part (strings, an organ, a synthesizer), or that nobody does. A part's sound is the program
that most of the songs with the ensemble have. Songs that were written for accomp do not count.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from accomp.band.ensembles import TABLE
from accomp.band.finish import fitting_programs
from accomp.models.places import embedded_genres
from train.data.comping import SOURCE

LEAST = 0.03  # share of a genre's songs; rarer ensembles are chance
PARTS = ("guitar", "bass", "strings")
# Families of eight General MIDI programs each; others are not told apart.
FAMILIES = {0: "piano", 2: "organ", 3: "guitar", 5: "strings", 6: "strings", 11: "synthesizer"}
FAMILIES |= {4: "bass"}


def main() -> None:
    """Count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    known = json.loads((options.corpus / "songs.json").read_text(encoding="utf-8"))
    songs = [song for song in known["songs"] if song.get("source") != SOURCE]
    table = {genre: counted(songs, genre) for genre in embedded_genres()}
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def counted(songs: list[dict[str, Any]], genre: str) -> list[dict[str, Any]]:
    """Return the ensembles of a genre's songs, the most frequent first."""
    of_genre = [song["programs"] for song in songs if song["genre"] == genre]
    by_name: dict[tuple[str, ...], list[dict[str, int]]] = defaultdict(list)
    for programs in of_genre:
        families = tuple(
            FAMILIES.get(programs[p] // 8, "") if p in programs else "-" for p in PARTS
        )
        if "" not in families and families[1] == "bass":
            by_name[families].append(programs)
    found = []
    for families, those in sorted(by_name.items(), key=lambda each: (-len(each[1]), each[0])):
        share = len(those) / len(of_genre)
        if share >= LEAST:
            players = [part for part, family in zip(PARTS, families) if family != "-"]
            found.append(
                {
                    "name": _name(families),
                    "share": round(share, 2),
                    "instruments": ["drums", *players],
                    "programs": {part: _usual(part, those) for part in players},
                }
            )
    return found


def _family(programs: dict[str, int], part: str) -> str:
    """Return what plays a part: "-" for nobody, "" for what is not told apart."""
    return FAMILIES.get(programs[part] // 8, "") if part in programs else "-"


def _name(families: tuple[str, ...]) -> str:
    chords = "bass alone" if families[0] == "-" else families[0]
    sustained = "no strings" if families[2] == "-" else families[2]
    return f"{chords}, {sustained}"


def _usual(part: str, those: list[dict[str, int]]) -> int:
    """Return the program that most songs give a part, of those that fit it."""
    fitting = set(fitting_programs(part))
    counts = Counter(programs[part] for programs in those if programs[part] in fitting)
    return max(sorted(counts), key=counts.__getitem__)


if __name__ == "__main__":
    main()
