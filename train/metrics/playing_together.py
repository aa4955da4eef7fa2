"""Measures of players together: clashes, room for the melody, and the bass at chord changes."""

import numpy as np

from accomp.roll import chord_plan
from accomp.roll.grid import (
    BASS,
    GUITAR,
    HALF_BAR_STEPS,
    MELODY,
    PITCHES,
    STEPS_PER_BEAT,
    STRINGS,
)
from train.metrics.harmony import best_triads
from train.metrics.playing_notes import Playing, sounding
from train.metrics.spans import mean

THIRD = 4  # semitones


def clashes(playing: Playing, one: int, other: int) -> float:
    """Measure the share of strong beats on which two parts clash.

    They clash where a note of one is a semitone above a note of the other, octaves apart or not; a
    major seventh is no clash. Strong beats are the first and third; those count on which both
    sound.
    """
    a, b = (playing.sounding(track)[::HALF_BAR_STEPS] for track in (one, other))
    both = a.any(1) & b.any(1)
    found = np.zeros(len(a), bool)
    for interval in range(1, PITCHES, 12):
        for lower, upper in ((a, b), (b, a)):
            found |= (lower[:, :-interval] & upper[:, interval:]).any(1)
    return mean(found[both])


def in_the_way(playing: Playing, track: int) -> float:
    """Measure the share of time in which a part sounds above the melody or within a third below.

    Of the steps at which both sound, those at which the part's highest note is at most four
    semitones below the melody's, or above it.
    """
    part, melody = playing.sounding(track), playing.sounding(MELODY)
    both = part.any(1) & melody.any(1)
    return mean((_highest(part) >= _highest(melody) - THIRD)[both])


def _highest(on: np.ndarray) -> np.ndarray:
    return PITCHES - 1 - on[:, ::-1].argmax(1)


def bass_on_chords(playing: Playing) -> float:
    """Measure the share of chord changes at which the bass strikes a tone of the new chord.

    The chord of a half bar is the triad nearest to what all pitched players but the bass sound.
    Where it differs from the last one, the first note that the bass strikes within a beat counts.
    """
    halves = playing.steps // HALF_BAR_STEPS
    chroma = np.zeros((halves, 12))
    parts = [playing.notes[track] for track in (GUITAR, STRINGS, MELODY)] + [playing.others]
    for notes in parts:
        on = sounding(notes, playing.steps).reshape(halves, HALF_BAR_STEPS, PITCHES).sum(1)
        for pitch in range(PITCHES):
            chroma[:, pitch % 12] += on[:, pitch]
    triads = best_triads(chroma)
    bass = playing.notes[BASS]
    first: dict[int, int] = {}
    for pitch, start, _ in bass[np.lexsort((bass[:, 0], bass[:, 1]))]:
        if start % HALF_BAR_STEPS < STEPS_PER_BEAT:
            first.setdefault(int(start) // HALF_BAR_STEPS, int(pitch))
    known, inside = -1, []
    for half, triad in enumerate(triads):
        if triad < 0 or triad == known:
            continue
        if known >= 0 and half in first:
            inside.append(bool(chord_plan.TRIADS[triad, first[half] % 12]))
        known = triad
    return mean(inside)
