"""From what the piano VAE decodes to a line that can be sung: one note at a time, in the range of a voice, without wide leaps.

The decoder says when notes begin, and how likely each pitch is; of all ways to give those notes pitches the likeliest is taken,
to which small intervals, the chords and the key contribute (the algorithm of Viterbi 1967).
Notes are [n, 3] int arrays of pitch, first step and end step, in the normal key (C major or A minor).
"""

import numpy as np

from accomp.roll.chord_plan import TRIADS, viterbi
from accomp.roll.grid import BAR_STEPS, HALF_BAR_STEPS, STEPS_PER_BEAT

LOWEST, HIGHEST = 57, 76  # of the voice in the normal key, A to E: an octave and a half
SCALE = np.isin(np.arange(12), [0, 2, 4, 5, 7, 9, 11])
LIKELIEST = 0.001  # added to what the decoder says of each pitch, which it may be wrong about
LONG_NOTE, LONG = 0.3, 4  # nats for a chord tone of a note of at least so many steps
FOREIGN = 8.0  # nats against a tone that is neither in the key nor in the chord
EDGE, EDGES = 0.3, 3  # nats against each semitone nearer to the range's ends than this
# Nats against a note like the one before, and against each semitone that an interval is wider than a third: more after a
# sixteenth.
REPEATED, LEAP, HURRIED = 0.6, 0.4, 0.8
THIRD, OCTAVE = 4, 12
SHORTEST_REST = 3  # steps; before the next note a shorter one is sung through
SHORTEST_NOTE = 2  # steps, where the next note leaves the room: what is cut shorter on a keyboard is not sung so
SHORTEST_CLOSE = 6  # steps of the last note of a phrase
LAST_CLOSE = 8  # of a bar's steps, on which the last note of a phrase begins at the latest


def rhythm(planes: np.ndarray) -> np.ndarray:
    """[n, 2] first and end steps of the notes that planes [2, S, P] strike, any pitch."""
    struck, sounding = planes[0].any(1), planes[1].any(1)
    starts = np.flatnonzero(struck)
    silent = np.append(np.flatnonzero(~sounding), len(struck))
    nexts = np.append(starts[1:], len(struck))
    ends = np.minimum(silent[np.searchsorted(silent, starts)], nexts)
    ends = np.minimum(np.maximum(ends, starts + SHORTEST_NOTE), nexts)
    sung_through = nexts - ends < SHORTEST_REST
    return np.stack([starts, np.where(sung_through, nexts, ends)], axis=1)


def close_phrase(times: np.ndarray, bar: int, final: bool) -> np.ndarray:
    """Times [n, 2] of a phrase whose last bar begins at step `bar`: its last note begins in the first half of that bar and is
    held, to the end of it if the melody is `final`.
    """
    start = times[:, 0]
    inside = (start >= (bar if final else bar - STEPS_PER_BEAT)) & (start <= bar + LAST_CLOSE)
    last = int(start[inside][-1]) if inside.any() else bar
    if final and (last - bar) % STEPS_PER_BEAT:  # a melody ends on a beat
        last = max(bar, last // STEPS_PER_BEAT * STEPS_PER_BEAT)
    kept = times[start < last].copy()
    kept[:, 1] = np.minimum(kept[:, 1], last)
    end = bar + BAR_STEPS
    if not final:  # a breath, unless the next phrase has a pickup
        end = (
            max(last + SHORTEST_CLOSE, end - STEPS_PER_BEAT) if last + SHORTEST_CLOSE < end else end
        )
    after = times[start >= bar + BAR_STEPS]
    return np.concatenate([kept, [[last, end]], after])


def give_pitches(
    times: np.ndarray,
    onset: np.ndarray,
    plan: np.ndarray,
    tonic: int | None = None,
    before: int | None = None,
) -> np.ndarray:
    """Notes [n, 3] for times [n, 2]. onset: [S, P] how likely each pitch is struck; plan: [S / 8] chords; tonic: the pitch class
    of the last note; before: the pitch sung before.
    """
    if not len(times):
        return np.zeros((0, 3), int)
    pitches = np.arange(LOWEST, HIGHEST + 1)
    steps, lengths = times[:, 0], times[:, 1] - times[:, 0]
    fit = np.log(onset[steps][:, pitches] + LIKELIEST)
    chord = (
        TRIADS[plan[np.minimum(steps // HALF_BAR_STEPS, len(plan) - 1)]][:, pitches % 12] > 0
    )  # [n, pitches]
    fit = (
        fit
        + LONG_NOTE * (lengths >= LONG)[:, None] * chord
        - FOREIGN * (~chord & ~SCALE[pitches % 12])
    )
    edge = np.minimum(pitches - LOWEST, HIGHEST - pitches)
    fit = fit - EDGE * np.maximum(EDGES - edge, 0)
    if tonic is not None:
        fit[-1] = np.where(pitches % 12 == tonic, 0.0, -1e6)  # whichever is near
    leap = pitches[None] - pitches[:, None]  # from, to
    wide = np.maximum(np.abs(leap) - THIRD, 0)
    move = np.where(np.abs(leap) <= OCTAVE, -REPEATED * (leap == 0) - LEAP * wide, -1e6)
    if before is not None:
        fit[0] = (
            fit[0]
            + np.where(np.abs(pitches - before) <= OCTAVE, 0.0, -1e3)
            - 0.1 * np.abs(pitches - before)
        )
    chosen = viterbi(fit, move - (np.diff(steps) == 1)[:, None, None] * (HURRIED - LEAP) * wide)
    sung = pitches[chosen]
    if tonic is not None and len(sung) > 1:
        tonics = pitches[pitches % 12 == tonic]
        sung[-1] = tonics[np.abs(tonics - sung[-2]).argmin()]
    return np.column_stack([sung, times])
