"""The notes of a recording, and the grid of pulses and bars on which they lie.

A pulse is what one taps: a quarter, or in compound meters (6/8) a dotted quarter.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from accomp.errors import MusicError
from accomp.music.score import TimeSignature

MOST_SECONDS = 1800.0  # of a recording: the search for pulses takes memory by its length
EARLY = 0.12  # pulses; a first note so little before a pulse belongs to it
LEAST_STEP = 0.02  # s between onsets; nobody sings closer ones


class SungNote(NamedTuple):
    """A note of a recording."""

    pitch: int  # MIDI pitch
    onset: float  # s
    offset: float  # s
    velocity: int  # 1-127


@dataclass(frozen=True)
class BeatGrid:
    """times: [pulses] s of each pulse, rising, from that of the first note to the one after the last; phase: index of the first
    that begins a bar; meter: numerator and denominator; confidence: the model's probability that tempo and bars are right.
    """

    times: np.ndarray
    phase: int = 0
    meter: tuple[int, int] = (4, 4)
    confidence: float = 1.0

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
        """Pulses a minute, on the whole."""
        return 60 / float(np.median(np.diff(self.times)))

    @property
    def downbeat(self) -> float:
        """Seconds of the first bar line that is not before the first pulse."""
        return float(self.seconds(0))

    @property
    def pickup(self) -> float:
        """Beats before the first bar line, from that of the first note on."""
        return self.phase * self.pulse

    def position(self, seconds) -> np.ndarray:
        """Pulses from the first bar line; beyond the grid the tempo goes on."""
        position = interpolate(
            np.asarray(seconds, float), self.times, np.arange(len(self.times)) - self.phase
        )
        return np.round(position, 9)  # that a pulse's own time has a whole position

    def seconds(self, position) -> np.ndarray:
        """The opposite of `position`."""
        return interpolate(
            np.asarray(position, float), np.arange(len(self.times)) - self.phase, self.times
        )

    @property
    def lead(self) -> tuple[int, float]:
        """Pulses from beat 0 of the score to the first bar line of `times`, always whole bars, and the seconds by which the
        recording comes later in the score. It isn't moved where it has room for bars before: they fill it at about its tempo.
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


def shifted(grid: BeatGrid, pulses: int) -> BeatGrid:
    """The same pulses, every bar so many of them later (earlier where negative)."""
    return replace(grid, phase=(grid.phase + pulses) % grid.bar_pulses)


def checked(notes) -> list[SungNote]:
    """In the order of their onsets. Raises MusicError for notes that are no melody's."""
    heard = sorted((SungNote(*note) for note in notes), key=lambda note: note.onset)
    if not heard:
        raise MusicError("no notes were found in the recording; at least one is needed")
    times = np.array([[note.onset, note.offset] for note in heard], float)
    if not np.isfinite(times).all() or (times[:, 1] <= times[:, 0]).any():
        raise MusicError(
            "a note has no length; every note needs an onset and a later offset in seconds"
        )
    if times.max() - times[0, 0] > MOST_SECONDS:
        raise MusicError(
            f"the notes span {(times.max() - times[0, 0]) / 60:.0f} minutes; {MOST_SECONDS / 60:.0f} are accepted"
        )
    gaps = np.diff(times[:, 0])
    if len(gaps) and np.median(gaps) < LEAST_STEP:
        raise MusicError(
            f"the notes follow each other every {np.median(gaps) * 1000:.0f} ms; a melody's take {LEAST_STEP * 1000:.0f} ms"
        )
    return heard


def interpolate(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Linear, and linear beyond both ends."""
    before, after = np.minimum(x - xs[0], 0), np.maximum(x - xs[-1], 0)
    slopes = (ys[1] - ys[0]) / (xs[1] - xs[0]), (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return np.interp(x, xs, ys) + before * slopes[0] + after * slopes[1]
