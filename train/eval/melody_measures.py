"""Measure melodies by themselves: notes, rhythm, repeats, and whether they are copied."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accomp.band.form import self_similarity
from accomp.invention.compose import SixteenthsSettings
from accomp.invention.pitch_line import SCALE
from accomp.roll import pianoroll
from accomp.roll.chord_plan import TRIADS
from accomp.roll.grid import BAR_STEPS, HALF_BAR_STEPS

OFF = "notes off the eighths"  # name of the measure by which melodies are told apart


class PlannedMelody(NamedTuple):
    """A melody with its chords.

    Attributes:
        planes: [2, S, 128] in the normal key.
        chords: [S / 8], of each half bar.
    """

    planes: np.ndarray
    chords: np.ndarray


def describe(melody: PlannedMelody) -> dict[str, float]:
    """Measure a melody by name; shares from 0 to 1 unless the name says otherwise.

    A measure without an answer is nan; a melody of fewer than two notes has no measures.
    """
    notes = pianoroll.from_planes(melody.planes)
    notes = notes[np.unique(notes[:, 1], return_index=True)[1]]
    pitch, start = notes[:, 0], notes[:, 1]
    if len(notes) < 2:
        return {}
    interval, gap = np.abs(np.diff(pitch)), np.diff(start)
    strong = start % HALF_BAR_STEPS == 0
    in_chord = TRIADS[melody.chords[start // HALF_BAR_STEPS], pitch % 12] > 0
    bars = melody.planes[0].any(1).reshape(-1, BAR_STEPS)
    return {
        "chord tones on strong beats": _mean(in_chord[strong]),
        "in key": float(SCALE[pitch % 12].mean()),
        "mean interval, semitones": float(interval.mean()),
        "repeated notes": float((interval == 0).mean()),
        "leaps beyond a fifth": float((interval > 7).mean()),
        "notes a bar": len(notes) / len(bars),
        "entropy of places in the bar, bits": entropy(
            np.bincount(start % BAR_STEPS, minlength=BAR_STEPS)
        ),
        "entropy of distances, bits": entropy(np.bincount(np.minimum(gap, BAR_STEPS))),
        OFF: float((start % 2).mean()),
        "empty bars": float((~melody.planes[1].any(1).reshape(-1, BAR_STEPS).any(1)).mean()),
        "range, semitones": float(np.ptp(pitch)),
        **_likeness(melody.planes),
    }


def _likeness(planes: np.ndarray) -> dict[str, float]:
    """Return how alike the blocks of a melody are to the ones before."""
    similarity = self_similarity(pianoroll.to_blocks(planes))
    sounding = planes[0].reshape(len(similarity), -1).any(1)
    earlier = [similarity[i, :i].max() for i in range(1, len(similarity)) if sounding[i]]
    return {
        "likeness to the block before": _mean(np.diagonal(similarity, 1)),
        "likeness to two blocks before": _mean(np.diagonal(similarity, 2)),
        "likeness to an earlier block": _mean(earlier),
    }


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def entropy(counts: np.ndarray) -> float:
    """Measure the entropy of counts [n], in bits."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def distance(found: list[dict[str, float]], real: list[dict[str, float]]) -> float:
    """Measure how far melodies are from real ones, in standard deviations of the real ones.

    That is the distance of the means of each measure, as the mean over the measures.
    """
    names = list(max(real, key=len))
    rows, known = (
        np.array([[each.get(name, np.nan) for name in names] for each in every])
        for every in (found, real)
    )
    told = np.isfinite(rows).any(0) & np.isfinite(known).any(0)
    rows, known = rows[:, told], known[:, told]
    away = np.abs(np.nanmean(rows, 0) - np.nanmean(known, 0)) / np.maximum(
        np.nanstd(known, 0), 1e-3
    )
    return float(away.mean())


def bar_patterns(planes: np.ndarray) -> list[bytes]:
    """Pack the onsets of each bar of planes [2, S, 128], so that bars can be compared."""
    return [np.packbits(bar).tobytes() for bar in planes[0].reshape(-1, BAR_STEPS, 128)]


def stretches(planes: np.ndarray, bars: int = 2, fewest: int = 4) -> set[bytes]:
    """List the stretches of some bars with some notes at least: their rhythm and intervals.

    They are equal in all keys. Of planes [2, S, 128], one stretch begins with each bar. Fewer notes
    are alike in many songs by chance.
    """
    found, length = set(), bars * BAR_STEPS
    for at in range(0, planes.shape[1] - length + 1, BAR_STEPS):
        step, pitch = np.nonzero(planes[0, at : at + length])
        if len(step) >= fewest:
            found.add(np.concatenate([step, pitch - pitch[0]]).astype(np.int8).tobytes())
    return found


def distance_by_movement(found: list[dict[str, float]], real: list[dict[str, float]]) -> float:
    """Measure `distance` apart for melodies that move in sixteenths and for others; the mean.

    Taken together, one kind that is too sparse and one that is too busy would look right. Infinite
    if a kind is missing.
    """
    apart = []
    for moves in (True, False):
        ours, theirs = (
            [
                row
                for row in rows
                if OFF in row and (row[OFF] > SixteenthsSettings().moving) == moves
            ]
            for rows in (found, real)
        )
        apart.append(distance(ours, theirs) if ours and theirs else np.inf)
    return float(np.mean(apart))


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """Average each measure over melodies, without those that lack it."""
    return {
        name: float(np.nanmean([row.get(name, np.nan) for row in rows]))
        for name in max(rows, key=len)
    }
