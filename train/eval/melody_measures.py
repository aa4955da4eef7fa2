"""What can be measured of a melody by itself: its notes, rhythm, repeats, and whether it is another's."""

from typing import NamedTuple

import numpy as np

from accomp.band.form import self_similarity
from accomp.invention.compose import MOVING
from accomp.invention.pitch_line import SCALE
from accomp.roll import pianoroll
from accomp.roll.chord_plan import TRIADS
from accomp.roll.grid import BAR_STEPS, HALF_BAR_STEPS

OFF = "notes off the eighths"
COPIED = 2  # bars; a stretch of melody as long as that is looked for in the training songs


class Melody(NamedTuple):
    """planes [2, S, 128] in the normal key; plan [S / 8]."""

    planes: np.ndarray
    plan: np.ndarray


def describe(melody: Melody) -> dict[str, float]:
    """Measures of a melody: shares of 0 to 1 unless said otherwise; nan where it has fewer than two notes."""
    notes = pianoroll.from_planes(melody.planes)
    notes = notes[np.unique(notes[:, 1], return_index=True)[1]]
    pitch, start = notes[:, 0], notes[:, 1]
    if len(notes) < 2:
        return {}
    interval, gap = np.abs(np.diff(pitch)), np.diff(start)
    strong = start % HALF_BAR_STEPS == 0
    in_chord = TRIADS[melody.plan[start // HALF_BAR_STEPS], pitch % 12] > 0
    in_chord_on_strong = float(in_chord[strong].mean()) if strong.any() else np.nan
    bars = melody.planes[0].any(1).reshape(-1, BAR_STEPS)
    similarity = self_similarity(pianoroll.to_blocks(melody.planes))
    before, last_but_one = (np.diagonal(similarity, lag) for lag in (1, 2))
    sounding = melody.planes[0].reshape(len(similarity), -1).any(1)
    earlier = [similarity[i, :i].max() for i in range(1, len(similarity)) if sounding[i]]
    return {
        "chord tones on strong beats": in_chord_on_strong,
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
        "likeness to the block before": float(before.mean()) if len(before) else np.nan,
        "likeness to two blocks before": float(last_but_one.mean())
        if len(last_but_one)
        else np.nan,
        "likeness to an earlier block": float(np.mean(earlier)) if earlier else np.nan,
    }


def entropy(counts: np.ndarray) -> float:
    """Bits, of counts [n]."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


def distance(found: list[dict[str, float]], real: list[dict[str, float]]) -> float:
    """Mean over the measures of the distance between the mean of what was found and that of real melodies, in their standard
    deviations.
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
    """What is struck in each bar of planes [2, S, 128], to be compared."""
    return [np.packbits(bar).tobytes() for bar in planes[0].reshape(-1, BAR_STEPS, 128)]


def stretches(planes: np.ndarray) -> set[bytes]:
    """The stretches of COPIED bars with four notes or more: intervals and rhythm, in whatever key."""
    found = set()
    for at in range(0, planes.shape[1] - COPIED * BAR_STEPS + 1, BAR_STEPS):
        step, pitch = np.nonzero(planes[0, at : at + COPIED * BAR_STEPS])
        if len(step) >= 4:
            found.add(np.concatenate([step, pitch - pitch[0]]).astype(np.int8).tobytes())
    return found


def distance_by_movement(found: list[dict[str, float]], real: list[dict[str, float]]) -> float:
    """The mean distance of those that move in sixteenths from real ones that do, and of the others from the others: taken
    together, one kind that is too sparse and one that is too busy would look right. Infinite where a kind is missing.
    """
    kinds = []
    for rows in (found, real):
        told = [row for row in rows if OFF in row]
        kinds.append(
            (
                [row for row in told if row[OFF] > MOVING],
                [row for row in told if row[OFF] <= MOVING],
            )
        )
    return float(
        np.mean(
            [distance(ours, theirs) if ours and theirs else np.inf for ours, theirs in zip(*kinds)]
        )
    )


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    return {
        name: float(np.nanmean([row.get(name, np.nan) for row in rows]))
        for name in max(rows, key=len)
    }
