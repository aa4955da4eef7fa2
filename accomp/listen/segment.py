"""Cut a recording into notes of one pitch each: the cheapest way to do so.

A note costs something where it begins, less where it seems to begin, and in each frame that is off
its pitch or where nobody seems to sing. Where somebody does, a frame earns something, so what is
left out costs nothing. The cheapest notes are found exactly, by dynamic programming over frames and
pitches, as SwiftF0's `segment_notes` does (swift-f0.github.io/how), to which the price of an onset
is new.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class SegmentSettings:
    """How exact pitches are."""

    step: float = 0.1  # semitones between the pitches that a note may have
    farthest: float = 2.0  # semitones beyond which being off costs no more
    least: float = 0.05  # weight of a frame from which its pitch may be a note's


class Segment(NamedTuple):
    """A note, in frames."""

    begin: int
    end: int
    pitch: float  # semitones


def cheapest_notes(
    pitch: np.ndarray,
    weight: np.ndarray,
    cost: np.ndarray,
    begin: np.ndarray,
    settings: SegmentSettings = SegmentSettings(),
) -> list[Segment]:
    """Find the notes that cost least.

    Args:
        pitch: [T] semitones.
        weight: [T] what a semitone off the note's pitch costs in a frame.
        cost: [T] what a frame of a note costs besides; less than 0 where somebody sings.
        begin: [T] what it costs to begin a note, more than 0.
        settings: How exact pitches are.
    """
    at = np.round(pitch / settings.step)
    pitches = np.unique(at[weight >= settings.least]) * settings.step
    if not len(pitches):
        return []
    total = np.full(len(pitches), np.inf)  # of all until now, with a note of each pitch at the end
    since = np.zeros(len(pitches), int)  # the frame where that note began
    best = 0.0
    origin, chosen = np.arange(-1, len(pitch)), np.full(len(pitch) + 1, -1)
    for frame in range(len(pitch)):
        new = best + begin[frame]
        since[total > new] = frame
        np.minimum(total, new, out=total)
        off = np.minimum(np.abs(pitches - pitch[frame]), settings.farthest)
        total += weight[frame] * off + cost[frame]
        cheapest = int(total.argmin())
        if total[cheapest] < best:
            best = float(total[cheapest])
            origin[frame + 1], chosen[frame + 1] = since[cheapest], cheapest
    notes = []
    end = len(pitch)
    while end > 0:
        if chosen[end] >= 0:
            notes.append(Segment(int(origin[end]), end, float(pitches[chosen[end]])))
        end = int(origin[end])
    return notes[::-1]
