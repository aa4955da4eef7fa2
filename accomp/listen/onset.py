"""Place a note's onset more exactly than one measure alone can.

Three measures say where a note begins, each with errors of its own: the network that hears notes
begin, the level, and the pitch. Their mean errs least.
"""

from dataclasses import dataclass

import numpy as np

from accomp.listen.frames import Frames
from accomp.listen.segment import Segment


@dataclass(frozen=True)
class OnsetSettings:
    """How the measures are taken, and what each of them counts.

    Chosen on recordings of people whose onsets others wrote down (train.eval.hearing).
    """

    reach: int = 12  # frames before and after where a note begins in which its onset is looked for
    bump: int = 8  # frames before and after the likeliest one that count
    softer: float = 6.0  # dB below the note's median that are loud enough
    near: float = 0.6  # semitones off the note's pitch that are near enough
    level: float = 0.15  # what the level counts, of 1
    pitch: float = 0.1  # what the pitch counts; the rest is the network's
    later: float = 1.5  # frames by which people mark onsets later
    farthest: float = 6.0  # frames by which an onset is moved at most


def onset_of(
    note: Segment, frames: Frames, struck: np.ndarray, settings: OnsetSettings = OnsetSettings()
) -> float:
    """Return the frame, with a fraction, where a note begins.

    Args:
        note: As it was found.
        frames: Of the recording.
        struck: [T] probability that a note begins.
        settings: What counts.
    """
    first = max(note.begin - settings.reach, 0)
    last = max(min(note.begin + settings.reach, note.end - 1), first + 1)
    peak = first + int(struck[first : last + 1].argmax())
    around = np.arange(max(peak - settings.bump, 0), min(peak + settings.bump + 1, len(struck)))
    likely = struck[around] + 1e-6
    heard = float((around * likely).sum() / likely.sum())
    inside = min(note.begin + settings.reach, (note.begin + note.end) // 2)
    level = frames.level[first : inside + 1]
    is_loud = level > np.median(frames.level[note.begin : note.end]) - settings.softer
    is_near = np.abs(frames.pitch[first : inside + 1] - note.pitch) < settings.near
    found = (
        (1 - settings.level - settings.pitch) * heard
        + settings.level * (first + _since(is_loud))
        + settings.pitch * (first + _since(is_near))
        + settings.later
    )
    low, high = note.begin - settings.farthest, min(note.begin + settings.farthest, note.end - 2)
    return float(np.clip(found, max(low, 0), max(high, low, 0)))


def _since(holds: np.ndarray) -> int:
    """Return the first index from which on all hold to the end; the last where it does not."""
    broken = np.flatnonzero(~holds[:-1])
    return int(broken[-1]) + 1 if len(broken) else 0
