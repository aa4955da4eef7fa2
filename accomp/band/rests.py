"""Leave long rests of a melody out before a band is made, and put them back into the song.

So a band costs what its melody's playing costs, however long the silence between is. The band plays
on through rests as songs have them; in longer ones it rests, too.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from accomp.music.score import (
    Chord,
    Control,
    KeySignature,
    Score,
    Tempo,
    TimeSignature,
    Track,
)
from accomp.music.timing import delayed
from accomp.roll.grid import MELODY

Event = TypeVar("Event", Chord, Control, KeySignature, Tempo, TimeSignature)


@dataclass(frozen=True)
class RestSettings:
    """Which rests are left out."""

    longest: int = 32  # bars through which a band plays on: a solo of two choruses of 16 bars
    beside: int = 4  # bars for which it plays on after the melody in a longer one, and before it
    phrase: int = 4  # bars; whole phrases are left out, so that those after it stay where they were
    early: float = 0.2  # beats by which a player may be early: notes so near belong to what follows


@dataclass(frozen=True)
class Rests:
    """Long rests of a melody.

    Attributes:
        melody: its score.
        track: the melody's index in it.
        spans: what is left out, each as its first beat and the beat after it, at bar lines.
        settings: which rests are left out.
    """

    melody: Score
    track: int
    spans: tuple[tuple[float, float], ...] = ()
    settings: RestSettings = RestSettings()

    @classmethod
    def of(cls, melody: Score, track: int, settings: RestSettings = RestSettings()) -> "Rests":
        """Find the long rests of a melody.

        Args:
            melody: its score.
            track: the melody's index in it.
            settings: which rests are left out.
        """
        notes = sorted(melody.tracks[track].notes, key=lambda note: note.onset)
        lines = np.array([bar.onset for bar in melody.bars(melody.tracks[track].end)])
        spans, sounding = [], notes[0].end if notes else 0.0
        for note in notes:
            first = int(np.searchsorted(lines, sounding - 1e-6))
            last = int(np.searchsorted(lines, note.onset + 1e-6, "right")) - 1
            if last - first > settings.longest:
                first += settings.beside
                count = (last - settings.beside - first) // settings.phrase * settings.phrase
                spans.append((float(lines[first]), float(lines[first + count])))
            sounding = max(sounding, note.end)
        return cls(melody, track, tuple(spans), settings)

    @property
    def notices(self) -> list[str]:
        """What the user should know of the rests, in words."""
        if not self.spans:
            return []
        beats = ", ".join(f"{begin:g} to {end:g}" for begin, end in self.spans[:3])
        more = ", and so on" if len(self.spans) > 3 else ""
        return [f"where the melody rests for very long, the band does, too (beats {beats}{more})"]

    def folded(self) -> Score:
        """Return the melody's score without the long rests."""
        if not self.spans:
            return self.melody
        score = self.melody
        return replace(
            score,
            tracks=[self._folded_track(track) for track in score.tracks],
            tempos=self._folded(score.tempos),
            meters=self._folded(score.meters),
            key_signatures=self._folded(score.key_signatures),
            chords=self._folded(score.chords),
        )

    def unfolded(self, song: Score, delay: float = 0.0) -> Score:
        """Return a song that was made of the folded melody with its rests again.

        Args:
            song: the band, in the order of TRACKS.
            delay: beats by which the melody is later in it, for an introduction.
        """
        if not self.spans:
            return song
        whole = delayed(self.melody, delay) if delay else self.melody
        given = whole.tracks[self.track]
        tracks = [self._unfolded_track(track, delay) for track in song.tracks]
        tracks[MELODY] = replace(
            tracks[MELODY], notes=list(given.notes), controls=list(given.controls)
        )
        return replace(
            song,
            tracks=tracks,
            tempos=list(whole.tempos),
            meters=list(whole.meters),
            key_signatures=self.later(song.key_signatures, delay),
            chords=self.later(song.chords, delay),
        )

    def later(self, events: Sequence[Event], delay: float = 0.0) -> list[Event]:
        """Return what lies in the folded time at its place in the whole one."""
        return [event._replace(onset=self._later(event.onset, delay)) for event in events]

    def _later(self, beat: float, delay: float, early: float = 0.0) -> float:
        beat += early
        for begin, end in self.spans:
            if beat < begin + delay - 1e-6:
                break
            beat += end - begin
        return beat - early

    def _unfolded_track(self, track: Track, delay: float) -> Track:
        early = self.settings.early
        notes = [n._replace(onset=self._later(n.onset, delay, early)) for n in track.notes]
        return replace(track, notes=notes, controls=self.later(track.controls, delay))

    def _folded(self, events: Sequence[Event]) -> list[Event]:
        """Return events in the folded time; of those in a rest the last, where it begins."""
        found: dict[float, Event] = {}
        for event in events:
            beat = self._earlier(event.onset)
            found[beat] = event._replace(onset=beat)
        return list(found.values())

    def _folded_track(self, track: Track) -> Track:
        notes = [
            note._replace(onset=self._earlier(note.onset))
            for note in track.notes
            if not self._is_left_out(note.onset)
        ]
        controls = [each._replace(onset=self._earlier(each.onset)) for each in track.controls]
        return replace(track, notes=notes, controls=controls)

    def _is_left_out(self, beat: float) -> bool:
        place = bisect_right(self.spans, (beat, np.inf)) - 1
        return place >= 0 and beat < self.spans[place][1]

    def _earlier(self, beat: float) -> float:
        """Return where a beat lies in the folded time."""
        place = bisect_right(self.spans, (beat, np.inf))
        return beat - sum(min(beat, end) - begin for begin, end in self.spans[:place])
