"""How well bars fit a melody by the kinds of its notes, beside the network (accomp.listen.bar_net).

A log-linear model. Its weights, accomp/data/listen/bar_kinds.csv, are in hundredths of a nat, of a
note of each kind that begins on each fourth of a bar of four pulses. They were fitted by maximum
likelihood of the true one among the 16 ways to lay bars over an excerpt of unknown beginning: 4,337
excerpts of POP909's training songs, 3,779 of multi-track songs, all with the errors of a
transcription.
"""

from functools import cache
from pathlib import Path

import numpy as np

from accomp.listen.bar_net import like_four

TABLE = Path(__file__).parents[1] / "data/listen/bar_kinds.csv"
# Pulses that divide the kinds of distance between onsets, and of silence; singers end notes early.
SPANS, SILENCES = (0.29, 0.59, 1.09, 2.09), (0.45, 1.1)
FAR = 9  # pulses to what lies before the first note, and after the last


def kinds_score(
    pitch: np.ndarray, place: np.ndarray, released: np.ndarray, parts: int, count: int
) -> np.ndarray:
    """Score the ways to lay bars of `count` pulses by the kinds of the notes alone.

    Args:
        pitch: [n] MIDI pitches.
        place: [n] pulses at which the notes begin.
        released: [n] pulses at which they end.
        parts: 3 or 4, into which a pulse falls.
        count: Pulses in a bar.

    Returns:
        [parts count] log probability that pulse 0 is each place of a bar.
    """
    step = np.rint(place * parts).astype(int)
    # In swung and compound tunes the last third takes the place of the half.
    fourth = step if parts == 4 else step // 3 * 4 + np.array([0, 2, 2])[step % 3]
    scores = _bar_scores(fourth, _kinds(pitch, place, released), count)
    scores = scores if parts == 4 else scores[::4]
    scores = scores - np.logaddexp.reduce(scores)
    return scores if parts == 4 else scores.repeat(3)


@cache
def _weights() -> np.ndarray:
    """Return the weights in nats: [kinds, fourths of a bar]."""
    return np.loadtxt(TABLE, delimiter=",", skiprows=1, usecols=range(1, 17)) / 100


def _kinds(pitch: np.ndarray, place: np.ndarray, released: np.ndarray) -> np.ndarray:
    """Return the rows of the weights that each note has: [notes, 4]."""
    gap = np.diff(place, append=place[-1] + FAR, prepend=place[0] - FAR)
    silence = np.append(place[1:], place[-1] + FAR) - released
    step = np.sign(np.diff(pitch, prepend=pitch[0], append=pitch[-1])).astype(int) + 1
    kinds = (
        np.searchsorted(SPANS, gap[1:]),
        5 + np.searchsorted(SPANS, gap[:-1]),
        10 + 3 * step[:-1] + step[1:],
    )
    return np.stack([*kinds, 19 + np.searchsorted(SILENCES, silence)], 1)


def _bar_scores(fourth: np.ndarray, kinds: np.ndarray, count: int) -> np.ndarray:
    """Return the score of each place of the first fourth (`fourth` 0) in a bar: [4 count]."""
    weights = _weights()
    columns = np.concatenate([np.arange(4) + 4 * pulse for pulse in like_four(count)])
    places = columns[(fourth + np.arange(4 * count)[:, None]) % (4 * count)]  # [shifts, notes]
    # Of what kind the first and the last note are is not known: what comes before or after them
    # was not recorded.
    inner = weights[kinds[None, 1:-1], places[:, 1:-1, None]].sum((1, 2))
    return inner + weights[-1][places[:, 0]]
