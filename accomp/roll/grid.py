"""The axes of a piano roll, and how its steps lie in a song's bars."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from accomp.music.score import Bar, Score, is_pickup

STEPS_PER_BEAT = 4  # a step is a sixteenth note
BAR_STEPS = 16  # the models know bars of four beats
BLOCK_STEPS = 32  # a block is two such bars (Tham & Kim 2021, "length-32 sequences")
HALF_BAR_STEPS = 8  # a chord of a plan lasts half a bar
BLOCK_HALF_BARS = BLOCK_STEPS // HALF_BAR_STEPS
PITCHES = 128
PLANES = ("onset", "sustain")
# How the steps of a block lie in its bars: all of them; the first three beats of each model bar
# (3/4, 9/8); as eighths of dotted pulses (6/8, 12/8). A pattern of one is not one of another.
FOUR, THREE, COMPOUND = METERS = (4, 3, 6)


class TrackSpec(NamedTuple):
    """One of the five tracks.

    Attributes:
        name: Of the instrument.
        program: General MIDI program where a genre does not set its own.
        low: Lowest pitch that the models see; what lies outside is folded by octaves.
        high: Highest pitch that the models see.
    """

    name: str
    program: int
    low: int
    high: int


# The five tracks of the Lakh Pianoroll Dataset's LPD-5 (Dong et al. 2018), in its order. The piano
# plays the melody.
TRACKS = (
    TrackSpec("drums", 0, 35, 81),
    TrackSpec("piano", 0, 36, 96),
    TrackSpec("guitar", 25, 36, 88),
    TrackSpec("bass", 33, 24, 60),
    TrackSpec("strings", 48, 36, 96),
)
TRACK_NAMES = tuple(track.name for track in TRACKS)
DRUMS, MELODY, GUITAR, BASS, STRINGS = range(5)
# The order in which parts are generated: each takes those before it as input.
ACCOMPANIMENT = (DRUMS, BASS, GUITAR, STRINGS)

assert BLOCK_STEPS == 2 * BAR_STEPS == 2 * 4 * STEPS_PER_BEAT
assert all(
    0 <= track.low < track.high < PITCHES and track.high - track.low >= 12 for track in TRACKS
)


@dataclass(frozen=True)
class Grid:
    """Where the models' steps lie in a song.

    A step of no width is one that the song's bar lacks: a three-beat bar fills 12 of a model bar's
    16 steps. The band plays patterns of such bars where it knows any (`meters`).

    Attributes:
        beats: [steps + 1] onset of each step in beats, rising.
    """

    beats: np.ndarray

    def __post_init__(self):
        assert self.steps % BLOCK_STEPS == 0 and (np.diff(self.beats) >= 0).all()

    @property
    def steps(self) -> int:
        """The number of steps, a multiple of BLOCK_STEPS."""
        return len(self.beats) - 1

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        return self.steps // BLOCK_STEPS

    @property
    def present(self) -> np.ndarray:
        """[steps] bool: the steps that exist in the song's bars."""
        return np.diff(self.beats) > 1e-9

    @property
    def half_bar_beats(self) -> np.ndarray:
        """[H] the beat at which each half bar begins."""
        return self.beats[: self.steps : HALF_BAR_STEPS]

    @cached_property
    def meters(self) -> np.ndarray:
        """[blocks] int, of METERS, of the first bar of each block.

        Of a block of a pickup it is that of the next block.
        """
        widths = np.diff(self.beats).reshape(self.blocks, -1, BAR_STEPS)
        found = np.array([next(filter(None, map(_meter, bars)), 0) for bars in widths])
        known = np.flatnonzero(found)
        if not len(known):
            return np.full(self.blocks, FOUR)
        after = np.searchsorted(known, np.arange(self.blocks)).clip(max=len(known) - 1)
        return found[known[after]]

    @classmethod
    def of(cls, score: Score, start: float, end: float) -> "Grid":
        """Lay a grid over the bars of a score.

        Args:
            score: Its meters give the bars.
            start: A beat of the first bar. Music begins here: that decides what is a pickup.
            end: A beat of the last bar.
        """
        bars = score.bars(max(end, start + 1e-6))
        ends = [bar.onset for bar in bars[1:]] + [bars[-1].onset + bars[-1].meter.bar_beats]
        first = next((i for i, e in enumerate(ends) if e > start + 1e-6), len(bars) - 1)
        return cls(_lay_out(bars[first:], ends[first:], start))

    def nearest_step(self, beat: float | np.ndarray) -> np.ndarray:
        """Return the present step nearest to each beat, or `steps` for the end."""
        steps = np.append(np.flatnonzero(self.present), self.steps)
        onsets = self.beats[steps]
        return steps[
            np.searchsorted((onsets[1:] + onsets[:-1]) / 2, np.asarray(beat), side="right")
        ]


def _meter(widths: np.ndarray) -> int:
    """Return which of METERS a model bar's steps of these widths [16] are; 0 if none tells."""
    present = widths > 1e-9
    if not present[:STEPS_PER_BEAT].all():
        return 0
    if present.sum() == 3 * STEPS_PER_BEAT:
        return THREE
    is_even = np.allclose(widths[:STEPS_PER_BEAT], widths[0])
    return FOUR if is_even else COMPOUND


def _lay_out(bars: list[Bar], ends: list[float], start: float) -> np.ndarray:
    beats: list[float] = []
    # A pickup takes the second bar of a block of its own, so that the blocks after it begin where
    # phrases do.
    if len(bars) > 1 and is_pickup(bars[0], bars[1], start):
        beats += [bars[0].onset] * BAR_STEPS
    for index, (bar, end) in enumerate(zip(bars, ends)):
        onsets = [onset for onset in _step_onsets(bar) if onset < end - 1e-6]
        filled = len(beats) % BAR_STEPS
        is_short = index == 0 and len(bars) > 1 and len(onsets) < len(_step_onsets(bars[1]))
        joins = (
            filled
            and filled + len(onsets) <= BAR_STEPS
            and BAR_STEPS % len(onsets) == 0
            and _alike(bars[index - 1], bar)
        )
        if is_short and len(onsets) < BAR_STEPS:  # a short first bar is the end of a bar
            beats += [bar.onset] * (BAR_STEPS - len(onsets))
        elif filled and not joins:  # close the model bar before; its missing steps have no width
            beats += [bar.onset] * (BAR_STEPS - filled)
        beats += onsets
    last = ends[-1]
    missing = -len(beats) % BLOCK_STEPS
    # After the last bar the steps go on in sixteenths, so that the last block is whole.
    if len(beats) % BAR_STEPS:
        absent = -len(beats) % BAR_STEPS
        beats += [last] * absent
        missing -= absent
    beats += [last + i / STEPS_PER_BEAT for i in range(missing + 1)]
    return np.array(beats)


def _alike(a: Bar, b: Bar) -> bool:
    return a.meter[1:] == b.meter[1:]


def _step_onsets(bar: Bar) -> list[float]:
    """Return onsets in beats of the model steps of one bar.

    In compound meters (3/8, 6/8, 9/8, 12/8) a dotted pulse is a model beat: its eighths lie on the
    steps 0, 1 and 2 and its last sixteenth on step 3, so that a straight pattern would come out
    as a shuffle. In all others steps are sixteenths.
    """
    meter = bar.meter
    if meter.is_compound:
        return [
            bar.onset + meter.pulse * (i + part)
            for i in range(meter.bar_pulses)
            for part in (0, 1 / 3, 2 / 3, 5 / 6)
        ]
    steps = max(1, round(meter.bar_beats * STEPS_PER_BEAT))
    return [bar.onset + i / STEPS_PER_BEAT for i in range(steps)]
