"""The units in which chords are compared, and chords put on them.

A unit is what a chord lasts at least in a meter's usual songs: half a bar of four beats, a beat of
three, a whole bar of two, a dotted beat. A chord of a whole bar in 3/4 counts three times, in 4/4
twice: shares of units are shares of time within a song.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Bar, TimeSignature

Readings = tuple[ChordSymbol, ...]  # chords of which any is right; empty where there is none
EDGE = 1e-6


@dataclass(frozen=True)
class Units:
    """The units of a song, in order.

    Attributes:
        onsets: [U] beats.
        ends: [U] beats.
        bars: [U] int, the number of the bar that a unit lies in, from 0.
        places: [U] the unit's beginning as a share of its bar, 0 to 1.
    """

    onsets: np.ndarray
    ends: np.ndarray
    bars: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, bars: Sequence[Bar], start: float, end: float) -> "Units":
        """Divide the bars of a song.

        Args:
            bars: From beat 0.
            start: Beat; units that end before it are left out.
            end: Beat; units that begin at or after it are left out.
        """
        rows = [
            (bar.onset + at, bar.onset + at + length, number, at / bar.meter.bar_beats)
            for number, bar in enumerate(bars)
            for at, length in _within(bar.meter)
        ]
        kept = [row for row in rows if row[1] > start + EDGE and row[0] < end - EDGE]
        columns = np.array(kept, float).reshape(-1, 4).T
        return cls(columns[0], columns[1], columns[2].astype(int), columns[3])

    @classmethod
    def between(cls, onsets: np.ndarray, end: float, bar_beats: float) -> "Units":
        """Take onsets of units that are known, in bars of one length from beat 0.

        Units without a length, such as a grid has, are left out, as are those from `end` on.
        """
        onsets = onsets[onsets < end - EDGE]
        ends = np.append(onsets[1:], end)
        is_there = ends > onsets + EDGE
        onsets, ends = onsets[is_there], ends[is_there]
        bars = np.floor(onsets / bar_beats + EDGE).astype(int)
        return cls(onsets, ends, bars, onsets / bar_beats - bars)

    def __len__(self) -> int:
        return len(self.onsets)

    @property
    def ends_bar(self) -> np.ndarray:
        """[U] bool, whether a unit is the last of its bar."""
        return np.append(self.bars[1:] != self.bars[:-1], True)[: len(self)]


def _within(meter: TimeSignature) -> list[tuple[float, float]]:
    """Return onset and length, in beats from the bar line, of the units of a bar."""
    if meter.numerator % 3 == 0 and meter.numerator > 3:
        length = 12 / meter.denominator
    elif meter.bar_pulses % 2 == 0 and meter.denominator > 2:
        length = 2 * meter.pulse
    else:
        length = meter.pulse
    count = round(meter.bar_beats / length)
    return [(i * length, length) for i in range(count)]


def on_units(spans: Sequence[tuple[float, float, Readings]], units: Units) -> list[Readings]:
    """Return what sounds longest in each unit; nothing where that is more than half silent.

    Args:
        spans: Onset and end in beats, and readings, of each chord.
        units: The song's.
    """
    found = []
    for start, end in zip(units.onsets, units.ends):
        sounding: dict[Readings, float] = {}
        for onset, stop, readings in spans:
            shared = min(stop, end) - max(onset, start)
            if shared > EDGE:
                sounding[readings] = sounding.get(readings, 0.0) + shared
        longest = max(sounding, key=lambda key: sounding[key]) if sounding else ()
        known = sum(sounding.values()) >= (end - start) / 2 - EDGE
        found.append(longest if known else ())
    return found
