"""Swing: how late off-beat eighths are, in a melody and in what a band plays.

Offsets and times are in steps, sixteenths of four-beat bars. A swung eighth lies between the steps
2 (straight) and 3 of its beat; a triplet's last eighth, 2 2/3, is nearest to step 3.
"""

from dataclasses import dataclass

import numpy as np

from accomp.music.score import Note
from accomp.roll.grid import STEPS_PER_BEAT, Grid


@dataclass(frozen=True)
class SwingSettings:
    """What counts as swing. Unless said otherwise, steps."""

    least: float = 0.15  # less is straight
    most: float = 0.8  # 2/3 is a triplet
    # Eighths off the beat; a melody with fewer does not say whether it swings.
    few_eighths: int = 4
    # Where in a beat a swung eighth may lie.
    off_beat: tuple[float, float] = (1.6, 3.2)
    sixteenth: float = 2.9  # what lies from here on is a sixteenth


@dataclass
class MelodyTiming:
    """When and how loud the notes of a melody are, on a grid of S steps.

    Attributes:
        step: [m] int step of each note.
        offset: [m] steps by which each note comes after its step.
        velocity: [m] of each note.
        even: [S] bool, whether a step is one of a beat's four equal ones, which alone can swing.
    """

    step: np.ndarray
    offset: np.ndarray
    velocity: np.ndarray
    even: np.ndarray

    @classmethod
    def of(cls, line: list[Note], grid: Grid) -> "MelodyTiming":
        """Return the timing of a melody's notes on a grid."""
        onset = np.array([note.onset for note in line], float)
        velocity = np.array([note.velocity for note in line], float)
        step = np.minimum(grid.nearest_step(onset).astype(int), grid.steps - 1)
        widths = np.diff(grid.beats).reshape(-1, STEPS_PER_BEAT)
        even = np.isclose(widths, 1 / STEPS_PER_BEAT).all(1).repeat(STEPS_PER_BEAT)
        return cls(step, (onset - grid.beats[step]) * STEPS_PER_BEAT, velocity, even)


def melody_swing(melody: MelodyTiming, settings: SwingSettings = SwingSettings()) -> float | None:
    """Return how late the melody's off-beat eighths are, in steps.

    Returns:
        0 where most of them are straight; None where there are few.
    """
    even = melody.even[melody.step]
    swing, share, count = swing_in(melody.step[even], melody.offset[even], settings)
    if count < settings.few_eighths:
        return None
    return swing if share > 0.5 else 0.0


def swing_in(
    step: np.ndarray, offset: np.ndarray, settings: SwingSettings = SwingSettings()
) -> tuple[float, float, int]:
    """Measure the swing of notes.

    Args:
        step: [n] int step of each note.
        offset: [n] steps by which each note comes after its step.
        settings: What counts as swing.

    Returns:
        How late those off-beat eighths are that are late (mean in steps; 0 without any), their
        share of all off-beat eighths, and the number of all.
    """
    on_beat = offset[step % STEPS_PER_BEAT == 0]
    behind = float(np.median(on_beat)) if len(on_beat) >= settings.few_eighths else 0.0
    place = step % STEPS_PER_BEAT + offset - behind
    first, last = settings.off_beat
    within = (place > first) & (place < last)
    # A beat with notes both on the eighth and on the sixteenth after it is one of sixteenths, and
    # says nothing of eighths.
    beat = step // STEPS_PER_BEAT
    both = np.intersect1d(
        beat[within & (np.abs(place - 2) < settings.least)],
        beat[within & (place >= settings.sixteenth)],
    )
    place = place[within & (place < settings.sixteenth) & ~np.isin(beat, both)] - 2
    late = place[place >= settings.least]
    return (float(late.mean()) if len(late) else 0.0), len(late) / max(len(place), 1), len(place)


def swing_offsets(
    steps: np.ndarray,
    swing: float,
    genre_swings: bool,
    sixteenths: np.ndarray,
    settings: SwingSettings = SwingSettings(),
) -> np.ndarray:
    """Return the offsets of strikes when off-beat eighths are `swing` steps late.

    Where a genre swings or the melody does, a strike on step 3 of a beat without one on step 2 is
    an off-beat eighth too: triplets lie nearest to step 3, and so the models learned them. It
    sounds where the melody has its eighths.

    Args:
        steps: [n] int different, rising steps on which one track strikes.
        swing: Steps.
        genre_swings: Whether the genre does.
        sixteenths: Steps on which the melody plays a sixteenth; strikes there do not swing.
        settings: What counts as swing.

    Returns:
        [n] steps.
    """
    swings = swing >= settings.least
    place = steps % STEPS_PER_BEAT
    if not swings and not genre_swings:
        return np.zeros(len(steps))
    lone = (place == 3) & ~np.isin(steps - 1, steps) & ~np.isin(steps, sixteenths)
    late = swing / 2 * ~np.isin(steps, sixteenths)
    return np.select([lone, place == 2, place % 2 == 1], [swing - 1, swing, late], 0.0)
