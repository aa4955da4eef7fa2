"""How a guitar is played in a block: strummed, arpeggiated, in double stops, as a line, or held."""

from dataclasses import dataclass

import numpy as np

HELD, STRUMMED, ARPEGGIATED, DOUBLE, LINE = KINDS = (
    "held",
    "strummed",
    "arpeggiated",
    "double stops",
    "line",
)


@dataclass(frozen=True)
class PickingSettings:
    """What tells the kinds apart."""

    chord: int = 3  # notes struck together from which it is a chord
    held: float = 4.0  # steps; the mean length from which chords are held, and
    few: int = 4  # the most strokes in two bars
    broken: float = 3.0  # semitones; the mean leap from which single notes are a broken chord
    ringing: float = 1.5  # notes sounding together, on the mean, from which it is one, too


def kind_of(planes: np.ndarray, settings: PickingSettings = PickingSettings()) -> str | None:
    """Return how a block is played, of KINDS; None where it is silent.

    Args:
        planes: [2, 32, 128] onset and sustain.
        settings: What tells the kinds apart.
    """
    sizes = planes[0].sum(1, dtype=int)
    strokes = np.flatnonzero(sizes)
    if not len(strokes):
        return None
    chords = (sizes[strokes] >= settings.chord).mean()
    if chords >= 0.5:
        length = planes[1].sum() / planes[0].sum()
        is_held = len(strokes) <= settings.few and length >= settings.held
        return HELD if is_held else STRUMMED
    if (sizes[strokes] == 1).mean() < 0.5:
        return DOUBLE
    tops = planes[0][strokes].shape[1] - 1 - planes[0][strokes][:, ::-1].argmax(1)
    leap = np.abs(np.diff(tops)).mean() if len(tops) > 1 else 0.0
    sounding = planes[1].sum(1, dtype=int)
    ringing = sounding[sounding > 0].mean()
    is_broken = leap >= settings.broken or ringing >= settings.ringing
    return ARPEGGIATED if is_broken else LINE
