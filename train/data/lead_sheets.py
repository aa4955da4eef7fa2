"""Read lead sheets (melody and chord symbols) from JSON lines.

A file (.jsonl.gz) has a song a line: `melody` [[onset, duration, MIDI pitch]] and `chords` [[onset,
duration, text, root, intervals, bass]], root, intervals and bass as pitch classes and null where
there is no chord; `meter` ("3/4", or "mixed:3/4" where it changes), `pickup` in beats, `key`,
`genre`, `title_hash`. Times are in beats from the first note; bar lines lie at pickup + k bars.
"""

import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from accomp.errors import MusicError
from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.keys import Key, parse_key
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from train.data.corpus import UNSTATED

VELOCITY = 80
TWENTIETHS = {0: "test", 1: "val"}  # of the title hashes; the others train
MIXED = "mixed:"  # before the main meter of a song that has several


class Span(NamedTuple):
    """A chord and its extent.

    Attributes:
        onset: Beats.
        end: Beats.
        symbol: The chord.
    """

    onset: float
    end: float
    symbol: ChordSymbol


@dataclass(frozen=True)
class LeadSheet:
    """A melody with its chords.

    Attributes:
        id: Collection and name.
        title_hash: Versions of a song share it.
        score: One melody track, the meter, and the chords where they begin. A pickup is the end of
            a whole first bar.
        spans: The chords with their extents; where there is none, no chord was given.
        key: As labelled; None where it is not.
        genre: As labelled.
        licence: Of the collection, as it says.
        is_mixed: Whether its meter changes in places that the file does not tell.
    """

    id: str
    title_hash: str
    score: Score
    spans: tuple[Span, ...]
    key: Key | None
    genre: str | None
    licence: str
    is_mixed: bool

    @property
    def split(self) -> str:
        """Which split it belongs to: train, val or test."""
        return split_of(self.title_hash)

    @property
    def source(self) -> str:
        """The collection."""
        return self.id.partition("/")[0]


def split_of(title_hash: str) -> str:
    """Return the split of a title: a twentieth is test, another val, the rest train."""
    return TWENTIETHS.get(int(title_hash, 16) % 20, "train")


def read_lead_sheets(paths: Iterable[Path]) -> list[LeadSheet]:
    """Read the lead sheets of files that have a melody or chords and whose meter is known."""
    sheets = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        sheets += [lead_sheet(row) for row in rows if row["meter"] and row["title_hash"]]
    return sheets


def lead_sheet(row: dict) -> LeadSheet:
    """Return the lead sheet of one line of a file."""
    is_mixed = row["meter"].startswith(MIXED)
    numerator, denominator = map(int, row["meter"].removeprefix(MIXED).split("/"))
    meter = TimeSignature(0.0, numerator, denominator)
    before = -row["pickup"] % meter.bar_beats  # beats from the first bar line to the pickup
    notes = [
        Note(int(pitch), before + onset, max(duration, 0.05), VELOCITY)
        for onset, duration, pitch in row["melody"]
    ]
    spans = tuple(
        Span(before + onset, before + onset + duration, symbol_of(root, intervals, bass))
        for onset, duration, _, root, intervals, bass in row["chords"]
        if root is not None and duration > 0
    )
    chords = [Chord(span.onset, str(span.symbol)) for span in spans]
    track = Track("melody", notes=notes)
    score = Score([track], meters=[meter], chords=chords)
    key, genre = _key_of(row.get("key")), row.get("genre")
    licence = row.get("licence") or UNSTATED
    return LeadSheet(row["id"], row["title_hash"], score, spans, key, genre, licence, is_mixed)


def symbol_of(root: int, intervals: Iterable[int], bass: int | None) -> ChordSymbol:
    """Return the chord symbol of pitch classes.

    Args:
        root: Pitch class.
        intervals: Semitones above the root, modulo 12.
        bass: Pitch class; None for the root.

    Returns:
        Of the known qualities the one with the same tones, or else the one that differs least.
    """
    quality = _quality(frozenset(int(interval) % 12 for interval in intervals))
    return ChordSymbol(root, quality, None if bass in (None, root) else bass)


@cache
def _quality(tones: frozenset[int]) -> str:
    """Return the quality nearest to tones; of several the first, which is the commonest."""
    return min(QUALITIES, key=lambda name: len(tones ^ set(QUALITIES[name])))


def _key_of(text: str | None) -> Key | None:
    """Read a label such as "Am"; other modes than major and minor are no key of ours."""
    if text is None or not re.fullmatch(r"[A-G][#b]?m?", text):
        return None
    try:
        return parse_key(text)
    except MusicError:
        return None
