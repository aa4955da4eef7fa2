"""Lead sheets as a chord planner learns from them: units with chords, key and levels.

Letters: U units of a sheet (accomp.roll.melody_units).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from accomp.models.chord_planner import LEVELS
from accomp.music.keys import MAJOR, MINOR, Key
from accomp.music.melody_track import skyline
from accomp.music.score import Score, whole_bars
from accomp.roll.chord_vocabulary import (
    CLASS_TONES,
    CLASS_TRIADS,
    bass_interval,
    class_of,
    transpose_classes,
)
from accomp.roll.grid import Grid
from accomp.roll.melody_units import SILENT, MelodyUnits
from train.data.corpus import UNSTATED
from train.data.lead_sheets import Span

UNKNOWN = -1  # the chord of a unit that nothing is learned from
SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10, 11)}
FEWEST, LONGEST = 8, 640  # units of a sheet with a known chord; of a sheet that is no medley


LAST_CHORD = 0.15  # correlation that the tonic as the last chord is worth


class SheetFacts(NamedTuple):
    """What is known of a sheet beside its notes and chords.

    Attributes:
        name: In its source.
        source: Name of the collection.
        genre: As the source says; "" if unknown.
        split: "train", "val" or "test".
        key: As the sheet says; None where it says none.
        licence: As the source says.
    """

    name: str
    source: str
    genre: str
    split: str
    key: Key | None = None
    licence: str = UNSTATED


@dataclass
class ChordExample:
    """A sheet as the planner learns from it.

    Attributes:
        name, source, genre, split: As the sheet has them.
        units: The melody.
        chords: [U] int16 classes, UNKNOWN where there is none.
        basses: [U] int8 semitones of the bass above the root.
        key: Given, or estimated from the chords and the melody.
        levels: [LEVELS] float32, what share of the chords has more tones than a triad, what share
            leaves the key, and how often they change a bar.
        has_melody: False for chord charts.
        licence: As the source says.
    """

    name: str
    source: str
    genre: str
    split: str
    units: MelodyUnits
    chords: np.ndarray
    basses: np.ndarray
    key: Key
    levels: np.ndarray
    has_melody: bool
    licence: str = UNSTATED

    def __len__(self) -> int:
        return len(self.chords)


def example_of(score: Score, spans: Sequence[Span], facts: SheetFacts) -> ChordExample | None:
    """Describe a sheet; None where it has too few chords, or is too long.

    Args:
        score: One track, the melody, which may be empty; its meters.
        spans: The chords.
        facts: What else is known.
    """
    if not spans:
        return None
    track = score.tracks[0]
    line = skyline(track.notes) if track.notes else []
    start = min(spans[0].onset, track.start) if line else spans[0].onset
    end = max(spans[-1].end, track.end)
    grid = Grid.of(score, start, end)
    whole = whole_bars(score, track)[0].onset if line else start
    units = MelodyUnits.of(line, score, grid, 0, whole, (float(grid.beats[0]), end))
    chords, basses = chords_of_units(spans, units, grid)
    if (chords >= 0).sum() < FEWEST or len(units) > LONGEST:
        return None
    key = facts.key or key_of_chords(chords, units)
    return ChordExample(
        facts.name,
        facts.source,
        facts.genre,
        facts.split,
        units,
        chords,
        basses,
        key,
        levels_of(chords, units, key),
        bool(line),
        facts.licence,
    )


def chords_of_units(
    spans: Sequence[Span], units: MelodyUnits, grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """Return the chord that sounds longest in each unit, [U] classes, and its bass, [U]."""
    edges = np.append(grid.half_bar_beats, grid.beats[-1])
    begins, ends = edges[units.half_bars], edges[units.half_bars + 1]
    best = np.zeros(len(units))
    chords = np.full(len(units), UNKNOWN, np.int16)
    basses = np.zeros(len(units), np.int8)
    for onset, end, symbol in spans:
        first = int(np.searchsorted(ends, onset + 1e-6))
        last = int(np.searchsorted(begins, end - 1e-6))
        within = slice(first, last)
        shared = np.minimum(ends[within], end) - np.maximum(begins[within], onset)
        longer = np.flatnonzero(shared > best[within] + 1e-6) + first
        best[longer] = shared[longer - first]
        chords[longer] = class_of(symbol)
        basses[longer] = bass_interval(symbol)
    return chords, basses


def key_of_melody(units: MelodyUnits) -> Key:
    """Estimate a key by how long each pitch class sounds, as accomp.music.keys does."""
    return _best_key(_sounding(units), None)


def key_of_chords(chords: np.ndarray, units: MelodyUnits) -> Key:
    """Estimate a key from chords [U] and the melody, by key profiles and the last chord."""
    known = chords[chords >= 0]
    heard = CLASS_TONES[known].sum(0) + np.bincount(known % 12, minlength=12)
    melody = _sounding(units)
    histogram = heard / max(heard.sum(), 1) + melody / max(melody.sum(), 1)
    return _best_key(histogram, int(CLASS_TRIADS[known[-1]]))


def _sounding(units: MelodyUnits) -> np.ndarray:
    return np.bincount(units.pitch_class[units.pitch_class != SILENT], minlength=12)


def _best_key(histogram: np.ndarray, last: int | None) -> Key:
    """Return the key nearest to a histogram [12]; rather the one whose tonic is the last triad."""
    found = []
    for tonic in range(12):
        for is_minor, profile in ((False, MAJOR), (True, MINOR)):
            fit = np.corrcoef(np.roll(histogram, -tonic), profile)[0, 1]
            ends = LAST_CHORD * (last == tonic + 12 * is_minor)
            found.append((round(float(fit) + ends, 9), Key(tonic, is_minor)))
    return max(found, key=lambda each: each[0])[1]


def levels_of(chords: np.ndarray, units: MelodyUnits, key: Key) -> np.ndarray:
    """Measure how colourful chords [U] are, as `ChordExample.levels`."""
    known = chords >= 0
    rows = chords[known]
    scale = np.zeros(12)
    scale[[(key.tonic + degree) % 12 for degree in SCALES[key.is_minor]]] = 1
    outside = (CLASS_TONES[rows] @ (1 - scale)) > 0
    more = CLASS_TONES[rows].sum(1) > 3
    changes = (chords[1:] != chords[:-1]) & known[1:] & known[:-1]
    bars = max(int(units.begins_bar.sum()), 1)
    levels = [more.mean(), outside.mean(), changes.sum() / bars]
    assert len(levels) == LEVELS
    return np.array(levels, np.float32)


def transposed(example: ChordExample, semitones: int) -> ChordExample:
    """Return the same sheet `semitones` higher."""
    units = example.units
    moved = np.where(
        units.pitch_class == SILENT, SILENT, (units.pitch_class.astype(int) + semitones) % 12
    ).astype(np.uint8)
    return replace(
        example,
        units=replace(units, pitch_class=moved),
        chords=transpose_classes(example.chords, semitones),
        key=Key((example.key.tonic + semitones) % 12, example.key.is_minor),
    )
