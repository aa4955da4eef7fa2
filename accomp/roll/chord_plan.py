"""Chord plans: one of 24 triads for each half bar of a song.

A chord is an int: its root's pitch class for the twelve major triads, plus 12 for the minor ones. A
plan is [H] int, one chord a half bar. Plans come from chords that a user gives, from what a real
arrangement plays, or from a ChordPlanner.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.chord_text import EXAMPLE_TEXT, read_chords, read_text
from accomp.music.score import Chord, Score, Track, pickup_bar, whole_bars
from accomp.roll.grid import HALF_BAR_STEPS, Grid

CHORD_COUNT = 24
TRIADS = np.zeros((CHORD_COUNT, 12), np.float32)  # 1 where [chord] has the tone [pitch class]
for _root in range(12):
    TRIADS[_root, [_root, (_root + 4) % 12, (_root + 7) % 12]] = 1
    TRIADS[_root + 12, [_root, (_root + 3) % 12, (_root + 7) % 12]] = 1
MOST_NAMED = 6  # chords that are left out and named in one notice


def transpose(plan: np.ndarray, semitones: int) -> np.ndarray:
    """Move every chord of a plan by `semitones`."""
    return (plan % 12 + semitones) % 12 + 12 * (plan >= 12)


def root_offset(plan: Any) -> Any:
    """Return the semitones from C to each chord's root, the short way: -6 to 5.

    Args:
        plan: An array or a tensor; the result is one too.
    """
    return (plan % 12 + 6) % 12 - 6


def chroma(planes: np.ndarray) -> np.ndarray:
    """Count for how many steps each pitch class sounds in each half bar.

    Args:
        planes: [2, S, 128].

    Returns:
        [H, 12] float32.
    """
    sounding = planes[1].reshape(-1, HALF_BAR_STEPS, planes.shape[-1]).sum(1, dtype=np.float32)
    octaves = [sounding[:, octave : octave + 12] for octave in range(0, 120, 12)]
    return np.sum(octaves, axis=0) + np.pad(sounding[:, 120:], ((0, 0), (0, 4)))


@dataclass(frozen=True)
class ArrangementChordSettings:
    """Weights for telling an arrangement's chords; the chordal tracks have 1."""

    melody: float = 0.3  # of the melody's notes
    bass: float = 0.5  # of the bass's notes as tones of the chord
    root: float = 0.3  # of a bass note on the root
    change: float = -0.2  # score of going to another chord: chords rather stay than change


def arrangement_chords(
    harmony: np.ndarray,
    bass: np.ndarray,
    melody: np.ndarray,
    settings: ArrangementChordSettings = ArrangementChordSettings(),
) -> np.ndarray:
    """Return the plan that an arrangement plays.

    It is the triad nearest to the chroma of each half bar, smoothed by Viterbi.

    Args:
        harmony: [H, 12] chroma of the chordal tracks.
        bass: [H, 12] chroma of the bass.
        melody: [H, 12] chroma of the melody.
        settings: Weights.

    Returns:
        [H] int.
    """
    notes = unit(harmony) + settings.melody * unit(melody) + settings.bass * unit(bass)
    fit = unit(notes) @ (TRIADS / np.sqrt(3)).T + settings.root * np.tile(unit(bass), 2)
    change = settings.change
    stay = np.full((CHORD_COUNT, CHORD_COUNT), change) - change * np.eye(CHORD_COUNT)
    return viterbi(fit, stay)


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale rows to Euclidean length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length == 0, 1, length)


def viterbi(fit: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Find the path of the highest total score.

    Args:
        fit: [H, C] score of each state at each place.
        move: Score of going from state i to j: [C, C] everywhere alike, or [H - 1, C, C].

    Returns:
        [H] int states.
    """
    score, back = fit[0], []
    for row, step in zip(fit[1:], np.broadcast_to(move, (len(fit) - 1, *move.shape[-2:]))):
        paths = score[:, None] + step
        back.append(paths.argmax(0))
        score = paths.max(0) + row
    path = [int(score.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return np.array(path[::-1])


def symbols_on_grid(
    chords: str | list[Chord], score: Score, track: Track, grid: Grid
) -> tuple[list[ChordSymbol], list[str]]:
    """Return the chord of each half bar of a grid: the one that sounds as it begins.

    Args:
        chords: Text, or Chords with onsets in beats of the score such as the `chords` of an earlier
            result. The first bar of text is the first whole bar of the melody; a pickup has the
            first chord too, unless the text has a bar 0. Text of fewer bars than the song begins
            again.
        score: Its meters give the bars.
        track: The melody.
        grid: The melody's.

    Returns:
        [H] symbols, and notices for the user.

    Raises:
        MusicError: The chords are not understood, or there are none.
    """
    onsets = grid.half_bar_beats
    if isinstance(chords, str):
        placed, notices = read_text(chords, whole_bars(score, track), pickup_bar(score, track))
    else:
        placed, notices = read_chords(chords)
    if not placed:
        raise MusicError(f"no chords were found; accepted: {EXAMPLE_TEXT}")
    starts = np.array([onset for onset, _ in placed])
    at = np.maximum(np.searchsorted(starts, onsets + 1e-6) - 1, 0)
    inside = (starts > onsets[0] - 1e-6) & (starts < track.end - 1e-6)
    played = set(at[onsets < track.end - 1e-6].tolist())
    symbols = [symbol for _, symbol in placed]
    lost = dict.fromkeys(
        str(symbol)
        for i, symbol in enumerate(symbols)
        if i not in played and inside[i] and symbol != symbols[max(i - 1, 0)]
    )
    if lost:
        notices.append(
            f"chords change on half bars at most: {', '.join([*lost][:MOST_NAMED])} between them "
            f"{'is' if len(lost) == 1 else 'are'} left out"
        )
    return [symbols[i] for i in at], notices
