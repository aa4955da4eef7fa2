"""Other systems, trained on the same songs and measured in the same way, for comparison.

Each is a class with `play(planes, seed)`: from melody planes [2, S, 128] to the band's planes by
track, [2, S, 128] each, both in the melody's normal key. `accompany` makes a Score of that, as
Accompanist.accompany does.
"""

from typing import Protocol

import numpy as np

from accomp.band import arrange
from accomp.band.lead import Lead
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, DRUMS, MELODY, TRACKS

VELOCITY = 80  # none of them has dynamics


class Rival(Protocol):
    """A system that plays a band to a melody."""

    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """Return the band's planes by track for a melody's planes."""
        ...


def accompany(
    rival: Rival, score: Score, *, seed: int = 0, melody_track: int | None = None
) -> Score:
    """Return the melody of a score with what a rival plays to it, cut at the melody's end.

    Args:
        rival: Plays.
        score: Has the melody.
        seed: The same seed gives the same music.
        melody_track: The number of its track; by default it is found.
    """
    lead = Lead.of(score, melody_track)
    band = rival.play(lead.planes, seed)
    tracks = [Track(spec.name, spec.program, track == DRUMS) for track, spec in enumerate(TRACKS)]
    tracks[MELODY].notes = list(lead.track.notes)
    for track in ACCOMPANIMENT:
        notes = pianoroll.from_planes(band[track])
        notes = notes[notes[:, 1] < lead.end]
        notes[:, 2] = np.minimum(notes[:, 2], lead.end)
        notes = notes if track == DRUMS else arrange.in_range(notes, lead.shift, track)
        tracks[track].notes = pianoroll.in_beats(notes, lead.grid, VELOCITY)
    return Score(tracks, list(score.tempos), list(score.meters), score.resolution)


def planes_of_sounding(sounding: np.ndarray) -> np.ndarray:
    """Return planes [2, S, 128] uint8 of what sounds [S, 128], struck where it begins."""
    sounding = sounding.astype(np.uint8)
    return np.stack([np.diff(sounding, axis=0, prepend=0) == 1, sounding]).astype(np.uint8)
