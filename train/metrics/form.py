"""Measures of form: likeness of bars within a section, and how a band ends."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accomp.music.score import Note, Score, Track
from accomp.roll.grid import MELODY
from train.metrics.spans import mean, ratio

ROUNDING = 1e-6  # beats that a time read from a file may be off


def structure(similarity: np.ndarray, labels: Sequence[Hashable]) -> float:
    """Measure how much more alike bars of one label are than all bars; 1 is no structure.

    ILS of AccoMontage-3 (Zhao et al. 2023), from the similarity [N, N] of bars (there of their
    rhythm encoder's latents) and the labels [N] of their phrases. With i != j throughout,

        mean of similarity[i, j] where labels[i] = labels[j]  /  mean of similarity[i, j]

    Two bars of one phrase count as two bars of the same label. nan if no two bars share a label.
    """
    number: dict[Hashable, int] = {}
    index = np.array([number.setdefault(label, len(number)) for label in labels], int)
    different = ~np.eye(len(index), dtype=bool)
    alike = (index[:, None] == index[None]) & different
    return ratio(mean(similarity[alike]), mean(similarity[different]))


class Ending(NamedTuple):
    """Whether a band ends as one, judged by the tracks that sound in the last bars.

    Attributes:
        sounding: Each pitched one sounds at the end.
        together: All, drums too, strike their last note together.
        held: Each pitched one holds a note struck then.
        on_tonic: The lowest pitch that sounds at the end, the melody's included, is the tonic.
    """

    sounding: bool
    together: bool
    held: bool
    on_tonic: bool


@dataclass(frozen=True)
class EndingSettings:
    """What counts as an ending."""

    bars: int = 4  # the last bars: a track that rests in all of them is not asked to end
    together: float = 1 / 8  # beats; a strummed chord takes less than a thirty-second
    held: float = 1.0  # beats; a shorter last note is not held


def ends_together(
    score: Score, tonic: int, melody: int = MELODY, settings: EndingSettings = EndingSettings()
) -> Ending:
    """Measure whether the accompaniment of a score ends as one.

    The end is that of the last note, give or take a thirty-second.

    Args:
        score: A band.
        tonic: Pitch class of the key.
        melody: Index of the melody's track; all others are the accompaniment.
        settings: What counts as an ending.

    Returns:
        All False if no pitched accompaniment plays in the last bars.
    """
    end = score.end
    start = score.bars(end)[-settings.bars :][0].onset
    tracks = {
        index: track
        for index, track in enumerate(score.tracks)
        if any(note.end > start for note in track.notes)
    }
    band = [track for index, track in tracks.items() if index != melody]
    pitched = [track for track in band if not track.is_drum]
    if not pitched:
        return Ending(False, False, False, False)
    last = [max(note.onset for note in track.notes) for track in band]
    lasting = [
        note
        for track in tracks.values()
        if not track.is_drum
        for note in track.notes
        if _at_end(note.end, end, settings)
    ]
    return Ending(
        sounding=all(_at_end(track.end, end, settings) for track in pitched),
        together=max(last) - min(last) <= settings.together + ROUNDING,
        held=all(_is_held(track, settings) for track in pitched),
        on_tonic=bool(lasting) and min(note.pitch for note in lasting) % 12 == tonic,
    )


def _at_end(time: float, end: float, settings: EndingSettings) -> bool:
    return time >= end - settings.together - ROUNDING


def _is_held(track: Track, settings: EndingSettings) -> bool:
    """Tell whether a note that is struck with the track's last one is held."""
    last = max(note.onset for note in track.notes)

    def holds(note: Note) -> bool:
        is_last = note.onset >= last - settings.together - ROUNDING
        return is_last and note.duration >= settings.held - ROUNDING

    return any(holds(note) for note in track.notes)
