"""Chords: the vocabulary of the chord plan, their symbols, and the chords that a real arrangement plays.

A chord is an int: its root's pitch class for the twelve major triads, plus 12 for the minor ones. A plan has one chord
per half bar, [H] int.
"""

import numpy as np

from accomp.grid import HALF_BAR_STEPS
from accomp.tonality import NAMES

COUNT = 24
TRIADS = np.zeros((COUNT, 12), np.float32)  # [chord, pitch class] 1 where the chord has the tone
for _root in range(12):
    TRIADS[_root, [_root, (_root + 4) % 12, (_root + 7) % 12]] = 1
    TRIADS[_root + 12, [_root, (_root + 3) % 12, (_root + 7) % 12]] = 1


def symbol(chord: int) -> str:
    """0 to "C", 12 to "Cm"."""
    return NAMES[chord % 12] + ("m" if chord >= 12 else "")


def transpose(plan: np.ndarray, semitones: int) -> np.ndarray:
    """Every chord of a plan moved by `semitones`."""
    return (plan % 12 + semitones) % 12 + 12 * (plan >= 12)


def root_offset(plan):
    """Semitones from C to each chord's root, the near way: -6 to 5. For arrays and tensors."""
    return (plan % 12 + 6) % 12 - 6


def chroma(planes: np.ndarray) -> np.ndarray:
    """[H, 12]: for how many steps each pitch class sounds in each half bar; planes [2, S, 128]."""
    sounding = planes[1].reshape(-1, HALF_BAR_STEPS, planes.shape[-1]).sum(1, dtype=np.float32)
    return sum(sounding[:, octave : octave + 12] for octave in range(0, 120, 12)) + np.pad(sounding[:, 120:], ((0, 0), (0, 4)))


def of_arrangement(harmony: np.ndarray, bass: np.ndarray, melody: np.ndarray) -> np.ndarray:
    """The plan that an arrangement plays, [H]: the triad nearest to the chroma of each half bar, where a bass note on the
    root counts, smoothed by Viterbi because chords rather stay than change. Arguments: [H, 12] chroma of the chordal
    tracks, the bass and the melody."""
    notes = unit(harmony) + 0.3 * unit(melody) + 0.5 * unit(bass)
    fit = unit(notes) @ (TRIADS / np.sqrt(3)).T + 0.3 * np.tile(unit(bass), 2)
    stay = np.full((COUNT, COUNT), -0.2) + 0.2 * np.eye(COUNT)
    return viterbi(fit, stay)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of Euclidean length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length == 0, 1, length)


def viterbi(fit: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The best path [H] through fit [H, C] where going from i to j scores move[i, j], everywhere alike or [H - 1, C, C]."""
    score, back = fit[0], []
    for row, step in zip(fit[1:], np.broadcast_to(move, (len(fit) - 1, *move.shape[-2:]))):
        paths = score[:, None] + step
        back.append(paths.argmax(0))
        score = paths.max(0) + row
    path = [int(score.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return np.array(path[::-1])
