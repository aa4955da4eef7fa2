"""Chords: the vocabulary of the chord plan, their symbols, and the chords that a real arrangement plays.

A chord is an int: its root's pitch class for the twelve major triads, plus 12 for the minor ones. A plan has one chord
per half bar, [H] int.
"""

import numpy as np

from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.chord_text import EXAMPLE_TEXT, read_chords, read_text
from accomp.music.score import Chord, Score, Track, whole_bars
from accomp.roll.grid import HALF_BAR_STEPS, Grid

COUNT = 24
TRIADS = np.zeros((COUNT, 12), np.float32)  # [chord, pitch class] 1 where the chord has the tone
for _root in range(12):
    TRIADS[_root, [_root, (_root + 4) % 12, (_root + 7) % 12]] = 1
    TRIADS[_root + 12, [_root, (_root + 3) % 12, (_root + 7) % 12]] = 1


def transpose(plan: np.ndarray, semitones: int) -> np.ndarray:
    """Every chord of a plan moved by `semitones`."""
    return (plan % 12 + semitones) % 12 + 12 * (plan >= 12)


def root_offset(plan):
    """Semitones from C to each chord's root, the near way: -6 to 5. For arrays and tensors."""
    return (plan % 12 + 6) % 12 - 6


def chroma(planes: np.ndarray) -> np.ndarray:
    """[H, 12]: for how many steps each pitch class sounds in each half bar; planes [2, S, 128]."""
    sounding = planes[1].reshape(-1, HALF_BAR_STEPS, planes.shape[-1]).sum(1, dtype=np.float32)
    return sum(sounding[:, octave : octave + 12] for octave in range(0, 120, 12)) + np.pad(
        sounding[:, 120:], ((0, 0), (0, 4))
    )


def arrangement_chords(harmony: np.ndarray, bass: np.ndarray, melody: np.ndarray) -> np.ndarray:
    """The plan that an arrangement plays, [H]: the triad nearest to the chroma of each half bar, where a bass note on the
    root counts, smoothed by Viterbi because chords rather stay than change. Arguments: [H, 12] chroma of the chordal
    tracks, the bass and the melody.
    """
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


def symbols_on_grid(
    chords: str | list[Chord], score: Score, track: Track, grid: Grid
) -> tuple[list[ChordSymbol], list[str]]:
    """The chord of each half bar of the melody's grid, [H], and what the user should know about it, in words.

    chords: text, its first bar being the first whole bar of the melody `track`, whose pickup has the first chord too; text
    of fewer bars than the song begins again. Or Chords with onsets in beats of the score, as the `chords` of an earlier
    result. A half bar has the chord that sounds as it begins. Raises MusicError.
    """
    onsets = _half_bar_onsets(grid)
    if isinstance(chords, str):
        named, notices = read_text(chords, whole_bars(score, track))
    else:
        named, notices = read_chords(chords)
    if not named:
        raise MusicError(f"no chords were found; accepted: {EXAMPLE_TEXT}")
    starts = np.array([onset for onset, _ in named])
    at = np.maximum(np.searchsorted(starts, onsets + 1e-6) - 1, 0)
    unheard = sorted(set(range(len(named))) - set(at[onsets < track.end - 1e-6].tolist()))
    inside = (starts > onsets[0] - 1e-6) & (starts < track.end - 1e-6)
    lost = list(
        dict.fromkeys(
            str(named[i][1])
            for i in unheard
            if inside[i] and named[i][1] != named[max(i - 1, 0)][1]
        )
    )
    if lost:
        notices.append(
            f"chords change on half bars at most: {', '.join(lost[:6])} between them "
            f"{'is' if len(lost) == 1 else 'are'} left out"
        )
    return [named[i][1] for i in at], notices


def _half_bar_onsets(grid: Grid) -> np.ndarray:
    """[H] beats at which the half bars begin."""
    return grid.beats[: grid.steps : HALF_BAR_STEPS]
