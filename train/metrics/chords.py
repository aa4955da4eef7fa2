"""Measures of chords as progressions: a system's beside a lead sheet's, unit by unit.

A lead sheet's chord may have several readings (its tones can be called C6 or Am7, or books differ);
a system's is right where it is one of them. Chords of a system are one symbol a unit, None where it
names none. All figures are counts, so that they can be summed over songs. Letters: U units.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.keys import Key
from train.metrics.chord_places import Readings, Units

Chords = Sequence[ChordSymbol | None]
MAJOR, MINOR, DOMINANT, OTHER = "major", "minor", "dominant", "other"
LONG = 4  # bars from which a chord counts as held long
# Triads (0 to 11 major, 12 to 23 minor) of the scale above the tonic. Minor has its own dominant
# and the subtonic's; diminished triads count as minor, as in `ChordSymbol.triad`.
SCALE = {
    False: {0, 14, 16, 5, 7, 21, 23},
    True: {12, 14, 3, 17, 19, 7, 8, 10, 23},
}
FIFTH_OF_FIFTH, FIFTH_OF_RELATIVE = 2, 4  # major triads above a major tonic; the first in minor too


class Count(NamedTuple):
    """So many of so many.

    Attributes:
        found: Numerator.
        of: Denominator.
    """

    found: float
    of: float

    def __add__(self, other: "Count") -> "Count":  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sum over songs."""
        return Count(self.found + other.found, self.of + other.of)

    @property
    def ratio(self) -> float:
        """`found` / `of`; nan where there was none."""
        return self.found / self.of if self.of else np.nan


class Sheet(NamedTuple):
    """The chords that a song should have.

    Attributes:
        readings: [U] the lead sheet's chords.
        units: Where they lie.
        key: The song's; None if it is not known, and then no functions are counted.
        phrase_ends: Numbers of the bars with which phrases end.
    """

    readings: Sequence[Readings]
    units: Units
    key: Key | None
    phrase_ends: frozenset[int]


def family(symbol: ChordSymbol) -> str:
    """Return what kind of chord it is: major, minor, dominant or other.

    Dominants have a minor seventh and no minor third (7, 9, 13, 7sus4, aug7); other are diminished,
    half-diminished, augmented, suspended and power chords.
    """
    tones = set(QUALITIES[symbol.quality])
    if 10 in tones and (3 not in tones or 4 in tones):
        return DOMINANT
    if 7 not in tones or not tones & {3, 4}:
        return OTHER
    return MAJOR if 4 in tones else MINOR


def figures(chords: Chords, sheet: Sheet) -> dict[str, Count]:
    """Count all figures of a system's chords beside a lead sheet's."""
    return agreement(chords, sheet.readings) | movement(chords, sheet) | functions(chords, sheet)


def agreement(chords: Chords, readings: Sequence[Readings]) -> dict[str, Count]:
    """Count the units with the sheet's triad, its root, and its root and family."""
    pairs = [(own, known) for own, known in zip(chords, readings) if known]
    right = {
        "triad": lambda own, one: own.triad == one.triad,
        "root": lambda own, one: own.root == one.root,
        "family": lambda own, one: own.root == one.root and family(own) == family(one),
    }
    return {
        name: Count(
            sum(own is not None and any(same(own, one) for one in known) for own, known in pairs),
            len(pairs),
        )
        for name, same in right.items()
    }


def movement(chords: Chords, sheet: Sheet) -> dict[str, Count]:
    """Count changes, long chords and changes that are held over a bar line.

    Returns:
        "changes" beside the sheet's; time in chords "held_long" of the whole, in beats, and the
        sheet's; changes within a bar that are held "over_bar" of all, and the sheet's. Chords
        count by their triads.
    """
    own = triads(chords)
    of_sheet = np.array([known[0].triad if known else -1 for known in sheet.readings])
    units = sheet.units
    return {
        "changes": Count(len(changes(own)), len(changes(of_sheet))),
        "held_long": _held_long(own, units),
        "sheet_held_long": _held_long(of_sheet, units),
        "over_bar": _over_bar(own, units),
        "sheet_over_bar": _over_bar(of_sheet, units),
        "bars": Count(len(set(units.bars.tolist())), 1),
    }


def functions(chords: Chords, sheet: Sheet) -> dict[str, Count]:
    """Count how many of the sheet's chords of a function, and of its cadences, a system has.

    Returns:
        By unit the dominant's dominant ("fifth_of_fifth"), in major the relative minor's dominant
        ("fifth_of_relative"), and all triads outside of the scale ("chromatic"). By place the
        "half" cadences (a phrase ends on the dominant), "full" ones (it ends on the tonic, after
        the dominant) and "two_five_one" (roots fall by fifths twice from a minor chord through a
        dominant, on any degree). A cadence is found where the triads on both sides of its changes
        are the sheet's.
    """
    if sheet.key is None:
        return {}
    own = triads(chords)
    readings = [{one.triad for one in known} for known in sheet.readings]
    hit = np.array([int(a) in known for a, known in zip(own, readings)], bool)
    first = [known[0] if known else None for known in sheet.readings]
    degree = [_degree(symbol, sheet.key) for symbol in first]
    is_minor = sheet.key.is_minor
    kinds = {
        "fifth_of_fifth": {FIFTH_OF_FIFTH},
        "fifth_of_relative": set() if is_minor else {FIFTH_OF_RELATIVE},
        "chromatic": set(range(24)) - SCALE[is_minor],
    }
    found = {
        name: _share(hit, [i for i, d in enumerate(degree) if d in wanted])
        for name, wanted in kinds.items()
    }
    places = cadences(first, degree, sheet)
    return found | {name: _all_of(hit, spots) for name, spots in places.items()}


def cadences(
    symbols: Chords, degree: Sequence[int | None], sheet: Sheet
) -> dict[str, list[list[int]]]:
    """Find a sheet's cadences: of each the units that have to agree.

    Args:
        symbols: [U] the sheet's chords.
        degree: [U] their triads above the tonic.
        sheet: Phrases and key.
    """
    assert sheet.key is not None
    tonic = 12 * sheet.key.is_minor
    found: dict[str, list[list[int]]] = {"half": [], "full": [], "two_five_one": []}
    for last in np.flatnonzero(sheet.units.ends_bar).tolist():
        if int(sheet.units.bars[last]) not in sheet.phrase_ends:
            continue
        if degree[last] == 7:
            found["half"].append([last])
        arrival = _since(degree, last)
        if degree[last] == tonic and arrival > 0 and degree[arrival - 1] == 7:
            found["full"].append([arrival - 1, arrival, last])
    starts = [0, *changes(np.array([-1 if s is None else s.triad for s in symbols]))]
    for a, b, c in zip(starts, starts[1:], starts[2:]):
        two, five, one = symbols[a], symbols[b], symbols[c]
        if two is None or five is None or one is None:
            continue
        falls = (five.root - two.root) % 12 == 5 and (one.root - five.root) % 12 == 5
        if falls and two.triad >= 12 and five.triad < 12 and one.root != two.root:
            found["two_five_one"].append([b - 1, b, c - 1, c])
    return found


def triads(chords: Chords) -> np.ndarray:
    """Return the triads of symbols, [U] int; -1 where there is none."""
    return np.array([-1 if symbol is None else symbol.triad for symbol in chords], int)


def changes(chords: np.ndarray) -> list[int]:
    """Return the units in which a chord begins that is not the one before."""
    return [int(i) for i in np.flatnonzero(chords[1:] != chords[:-1]) + 1 if chords[i] >= 0]


def _held_long(chords: np.ndarray, units: Units) -> Count:
    """Count the beats in chords that are held for LONG bars and more."""
    if not len(chords):
        return Count(0, 0)
    edges = [0, *(np.flatnonzero(chords[1:] != chords[:-1]) + 1).tolist(), len(chords)]
    bar = float(np.median(np.bincount(units.bars, units.ends - units.onsets)[units.bars]))
    beats = [units.ends[stop - 1] - units.onsets[start] for start, stop in zip(edges, edges[1:])]
    return Count(float(sum(b for b in beats if b >= LONG * bar - 1e-6)), float(sum(beats)))


def _over_bar(chords: np.ndarray, units: Units) -> Count:
    """Count the changes within a bar whose chord goes on after the bar line."""
    begun = changes(chords)
    held = 0
    for at in begun:
        later = np.flatnonzero(units.bars > units.bars[at])
        same = len(later) and (chords[at : later[0] + 1] == chords[at]).all()
        held += bool(units.places[at] > 1e-6 and same)
    return Count(held, len(begun))


def _degree(symbol: ChordSymbol | None, key: Key) -> int | None:
    """Return a chord's triad as if the tonic were C."""
    return None if symbol is None else symbol.transposed(-key.tonic).triad


def _since(values: Sequence[int | None], last: int) -> int:
    """Return where the value at `last` began."""
    while last > 0 and values[last - 1] == values[last]:
        last -= 1
    return last


def _share(hit: np.ndarray, places: list[int]) -> Count:
    return Count(float(hit[places].sum()) if places else 0.0, len(places))


def _all_of(hit: np.ndarray, spots: list[list[int]]) -> Count:
    return Count(sum(bool(hit[spot].all()) for spot in spots), len(spots))
