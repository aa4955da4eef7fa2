"""Statistics of chords as progressions, and how far two of them are apart.

Three distributions, each song with the same weight: the time in chords of each kind of quality, the
steps from chord to chord (motion of the root and both kinds), and how long chords last. Their
distance is the mean of the three Jensen-Shannon distances (Endres & Schindelin 2003; base 2, so
that it lies between 0 and 1).
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol

# Kinds of qualities, from the most special: the first that a chord has the tones of.
KINDS = ("m7b5", "dim", "7", "m7", "maj7", "7sus4", "sus4", "6", "aug", "m", "")
LASTING = (1, 2, 4, 8)  # units; chords that last up to so many, and longer ones
DISTRIBUTIONS = ("qualities", "steps", "lengths")


@dataclass
class Statistics:
    """Distributions of songs, by name of the distribution.

    Attributes:
        shares: Of each distribution, the sum of the songs' shares.
        songs: How many.
    """

    shares: dict[str, dict[Hashable, float]] = field(
        default_factory=lambda: {name: {} for name in DISTRIBUTIONS}
    )
    songs: int = 0

    def add(self, chords: Sequence[ChordSymbol | None]) -> None:
        """Add a song by its chord of each unit; one without a change is left out."""
        runs = _runs(chords)
        if len(runs) < 2:
            return
        counts: dict[str, Counter] = {name: Counter() for name in DISTRIBUTIONS}
        for symbol, length in runs:
            counts["qualities"][kind(symbol)] += length
            counts["lengths"][int(np.searchsorted(LASTING, length))] += 1
        for (a, _), (b, _) in zip(runs, runs[1:]):
            counts["steps"][((b.root - a.root) % 12, kind(a), kind(b))] += 1
        for name, own in counts.items():
            total = sum(own.values())
            for key, value in own.items():
                self.shares[name][key] = self.shares[name].get(key, 0.0) + value / total
        self.songs += 1

    @classmethod
    def of(cls, songs: Iterable[Sequence[ChordSymbol | None]]) -> "Statistics":
        """Count songs, each by its chord of each unit."""
        found = cls()
        for chords in songs:
            found.add(chords)
        return found


def kind(symbol: ChordSymbol) -> str:
    """Return the kind of a chord's quality, one of KINDS, without ninths."""
    tones = set(QUALITIES[symbol.quality])
    rest = "7" if {4, 10} <= tones else ""
    return next((name for name in KINDS if set(QUALITIES[name]) <= tones), rest)


def distance(a: Statistics, b: Statistics) -> float:
    """Measure how far the statistics of two sets of songs are apart, 0 to 1."""
    return float(np.mean([jensen_shannon(a.shares[n], b.shares[n]) for n in DISTRIBUTIONS]))


def jensen_shannon(a: Mapping, b: Mapping) -> float:
    """Measure the Jensen-Shannon distance of two distributions, which need not sum to 1."""
    keys = list(a.keys() | b.keys())
    p, q = (np.array([rows.get(key, 0.0) for key in keys]) for rows in (a, b))
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = 0.0
    for row in (p, q):
        known = row > 0
        divergence += float((row[known] * np.log2(row[known] / middle[known])).sum()) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def _runs(chords: Sequence[ChordSymbol | None]) -> list[tuple[ChordSymbol, int]]:
    """Return each chord and for how many units it lasts; what has none is skipped."""
    runs: list[tuple[ChordSymbol, int]] = []
    before = None
    for symbol in chords:
        if symbol is not None:
            same = before is not None and (symbol.root, kind(symbol)) == before
            runs = [*runs[:-1], (runs[-1][0], runs[-1][1] + 1)] if same else [*runs, (symbol, 1)]
        before = None if symbol is None else (symbol.root, kind(symbol))
    return runs
