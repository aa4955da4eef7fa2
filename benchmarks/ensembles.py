"""Count which ensembles the songs of each genre have, for accomp/data/ensembles.json.

    python -m benchmarks.ensembles CORPUS SONGS

CORPUS is a folder of `python -m train prepare`, whose songs.json says which program plays a part;
SONGS is the folder of its MIDI files. An ensemble is what plays chords in the guitar's part (a
guitar, a piano) and what sustains in the strings' part (strings, an organ, a synthesizer), or that
nobody does. Where nobody does, and the file has a second guitar that plays something else, that
takes the strings' place. A part's sound is the program that most of the songs with the ensemble
have. Songs that were written for accomp do not count. What second guitars play is printed: that is
where the figures of accomp.band.second_guitar are from.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from accomp.band.ensembles import TABLE
from accomp.band.finish import fitting_programs
from accomp.errors import MusicError
from accomp.models.places import embedded_genres
from accomp.music.melody_track import choose_melody
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score
from accomp.roll.players import GUITAR_PROGRAMS, SPAN, Player
from train.data.comping import SOURCE

LEAST = 0.03  # share of a genre's songs; rarer ensembles are chance
PARTS = ("guitar", "bass", "strings")
# Families of eight General MIDI programs each; others are not told apart.
FAMILIES = {0: "piano", 2: "organ", 3: "guitar", 5: "strings", 6: "strings", 11: "synthesizer"}
FAMILIES |= {4: "bass"}


TWO = "two guitars"


@dataclass(frozen=True)
class SecondSettings:
    """What makes a track a second guitar.

    Attributes:
        notes: that it has at least.
        plays: share of the song in which it plays at least.
        beside: share of the song in which it plays beside the first guitar at least.
        doubled: share of its notes that the first one strikes with it, from which it doubles that.
    """

    notes: int = 12
    plays: float = 0.25
    beside: float = 0.2
    doubled: float = 0.8


class Second(NamedTuple):
    """A second guitar.

    Attributes:
        program: Its sound.
        higher: Semitones by which its median is above the first guitar's.
        together: Share of its strokes that fall on the first guitar's.
        voices: Notes that sound together.
    """

    program: int
    higher: float
    together: float
    voices: float


def main() -> None:
    """Count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("songs", type=Path)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    known = json.loads((options.corpus / "songs.json").read_text(encoding="utf-8"))
    songs = [song for song in known["songs"] if song.get("source") != SOURCE]
    seconds = {song["file"]: _read_second(options.songs / song["file"]) for song in songs}
    table = {genre: counted(songs, genre, seconds) for genre in embedded_genres()}
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    _describe([each for each in seconds.values() if each], len(songs))


def counted(
    songs: list[dict[str, Any]], genre: str, seconds: dict[str, Second | None] | None = None
) -> list[dict[str, Any]]:
    """Return the ensembles of a genre's songs, the most frequent first.

    Args:
        songs: As songs.json has them.
        genre: Whose songs are counted.
        seconds: By file, its second guitar.
    """
    of_genre = [song for song in songs if song["genre"] == genre]
    by_name: dict[tuple[str, ...], list[dict[str, int]]] = defaultdict(list)
    for song in of_genre:
        programs = song["programs"]
        families = tuple(
            FAMILIES.get(programs[p] // 8, "") if p in programs else "-" for p in PARTS
        )
        second = (seconds or {}).get(song.get("file", ""))
        if second and families == ("guitar", "bass", "-"):
            families = (TWO, "bass", "-")
            programs = {**programs, "strings": second.program}
        if "" not in families and families[1] == "bass":
            by_name[families].append(programs)
    found = []
    for families, those in sorted(by_name.items(), key=lambda each: (-len(each[1]), each[0])):
        share = len(those) / len(of_genre)
        if share >= LEAST:
            is_two = families[0] == TWO
            players = [p for p, family in zip(PARTS, families) if family != "-" or is_two]
            found.append(
                {
                    "name": _name(families),
                    "share": round(share, 2),
                    "instruments": ["drums", *players],
                    "programs": {part: _usual(part, those) for part in players},
                    **({"second_guitar": True} if is_two else {}),
                }
            )
    return found


def second_guitar(score: Score, settings: SecondSettings = SecondSettings()) -> Second | None:
    """Return the second guitar of a song; None where it has none, or that doubles the first."""
    melody, whole = choose_melody(score), max(score.end / SPAN, 1.0)
    guitars = [
        Player.of(track)
        for index, track in enumerate(score.tracks)
        if index != melody
        and not track.is_drum
        and track.program in GUITAR_PROGRAMS
        and len(track.notes) >= settings.notes
    ]
    playing = [each for each in guitars if len(each.spans) >= settings.plays * whole]
    if not playing:
        return None
    first = max(playing, key=lambda player: player.voices * len(player.spans))
    rest = sorted((each for each in playing if each is not first), key=lambda p: -len(p.notes))
    struck = _struck(first.notes)
    for player in rest:
        own = _struck(player.notes)
        is_beside = len(first.spans & player.spans) >= settings.beside * whole
        if is_beside and len(own & struck) <= settings.doubled * len(own):
            strokes, others = ({step for step, _ in each} for each in (own, struck))
            together = len(strokes & others) / len(strokes)
            return Second(player.program, player.pitch - first.pitch, together, player.voices)
    return None


def _struck(notes: Iterable[Note]) -> set[tuple[int, int]]:
    """Return the step and the pitch class of each note."""
    return {(round(4 * note.onset), note.pitch % 12) for note in notes}


def _read_second(path: Path) -> Second | None:
    try:
        return second_guitar(read_midi(path))
    except MusicError:
        return None


def _describe(seconds: list[Second], songs: int) -> None:
    """Print what second guitars play, on the median and of the middle half."""
    print(f"{len(seconds)} of {songs} songs have a second guitar")
    for name in ("higher", "together", "voices"):
        low, median, high = np.percentile([getattr(each, name) for each in seconds], [25, 50, 75])
        print(f"{name}: {median:.2f} ({low:.2f} to {high:.2f})")


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
