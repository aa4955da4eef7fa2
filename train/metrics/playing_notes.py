"""Measures of one player's notes: how long, how dense, how high, how far apart.

A player's notes are [n, 3] int: pitch, first step, end step (exclusive), a step being a sixteenth,
as in accomp.roll.pianoroll.
"""

from dataclasses import dataclass

import numpy as np

from accomp.roll.grid import BAR_STEPS, DRUMS, PITCHES, STEPS_PER_BEAT

REST = 2 * BAR_STEPS  # steps; onsets farther apart are parted by a rest, which is no gap or leap
SHORT = 1  # steps of a short note
ALONE = STEPS_PER_BEAT  # steps around a short note in which nothing sounds, if it is isolated


@dataclass(frozen=True)
class Playing:
    """What a band plays over some bars of four beats.

    Attributes:
        notes: By track index [n, 3] int, by first step; drums last one step.
        others: [n, 3] int, notes of other pitched players.
        bars: How many there are; the first one begins a phrase.
    """

    notes: dict[int, np.ndarray]
    others: np.ndarray
    bars: int

    @property
    def steps(self) -> int:
        """The number of steps."""
        return self.bars * BAR_STEPS

    def sounding(self, track: int) -> np.ndarray:
        """Return which pitches of a part sound, [S, 128] bool."""
        return sounding(self.notes[track], self.steps)


def sounding(notes: np.ndarray, steps: int) -> np.ndarray:
    """Return which pitches sound at each of the steps, [S, 128] bool."""
    change = np.zeros((steps + 1, PITCHES), int)
    np.add.at(change, (notes[:, 1].clip(0, steps), notes[:, 0]), 1)
    np.add.at(change, (notes[:, 2].clip(0, steps), notes[:, 0]), -1)
    return change.cumsum(0)[:-1] > 0


def lengths(playing: Playing, track: int) -> np.ndarray:
    """Measure how long notes last: log2 of beats, one sample a note.

    A distance of 1 is a factor of two.
    """
    notes = playing.notes[track]
    return np.log2((notes[:, 2] - notes[:, 1]) / STEPS_PER_BEAT)


def onset_gaps(playing: Playing, track: int) -> np.ndarray:
    """Measure the time from onset to onset: log2 of beats, one sample for each pair of neighbours.

    Notes struck together are one onset; gaps of more than two bars are rests and left out.
    """
    gaps = np.diff(np.unique(playing.notes[track][:, 1]))
    return np.log2(gaps[gaps <= REST] / STEPS_PER_BEAT)


def polyphony(playing: Playing, track: int) -> np.ndarray:
    """Measure how many notes sound at once: one sample for each step at which any does.

    Of drums: how many are struck at once, one sample for each onset.
    """
    if track == DRUMS:
        return np.unique(playing.notes[track][:, 1], return_counts=True)[1].astype(float)
    count = playing.sounding(track).sum(1)
    return count[count > 0].astype(float)


def register(playing: Playing, track: int) -> np.ndarray:
    """Measure how high notes are: their MIDI pitches, one sample a note."""
    return playing.notes[track][:, 0].astype(float)


def leaps(playing: Playing, track: int) -> np.ndarray:
    """Measure how far the top voice moves: semitones, one sample for each pair of neighbours.

    The top voice is the highest note struck at each onset; onsets more than two bars apart are no
    neighbours.
    """
    notes = playing.notes[track]
    onsets = np.unique(notes[:, 1])
    top = np.zeros(playing.steps, int)
    np.maximum.at(top, notes[:, 1], notes[:, 0])
    moved = np.abs(np.diff(top[onsets]))
    return moved[np.diff(onsets) <= REST].astype(float)


def blips(playing: Playing, track: int) -> float:
    """Measure how many of a hundred notes are short and stand alone.

    Such a note lasts a sixteenth at most, and nothing else of the part sounds with it, in the beat
    before it, or in the beat after.
    """
    notes = playing.notes[track]
    if not len(notes):
        return np.nan
    busy = np.zeros(playing.steps + 1, int)
    np.add.at(busy, notes[:, 1], 1)
    np.add.at(busy, notes[:, 2].clip(0, playing.steps), -1)
    count = np.append(0, busy.cumsum()[:-1].cumsum())  # note steps before each step
    from_, to = (notes[:, 1] - ALONE).clip(0), (notes[:, 2] + ALONE).clip(0, playing.steps)
    length = notes[:, 2].clip(0, playing.steps) - notes[:, 1]
    alone = count[to] - count[from_] == length
    return 100 * float((alone & (length <= SHORT)).mean())
