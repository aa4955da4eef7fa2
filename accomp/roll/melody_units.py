"""What a chord planner hears of a melody: for each half bar its sixteenths and its place.

A unit is a half bar of the grid that has any width: two of a bar of four beats, two of a bar of
three (two beats and one), one of a bar of two pulses such as 6/8, three of a bar of five.
Letters: U units, H half bars of the grid.
"""

from dataclasses import dataclass

import numpy as np

from accomp.music.score import Note, Score, TimeSignature
from accomp.roll import pianoroll
from accomp.roll.grid import HALF_BAR_STEPS, Grid

SILENT = 12  # the pitch class of a step in which nothing sounds
METERS = ("four", "three", "compound", "two", "other")
PLACES = 28  # numbers that say where a unit is
PHRASE_BARS = 8
REACHES = (2.0, 8.0, 32.0)  # units over which a song's beginning and end are felt


@dataclass(frozen=True)
class MelodyUnits:
    """A melody as a chord planner hears it.

    Attributes:
        pitch_class: [U, 8] uint8 of each step, SILENT where nothing sounds.
        struck: [U, 8] bool, whether a note begins.
        height: [U, 8] float32, octaves above the melody's mean pitch; 0 where nothing sounds.
        present: [U, 8] bool, whether the bar has the step.
        places: [U, PLACES] float32, see `_places`.
        half_bars: [U] the number of each unit among the grid's half bars.
        bars: [U] the number of the bar; negative before the first whole one.
        begins_bar: [U] bool.
    """

    pitch_class: np.ndarray
    struck: np.ndarray
    height: np.ndarray
    present: np.ndarray
    places: np.ndarray
    half_bars: np.ndarray
    bars: np.ndarray
    begins_bar: np.ndarray

    def __len__(self) -> int:
        return len(self.half_bars)

    @property
    def brief(self) -> np.ndarray:
        """[U] bool, whether a unit has but one beat, as the third of a bar of three."""
        return self.present.sum(1) <= HALF_BAR_STEPS // 2

    def part(self, first: int, last: int) -> "MelodyUnits":
        """Return the units from `first` to before `last`; they keep their places in the song."""
        own = {name: getattr(self, name)[first:last] for name in self.__dataclass_fields__}
        return MelodyUnits(**own)

    def by_half_bar(self, count: int) -> np.ndarray:
        """Return the unit of each of a grid's half bars, [count].

        Half bars of no width belong to the unit before, those before the first unit to it.
        """
        at = np.searchsorted(self.half_bars, np.arange(count), side="right") - 1
        return np.maximum(at, 0)

    @classmethod
    def of(
        cls,
        line: list[Note],
        score: Score,
        grid: Grid,
        shift: int,
        first_whole: float,
        span: tuple[float, float],
    ) -> "MelodyUnits":
        """Describe a melody.

        Args:
            line: One note at a time.
            score: Its meters give the bars.
            grid: The steps of its bars.
            shift: Semitones of the melody above its normal key.
            first_whole: Beat of the first whole bar.
            span: The beats from which, and in whose bar, the units lie: an introduction, and the
                empty bars that fill the last block, have none.
        """
        pitch, sounds = np.zeros(grid.steps, int), np.zeros(grid.steps, bool)
        struck, present = np.zeros(grid.steps, bool), grid.present
        for height, start, end in pianoroll.on_grid(line, grid):
            pitch[start:end], sounds[start:end] = height - shift, True
            struck[start] = True
        sounds &= present
        mean = pitch[sounds].mean() if sounds.any() else 0.0
        height = np.where(sounds, (pitch - mean) / 12, 0).astype(np.float32)
        classes = np.where(sounds, pitch % 12, SILENT).astype(np.uint8)
        half_bars = np.flatnonzero(present.reshape(-1, HALF_BAR_STEPS).any(1))
        onsets = grid.half_bar_beats[half_bars]
        bars = score.bars(span[1])
        end = bars[-1].onset + bars[-1].meter.bar_beats
        half_bars = half_bars[(onsets > span[0] - 1e-6) & (onsets < end - 1e-6)]
        classes, struck, height, present = (
            each.reshape(-1, HALF_BAR_STEPS)[half_bars]
            for each in (classes, struck & present, height, present)
        )
        places, bars, begins = _places(score, grid, half_bars, present, first_whole)
        return cls(classes, struck, height, present, places, half_bars, bars, begins)


def meter_kind(meter: TimeSignature) -> int:
    """Return the index of a meter in METERS; cut time counts as four beats, 9/8 as three."""
    if meter.is_compound:
        return 1 if meter.numerator == 9 else 2
    if meter.bar_beats == 4:
        return 0
    return {3: 1, 6: 1, 2: 3}.get(meter.numerator, 4)


def _places(
    score: Score, grid: Grid, half_bars: np.ndarray, present: np.ndarray, first_whole: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say where units are in their bars, in phrases of eight bars, and in the song.

    Returns:
        [U, PLACES] float32: which unit of the bar (4), of how many (3), how wide (1), which bar of
        eight (8), which meter (5), how near the end and the beginning are (6), before the first
        whole bar (1); [U] the number of the bar; [U] bool, whether a bar begins.
    """
    onsets = grid.half_bar_beats[half_bars]
    bars = score.bars(float(grid.beats[-1]) + 1e-3)
    starts = np.array([bar.onset for bar in bars])
    bar_of = np.maximum(np.searchsorted(starts, onsets + 1e-6) - 1, 0)
    first = int(np.searchsorted(starts, first_whole - 1e-6))
    begins = np.append(True, bar_of[1:] != bar_of[:-1]) if len(bar_of) else np.zeros(0, bool)
    number = np.arange(len(bar_of))
    within = number - np.maximum.accumulate(np.where(begins, number, 0))
    count = np.bincount(bar_of)[bar_of] if len(bar_of) else within
    kinds = np.array([meter_kind(bar.meter) for bar in bars])[bar_of]
    relative = bar_of - first
    left = (len(bar_of) - 1 - number)[:, None] / np.array(REACHES)
    gone = number[:, None] / np.array(REACHES)
    columns = [
        np.eye(4)[np.minimum(within, 3)],
        np.eye(3)[np.minimum(count, 3) - 1],
        present.mean(1, keepdims=True),
        np.eye(PHRASE_BARS)[relative % PHRASE_BARS],
        np.eye(len(METERS))[kinds],
        np.exp(-left),
        np.exp(-gone),
        (relative < 0)[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32), relative, begins
