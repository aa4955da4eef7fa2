"""Describe a piece of some bars by numbers, from which a judge tells who plays.

They are the measures of train.metrics.playing and some more of each player, without what tells a
file rather than a player: velocities, tempo, sounds, key, and times finer than a sixteenth.
"""

import numpy as np

from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    DRUMS,
    HALF_BAR_STEPS,
    STEPS_PER_BEAT,
    TRACK_NAMES,
)
from train.metrics.playing import profile
from train.metrics.playing_notes import Playing
from train.metrics.playing_rhythm import patterns
from train.metrics.spans import mean, ratio

PIECE = 8  # bars
LONG = 2 * STEPS_PER_BEAT  # steps of a long note
# Measures that need more than a piece.
TOO_LONG = ("rests",)


def pieces(song: Playing, bars: int = PIECE) -> list[Playing]:
    """Cut a song into pieces side by side; what is left at its end is left out.

    Notes that begin before a piece are not in it; those that last longer end with it.
    """
    found = []
    for first in range(0, song.bars - bars + 1, bars):
        start, end = first * BAR_STEPS, (first + bars) * BAR_STEPS
        notes = {track: _within(rows, start, end) for track, rows in song.notes.items()}
        found.append(Playing(notes, _within(song.others, start, end), bars))
    return found


def _within(notes: np.ndarray, start: int, end: int) -> np.ndarray:
    rows = notes[(notes[:, 1] >= start) & (notes[:, 1] < end)].copy()
    rows[:, 2] = np.minimum(rows[:, 2], end)
    rows[:, 1:] -= start
    return rows


def features(piece: Playing, lineup: set[str]) -> dict[str, float]:
    """Describe a piece by numbers.

    Args:
        piece: Some bars.
        lineup: Names of the players that are described.

    Returns:
        By name: the means of the measures ("measure / player") and the spread of those that have
        several samples ("measure spread / player"), and what `_of_player` adds.
    """
    found = {}
    for row, samples in profile(piece, lineup).items():
        name, _, who = row.partition(" / ")
        if name in TOO_LONG:
            continue
        found[row] = float(samples.mean())
        if len(samples) > 1:
            found[f"{name} spread / {who}"] = float(samples.std())
    for track in ACCOMPANIMENT:
        who = TRACK_NAMES[track]
        if who in lineup:
            found |= {f"{name} / {who}": v for name, v in _of_player(piece, track).items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _of_player(piece: Playing, track: int) -> dict[str, float]:
    """Describe a player: density, places in the bar, what returns, and of pitched ones pitches."""
    notes = piece.notes[track]
    struck = patterns(notes, piece.bars)
    onsets = np.flatnonzero(struck.reshape(-1))
    found = {
        "density": len(onsets) / piece.bars,
        "on downbeats": mean(struck[struck.any(1)][:, 0]),
        "on strong beats": mean(onsets % HALF_BAR_STEPS == 0),
        "on beats": mean(onsets % STEPS_PER_BEAT == 0),
        "off the eighths": mean(onsets % 2 == 1),
        "rhythm of two bars before": _returns(struck, 2),
        "rhythm of four bars before": _returns(struck, 4),
        "likeness to the bar before": _likeness(struck),
        "the very bar before": _same_notes(piece, track),
    }
    if track == DRUMS or not len(notes):
        return found
    top = np.array([notes[notes[:, 1] == onset, 0].max() for onset in onsets])
    length = notes[:, 2] - notes[:, 1]
    bars = notes[:, 1] // BAR_STEPS
    classes = [len(np.unique(notes[bars == bar, 0] % 12)) for bar in np.unique(bars)]
    return found | {
        "same top note": mean(np.diff(top) == 0),
        "steps of the top voice": mean((np.diff(top) != 0) & (np.abs(np.diff(top)) <= 2)),
        "span of the top voice": float(top.max() - top.min()),
        "notes of two beats and more": mean(length >= LONG),
        "short notes": mean(length == 1),
        "pitch classes a bar": mean(classes),
        "struck at once": ratio(len(notes), len(onsets)),
        "single notes": mean(np.unique(notes[:, 1], return_counts=True)[1] == 1),
    }


def _returns(struck: np.ndarray, distance: int) -> float:
    both = struck[distance:].any(1) & struck[:-distance].any(1)
    return mean((struck[distance:] == struck[:-distance]).all(1)[both])


def _likeness(struck: np.ndarray) -> float:
    """Measure the share of onsets that neighbouring bars have in common (Jaccard index)."""
    a, b = struck[1:], struck[:-1]
    both = a.any(1) & b.any(1)
    return mean(((a & b).sum(1) / np.maximum((a | b).sum(1), 1))[both])


def _same_notes(piece: Playing, track: int) -> float:
    """Measure the share of bars with the very onsets and pitches of the bar before."""
    by_bar: list[set[tuple[int, int]]] = [set() for _ in range(piece.bars)]
    for pitch, start, _ in piece.notes[track].tolist():
        by_bar[start // BAR_STEPS].add((pitch, start % BAR_STEPS))
    pairs = [(a, b) for a, b in zip(by_bar, by_bar[1:]) if a and b]
    return mean([a == b for a, b in pairs])
