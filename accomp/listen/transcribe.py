"""Put the notes of a recording on beats: its transcription as a score."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from accomp.listen.beat_grid import BeatGrid, SungNote
from accomp.listen.beats import BeatSettings, check_given, find_beats
from accomp.listen.quantise import QuantiseSettings, quantise
from accomp.music.score import Score, is_compound
from accomp.music.timing import check_meter
from accomp.roll.grid import MELODY


@dataclass(frozen=True)
class TranscriptionSettings:
    """How notes become a score on beats."""

    beats: BeatSettings = BeatSettings()
    places: QuantiseSettings = QuantiseSettings()


class Click(NamedTuple):
    """The click that a recording was made to."""

    tempo: float  # beats per minute, of dotted quarters in compound meters
    first: float  # seconds in the recording at which some bar begins
    meter: tuple[int, int] = (4, 4)


@dataclass
class Transcription:
    """A recording as a melody.

    Attributes:
        score: One track on the places of the beat grid; its tempo map follows the recording.
        grid: The recording's pulses and bars.
        notes: As they were found, in seconds.
    """

    score: Score
    grid: BeatGrid
    notes: list[SungNote]

    @property
    def start(self) -> float:
        """Seconds in the recording at which beat 0 of the score lies."""
        return -self.grid.offset

    def start_of(self, song: Score) -> float:
        """Return `start` of a song made to this melody, which may have an introduction."""
        first, moved = self.score.tracks[0].notes[0].onset, song.tracks[MELODY].notes[0].onset
        return self.start - (song.seconds(moved) - self.score.seconds(first))


def grid_of(
    notes: list[SungNote],
    *,
    tempo: float | None = None,
    pace: float = 1.0,
    downbeat: float | None = None,
    meter: tuple[int, int] | None = None,
    click: Click | None = None,
    settings: BeatSettings = BeatSettings(),
) -> BeatGrid:
    """Find the beats of notes, except for what is known of them.

    With a click, tempo, meter and bars are the click's, except where they are corrected.

    Args:
        notes: Of a recording.
        tempo: Beats per minute, of dotted quarters in compound meters.
        pace: 0.5 for half and 2 for double the tempo that would be found.
        downbeat: Seconds at which some bar begins.
        meter: Numerator and denominator.
        click: The click that the recording was made to.
        settings: How beats are searched.

    Raises:
        MusicError: Something given is out of range, or the notes cannot be a melody's.
    """
    check_given(tempo, downbeat, meter, settings)
    if click:
        meter, downbeat = meter or click.meter, click.first if downbeat is None else downbeat
        check_meter(meter)
        if tempo is None and is_compound(*meter) == is_compound(*click.meter):
            click = Click(click.tempo * pace, downbeat, meter)
            return _regular(notes, click, settings.pulses.early)
        tempo = tempo or click.tempo * pace
    elif tempo is None and pace != 1:
        tempo = pace * find_beats(notes, meter=meter, settings=settings).tempo
    return find_beats(notes, tempo=tempo, downbeat=downbeat, meter=meter, settings=settings)


def _regular(notes: list[SungNote], click: Click, early: float) -> BeatGrid:
    """Return pulses of one length, from that of the first note to the one after the last."""
    start = math.floor((notes[0].onset - click.first) * click.tempo / 60 + early)
    end = math.ceil((max(note.offset for note in notes) - click.first) * click.tempo / 60) + 1
    grid = BeatGrid(click.first + np.arange(start, end + 1) * 60 / click.tempo, 0, click.meter)
    return replace(grid, phase=-start % grid.bar_pulses)


def on_beats(
    notes: list[SungNote], grid: BeatGrid, settings: QuantiseSettings = QuantiseSettings()
) -> Transcription:
    """Quantise notes on a grid."""
    score = quantise(notes, grid, settings)
    numerator, denominator = grid.meter
    downbeat = round(grid.downbeat, 2) + 0.0  # not -0.00
    score.notices = [
        f"found {len(notes)} notes at about {grid.tempo:.0f} beats a minute "
        f"in {numerator}/{denominator}, the first bar line at {downbeat:.2f} s"
    ]
    return Transcription(score, grid, notes)
