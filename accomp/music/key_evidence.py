"""How likely each key is, by what a melody does on each degree of its scale.

A log-linear model: each of the 24 keys has a score, a weighted sum of features of the melody moved
to that key's tonic, and a softmax makes probabilities of them. Beside how long each degree sounds
(Krumhansl & Schmuckler) it knows which are long, on the beat, first, last, lowest, and which follow
each other. `python -m train keys` fits the weights.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from accomp.music.score import Note

WEIGHTS = Path(__file__).parents[1] / "data" / "keys" / "weights.json"
LONGEST = 8.0  # beats; longer notes and rests count as this, so that none decides alone
LONG_SHARE = 0.2  # of the notes are long
HELD = 1.5  # beats above which a note and the rest after it count as held
PULSES = (1, 2, 4)  # beats; what begins on their multiples
PAIRS = 3.0  # weight of the features of pairs, whose shares are small
GROUPS = 11  # groups of twelve features before those of the pairs
FEATURES = GROUPS * 12 + 144


def key_scores(notes: Sequence[Note]) -> np.ndarray:
    """Return the log probability of each key, [24]: tonic, plus 12 for minor.

    Args:
        notes: Of a melody, at least one, in any order.
    """
    major, minor = (rotations(key_features(notes)) @ _weights()[0]).T + _weights()[1][:, None]
    scores = np.concatenate([major, minor])
    scores -= scores.max()
    return scores - np.log(np.exp(scores).sum())


def key_features(notes: Sequence[Note]) -> np.ndarray:
    """Measure what a melody does with each pitch class.

    Args:
        notes: At least one.

    Returns:
        [11, ...] as one row of FEATURES: shares by pitch class of the time until the next note, of
        the notes, of the longest notes, of the time beyond HELD, of the time that begins on each of
        PULSES; the last, first, lowest and last but one note; and the shares of pairs.
    """
    line = sorted(notes, key=lambda note: (note.onset, note.pitch))
    pitch = np.array([note.pitch for note in line])
    onset = np.array([note.onset for note in line])
    classes = pitch % 12
    span = np.append(np.diff(onset), LONGEST)
    span = np.minimum(np.maximum(span, 0), LONGEST)
    rows = [_shares(classes, span), _shares(classes, np.ones(len(line)))]
    rows.append(_shares(classes, span >= np.quantile(span, 1 - LONG_SHARE)))
    rows.append(_shares(classes, np.maximum(span - HELD, 0)))
    for pulse in PULSES:
        on_pulse = np.abs(onset / pulse - np.round(onset / pulse)) < 0.05
        rows.append(_shares(classes, span * on_pulse))
    others = (classes[-1], classes[0], pitch.min() % 12, classes[max(len(line) - 2, 0)])
    rows += [np.eye(12)[one] for one in others]
    pairs = np.zeros((12, 12))
    np.add.at(pairs, (classes[:-1], classes[1:]), PAIRS / max(len(line) - 1, 1))
    return np.concatenate([*rows, pairs.ravel()])


def rotations(features: np.ndarray) -> np.ndarray:
    """Return features [276] as each of the twelve pitch classes as the tonic sees them, [12, 276].

    The features of a transposed melody are the same rows in another order.
    """
    rows, pairs = features[: GROUPS * 12].reshape(-1, 12), features[GROUPS * 12 :].reshape(12, 12)
    found = []
    for tonic in range(12):
        moved = np.roll(rows, -tonic, axis=1)
        moved_pairs = np.roll(pairs, (-tonic, -tonic), axis=(0, 1))
        found.append(np.concatenate([moved.ravel(), moved_pairs.ravel()]))
    return np.array(found)


def _shares(classes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weight of each pitch class as a share of all; zeros where all weights are."""
    sums = np.bincount(classes, weights, 12)
    return sums / max(sums.sum(), 1e-9)


@cache
def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of major and minor, [276, 2], and their offsets, [2]."""
    table = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return np.array(table["weights"]).T, np.array(table["offsets"])
