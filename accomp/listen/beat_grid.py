"""The notes of a recording, and the grid of pulses and bars on which they lie.

A pulse is what one taps: a quarter, or in compound meters (6/8) a dotted quarter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from accomp.errors import MusicError
from accomp.music.score import TimeSignature


@dataclass(frozen=True)
class PulseSettings:
    """How notes that people sing lie on pulses."""

    early: float = 0.12  # pulses; a first note so little before a pulse belongs to it
    jitter: float = 0.025  # seconds, standard deviation of onsets: singers' and transcription's
    # Places in a pulse, and the share of notes that begin on each. Of four parts: melodies of
    # POP909's training songs (Wang et al. 2020), 4,337 excerpts. Of three: swung and compound
    # tunes, where the middle third is rare.
    fourths: tuple[tuple[float, float], ...] = (
        (0.0, 0.42),
        (0.25, 0.09),
        (0.5, 0.35),
        (0.75, 0.14),
    )
    thirds: tuple[tuple[float, float], ...] = ((0.0, 0.5), (1 / 3, 0.15), (2 / 3, 0.35))
    longest: float = 1800.0  # seconds of all notes: the search for pulses takes memory by them
    least_step: float = 0.02  # seconds between onsets, by their median; singers' are further apart


class SungNote(NamedTuple):
    """A note of a recording, in seconds of it."""

    pitch: int  # MIDI pitch
    onset: float  # s
    offset: float  # s
    velocity: int  # 1-127
    tuning: float = 0.0  # semitones by which it was sung higher than `pitch`
    confidence: float = 1.0  # how sure it is that it was sung, 0 to 1


class Counting(NamedTuple):
    """A way of counting a recording."""

    meter: tuple[int, int]
    downbeat: float  # s; some bar begins there
    tempo: float  # pulses per minute
    likely: float  # the probability that it is right, by the model

    def __str__(self) -> str:
        """Such as: 3/4 from 0.61 s on."""
        return f"{self.meter[0]}/{self.meter[1]} from {self.downbeat:.2f} s on"


@dataclass(frozen=True)
class BeatGrid:
    """The pulses of a recording, and which of them begin bars.

    Attributes:
        times: [pulses] seconds of each pulse, rising, from that of the first note to the one
            after the last.
        phase: Index of the first pulse that begins a bar.
        meter: Numerator and denominator.
        confidence: The probability that tempo and bars are right, by the model.
        others: Other ways of counting, the likeliest first.
    """

    times: np.ndarray
    phase: int = 0
    meter: tuple[int, int] = (4, 4)
    confidence: float = 1.0
    others: tuple[Counting, ...] = ()

    @property
    def pulse(self) -> float:
        """Beats (quarters) in a pulse."""
        return TimeSignature(0.0, *self.meter).pulse

    @property
    def bar_pulses(self) -> int:
        """Pulses in a bar."""
        return TimeSignature(0.0, *self.meter).bar_pulses

    @property
    def tempo(self) -> float:
        """Pulses per minute, by their median length."""
        return 60 / float(np.median(np.diff(self.times)))

    @property
    def downbeat(self) -> float:
        """Seconds of the first bar line that is not before the first pulse."""
        return float(self.seconds(0))

    @property
    def counting(self) -> Counting:
        """How it counts."""
        return Counting(self.meter, round(self.downbeat, 3) + 0.0, self.tempo, self.confidence)

    def counts_as(self, counting: Counting, near: float = 0.07) -> bool:
        """Tell whether it counts in this way. near: seconds within which bar lines are the same."""
        if self.meter != counting.meter or abs(np.log(self.tempo / counting.tempo)) > near:
            return False
        bars = float(self.position(counting.downbeat)) / self.bar_pulses
        return abs(bars - round(bars)) * self.bar_pulses * 60 / self.tempo < near

    @property
    def pickup(self) -> float:
        """Beats before the first bar line, from that of the first note on."""
        return self.phase * self.pulse

    def position(self, seconds: ArrayLike) -> np.ndarray:
        """Return pulses from the first bar line; beyond the grid the tempo goes on."""
        index = np.arange(len(self.times)) - self.phase
        position = interpolate(np.asarray(seconds, float), self.times, index)
        return np.round(position, 9)  # that a pulse's own time has a whole position

    def seconds(self, position: ArrayLike) -> np.ndarray:
        """Return seconds of pulses counted from the first bar line, the opposite of `position`."""
        index = np.arange(len(self.times)) - self.phase
        return interpolate(np.asarray(position, float), index, self.times)

    @property
    def lead(self) -> tuple[int, float]:
        """Pulses from beat 0 of the score to the first bar line, and seconds it comes later there.

        The pulses are always whole bars. The recording is not moved where it has room for bars
        before its first bar line: they fill it at about its tempo.
        """
        own = self.bar_pulses if self.phase else 0
        start = float(self.seconds(-own))
        bar = self.bar_pulses * float(self.times[-1] - self.times[0]) / (len(self.times) - 1)
        empty = round(start / bar) * self.bar_pulses
        return (own + empty, 0.0) if empty > 0 else (own, 0.0 - start)

    @property
    def offset(self) -> float:
        """Seconds in the score minus seconds in the recording, the same for all of it."""
        return self.lead[1]


def count_alike(one: BeatGrid, other: BeatGrid, near: float = 0.07) -> bool:
    """Tell whether two grids of a recording have the same bars, however they find the pulses.

    near: seconds within which bar lines are the same.
    """
    if one.meter != other.meter or abs(np.log(one.tempo / other.tempo)) > near:
        return False
    middle = float(one.times[len(one.times) // 2])
    line = one.seconds(np.rint(one.position(middle) / one.bar_pulses) * one.bar_pulses)
    position = other.position(line) / other.bar_pulses
    away = abs(float(position - np.rint(position))) * other.bar_pulses * 60 / other.tempo
    return away < near


def shifted(grid: BeatGrid, pulses: int) -> BeatGrid:
    """Return the same pulses with every bar so many later (earlier where negative)."""
    return replace(grid, phase=(grid.phase + pulses) % grid.bar_pulses)


def checked_notes(
    notes: Iterable[SungNote], settings: PulseSettings = PulseSettings()
) -> list[SungNote]:
    """Return notes in the order of their onsets.

    Raises:
        MusicError: There are none, or they cannot be a melody's.
    """
    melody = sorted((SungNote(*note) for note in notes), key=lambda note: note.onset)
    if not melody:
        raise MusicError("no notes were found in the recording; at least one is needed")
    times = np.array([[note.onset, note.offset] for note in melody], float)
    if not np.isfinite(times).all() or (times[:, 1] <= times[:, 0]).any():
        raise MusicError(
            "a note has no length; every note needs an onset and a later offset in seconds"
        )
    span = times.max() - times[0, 0]
    if span > settings.longest:
        raise MusicError(
            f"the notes span {span / 60:.0f} minutes; {settings.longest / 60:.0f} are accepted"
        )
    gaps = np.diff(times[:, 0])
    if len(gaps) and np.median(gaps) < settings.least_step:
        raise MusicError(
            f"the notes follow each other every {np.median(gaps) * 1000:.0f} ms; "
            f"a melody's take {settings.least_step * 1000:.0f} ms"
        )
    return melody


def interpolate(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Interpolate linearly, and beyond both ends go on linearly."""
    before, after = np.minimum(x - xs[0], 0), np.maximum(x - xs[-1], 0)
    slopes = (ys[1] - ys[0]) / (xs[1] - xs[0]), (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return np.interp(x, xs, ys) + before * slopes[0] + after * slopes[1]
