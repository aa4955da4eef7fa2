"""Foretell how loud a track is from its notes.

Each note has the energy that its instrument, pitch, length and velocity give it. The tables in
accomp/data/note_levels were measured of FluidR3_GM by `python -m benchmarks.levels`:
programs.csv has a row for each General MIDI program with the energy of a note that lasts LENGTHS
seconds about each of PITCHES at VELOCITY, in LU (dB of K-weighted power times seconds), short notes
first. Its last column says how steeply loudness rises with velocity, in dB a decade (General MIDI
has 40). drums.csv has the energy of a stroke on each key and their steepness.
Letters: n notes, hops of accomp.music.loudness.HOP seconds.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accomp.music.loudness import HOP
from accomp.music.score import Score, Track

TABLES = Path(__file__).parents[1] / "data" / "note_levels"
PITCHES = np.array([30, 42, 54, 66, 78, 90])
LENGTHS = (0.06, 0.25, 2.0)  # seconds
VELOCITY = 100
FIRST_KEY = 35
VOLUME, EXPRESSION, SUSTAIN = 7, 11, 64  # MIDI controllers
USUAL_VOLUME = 100  # of a channel until it is told another; the tables were measured with it
STEEPNESS = 40  # dB a decade of volume and expression (General MIDI)
SHORTEST = 0.02  # seconds that a note sounds at least
RINGS_ON = 20  # hops after the last note
# LUFS of what FluidSynth renders at its usual gain (0.2), above what is foretold: the mean of
# `python -m benchmarks.likeness`.
RENDERED = 0.6


class Tables(NamedTuple):
    """The measured levels.

    Attributes:
        programs: [128, 3 * 6 + 1] levels by length and pitch, and the steepness.
        drums: [47 + 1] levels by key from FIRST_KEY on, and the steepness.
    """

    programs: np.ndarray
    drums: np.ndarray


@cache
def tables() -> Tables:
    """Load the measured levels."""

    def rows(name: str) -> np.ndarray:
        with (TABLES / name).open(newline="") as file:
            return np.array([row[1:] for row in csv.reader(file)][1:]).astype(int)

    return Tables(rows("programs.csv"), rows("drums.csv")[:, 0])


class Loudness:
    """The power of a score's tracks over time."""

    def __init__(self, score: Score):
        self.seconds = score.seconds
        self.hops = int(score.seconds(score.end) / HOP) + RINGS_ON

    def power(self, track: Track) -> np.ndarray:
        """Foretell a track's power from notes, pedal, volume and expression, [hops]."""
        if not track.notes:
            return np.zeros(self.hops)
        pitch, onset, duration, velocity = np.array(track.notes, float).T
        start = self.seconds(onset)
        released = self.seconds(_released(track, onset + duration))
        length = np.maximum(released - start, SHORTEST)
        table = tables().drums if track.is_drum else tables().programs[track.program]
        strength = table[-1] * np.log10(np.maximum(velocity, 1) / VELOCITY)
        for number, usual in ((VOLUME, USUAL_VOLUME), (EXPRESSION, 127)):
            loudest = loudest_values(track, number, onset, onset + duration, usual)
            strength += STEEPNESS * np.log10(np.maximum(loudest, 0.1) / usual)
        if track.is_drum:
            keys = np.clip(pitch.astype(int) - FIRST_KEY, 0, len(table) - 2)
            energy = 10 ** ((table[keys] + strength) / 10)
            return self._spread(start, np.full(len(start), LENGTHS[1]), energy)
        levels = [
            np.interp(pitch, PITCHES, row) + strength
            for row in table[:-1].reshape(len(LENGTHS), -1)
        ]
        stroke, brief, long = 10 ** (np.array(levels) / 10)
        first, second, third = LENGTHS
        head = stroke + (brief - stroke) * np.clip((length - first) / (second - first), 0, 1)
        rest = np.maximum(long - brief, 0) * np.maximum(length - second, 0) / (third - second)
        body = np.minimum(length, second)
        tail = np.maximum(length - body, HOP)
        return self._spread(start, body, head) + self._spread(start + body, tail, rest)

    def _spread(self, start: np.ndarray, length: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Return the power of notes [n] that give their energy evenly, [hops]."""
        first = np.clip((start / HOP).astype(int), 0, self.hops - 1)
        last = np.clip(((start + length) / HOP).astype(int) + 1, first + 1, self.hops)
        steps = np.zeros(self.hops + 1)
        power = energy / ((last - first) * HOP)
        np.add.at(steps, first, power)
        np.add.at(steps, last, -power)
        return np.maximum(np.cumsum(steps)[:-1], 0)


def loudest_values(
    track: Track, number: int, starts: np.ndarray, ends: np.ndarray, usual: float
) -> np.ndarray:
    """Return a controller's largest values within spans of beats.

    Players of winds and strings begin notes at 0, so the value at the onset would say too little.

    Args:
        track: a track with controls.
        number: of the controller.
        starts: [n] beats.
        ends: [n] beats.
        usual: the value before it is first set.
    """
    onsets, values = _events(track, number, usual)
    first = np.searchsorted(onsets, starts, side="right") - 1
    last = np.maximum(np.searchsorted(onsets, ends, side="left"), first + 1)
    return np.array([values[a:b].max() for a, b in zip(first, last)])


def _events(track: Track, number: int, usual: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the beats at which a controller changes, from -inf on, and its values."""
    events = sorted((each.onset, each.value) for each in track.controls if each.number == number)
    onsets, values = np.array([(-np.inf, usual), *events], float).T
    return onsets, values


def _released(track: Track, ends: np.ndarray) -> np.ndarray:
    """Return when notes that end at `ends` (beats) are damped: where the pedal is down, later."""
    ups = sorted(
        control.onset
        for control in track.controls
        if control.number == SUSTAIN and control.value < 64
    )
    onsets, values = _events(track, SUSTAIN, 0)
    held = values[np.searchsorted(onsets, ends, side="right") - 1] >= 64
    following = np.searchsorted(ups, ends)
    return np.where(held, np.array([*ups, track.end])[following], ends)


def mix_loudness(score: Score) -> float:
    """Foretell the LUFS of a score as FluidSynth renders it, before it is mastered.

    Passages more than 10 LU below the mean don't count, as in BS.1770. A score without notes has
    -inf.
    """
    loudness = Loudness(score)
    power = sum((loudness.power(track) for track in score.tracks), np.zeros(loudness.hops))
    if not power.any():
        return -np.inf
    loud = power[power >= 0.1 * power[power > 1e-4 * power.max()].mean()]
    return float(10 * np.log10(loud.mean())) + RENDERED
