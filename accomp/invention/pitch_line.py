"""Turn what the piano VAE decodes into a line that a voice can sing.

The line has one note at a time, in the range of a voice, without wide leaps. The decoder says when
notes begin and how likely each pitch is. Of all ways to give those notes pitches the likeliest one
is taken, to which small intervals, the chords and the key contribute (the algorithm of Viterbi
1967).
Notes are [n, 3] int arrays of pitch, first step and end step, in the normal key (C major or A
minor). Letters: S steps, P pitches.
"""

from dataclasses import dataclass

import numpy as np

from accomp.roll.chord_plan import TRIADS, viterbi
from accomp.roll.grid import BAR_STEPS, HALF_BAR_STEPS, STEPS_PER_BEAT

SCALE = np.isin(np.arange(12), [0, 2, 4, 5, 7, 9, 11])
THIRD, OCTAVE = 4, 12  # semitones
IMPOSSIBLE = -1e6  # nats
FAR_START = -1e3  # nats against a first note more than an octave from the one before


@dataclass(frozen=True)
class PitchLineSettings:
    """What makes a line easy to sing. Weights are in nats; times in steps."""

    lowest: int = 57  # MIDI pitch of the voice in the normal key, A ...
    highest: int = 76  # ... to E: an octave and a half
    likeliest: float = 0.001  # added to each probability, which the decoder may be wrong about
    long_note: float = 0.3  # for a chord tone ...
    long: int = 4  # ... of a note of at least so many steps
    foreign: float = 8.0  # against a tone that is neither in the key nor in the chord
    edge: float = 0.3  # against each semitone nearer to the range's ends ...
    edges: int = 3  # ... than so many semitones
    repeated: float = 0.6  # against a note like the one before
    leap: float = 0.4  # against each semitone that an interval is wider than a third
    hurried: float = 0.8  # the same after a sixteenth
    start: float = 0.1  # against each semitone between the first note and the one before it
    shortest_rest: int = 3  # before the next note a shorter rest is sung through
    shortest_note: int = 2  # where the next note leaves the room
    shortest_close: int = 6  # of the last note of a phrase
    last_close: int = 8  # step of a bar on which a phrase's last note begins at the latest


SETTINGS = PitchLineSettings()


def rhythm(planes: np.ndarray, settings: PitchLineSettings = SETTINGS) -> np.ndarray:
    """Return first and end steps [n, 2] of the notes that planes [2, S, P] strike, any pitch."""
    struck, sounding = planes[0].any(1), planes[1].any(1)
    starts = np.flatnonzero(struck)
    silent = np.append(np.flatnonzero(~sounding), len(struck))
    nexts = np.append(starts[1:], len(struck))
    ends = np.minimum(silent[np.searchsorted(silent, starts)], nexts)
    ends = np.minimum(np.maximum(ends, starts + settings.shortest_note), nexts)
    sung_through = nexts - ends < settings.shortest_rest
    return np.stack([starts, np.where(sung_through, nexts, ends)], axis=1)


def close_phrase(
    times: np.ndarray, bar: int, final: bool, settings: PitchLineSettings = SETTINGS
) -> np.ndarray:
    """Let a phrase end: its last note begins in the first half of its last bar and is held.

    Args:
        times: [n, 2] first and end steps of notes.
        bar: step at which the phrase's last bar begins.
        final: whether the melody ends with it; then the note is held to the end of the bar.
        settings: the shortest last note.

    Returns:
        [n, 2] times.
    """
    start = times[:, 0]
    inside = (start >= (bar if final else bar - STEPS_PER_BEAT)) & (
        start <= bar + settings.last_close
    )
    last = int(start[inside][-1]) if inside.any() else bar
    if final and (last - bar) % STEPS_PER_BEAT:  # a melody ends on a beat
        last = max(bar, last // STEPS_PER_BEAT * STEPS_PER_BEAT)
    kept = times[start < last].copy()
    kept[:, 1] = np.minimum(kept[:, 1], last)
    end = bar + BAR_STEPS
    if not final:  # a breath, unless the next phrase has a pickup
        end = (
            max(last + settings.shortest_close, end - STEPS_PER_BEAT)
            if last + settings.shortest_close < end
            else end
        )
    after = times[start >= bar + BAR_STEPS]
    return np.concatenate([kept, [[last, end]], after])


def give_pitches(
    times: np.ndarray,
    onset: np.ndarray,
    plan: np.ndarray,
    tonic: int | None = None,
    before: int | None = None,
    settings: PitchLineSettings = SETTINGS,
) -> np.ndarray:
    """Give notes their pitches.

    Args:
        times: [n, 2] first and end steps.
        onset: [S, 128] how likely each pitch is struck.
        plan: [S / 8] chords.
        tonic: the pitch class of the last note.
        before: the pitch before the first note.
        settings: what makes a line easy to sing.

    Returns:
        [n, 3] notes.
    """
    if not len(times):
        return np.zeros((0, 3), int)
    pitches = np.arange(settings.lowest, settings.highest + 1)
    steps = times[:, 0]
    fit = _fit(times, onset, plan, pitches, settings)
    if tonic is not None:
        fit[-1] = np.where(pitches % 12 == tonic, 0.0, IMPOSSIBLE)  # whichever is near
    leap = pitches[None] - pitches[:, None]  # from, to
    wide = np.maximum(np.abs(leap) - THIRD, 0)
    against = -settings.repeated * (leap == 0) - settings.leap * wide
    move = np.where(np.abs(leap) <= OCTAVE, against, IMPOSSIBLE)
    if before is not None:
        away = np.abs(pitches - before)
        fit[0] = fit[0] + np.where(away <= OCTAVE, 0.0, FAR_START) - settings.start * away
    after_sixteenth = (np.diff(steps) == 1)[:, None, None]
    chosen = viterbi(fit, move - after_sixteenth * (settings.hurried - settings.leap) * wide)
    line = pitches[chosen]
    if tonic is not None and len(line) > 1:
        tonics = pitches[pitches % 12 == tonic]
        line[-1] = tonics[np.abs(tonics - line[-2]).argmin()]
    return np.column_stack([line, times])


def _fit(
    times: np.ndarray,
    onset: np.ndarray,
    plan: np.ndarray,
    pitches: np.ndarray,
    settings: PitchLineSettings,
) -> np.ndarray:
    """Return how well each pitch fits each note by itself, [n, pitches] nats."""
    steps, lengths = times[:, 0], times[:, 1] - times[:, 0]
    fit = np.log(onset[steps][:, pitches] + settings.likeliest)
    half_bars = np.minimum(steps // HALF_BAR_STEPS, len(plan) - 1)
    in_chord = TRIADS[plan[half_bars]][:, pitches % 12] > 0
    long_notes = settings.long_note * (lengths >= settings.long)[:, None] * in_chord
    fit = fit + long_notes - settings.foreign * (~in_chord & ~SCALE[pitches % 12])
    edge = np.minimum(pitches - settings.lowest, settings.highest - pitches)
    return fit - settings.edge * np.maximum(settings.edges - edge, 0)
