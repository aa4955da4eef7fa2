"""Another take: some tracks of an earlier result, or all but some of its bars, stay note for note; the rest is made anew, by
models that hear what stays.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from accomp.band.lead import Lead
from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Note, Score
from accomp.roll import chord_plan as chords
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, HALF_BAR_STEPS, MELODY, TRACK_NAMES
from accomp.roll.parts import part_planes

CLICK = 0.25  # beats: clicks of a count-in come longer before the first bar, or as long in meters of sixteenths


@dataclass
class Retake:
    """take: the earlier result; kept: tracks that stay whole; first, last: the steps from and up to which the others are made
    anew.
    """

    take: Score
    kept: frozenset[int]
    first: int
    last: int

    @classmethod
    def of(
        cls, take: Score, keep: Collection[str], span: tuple[float, float] | None, lead: Lead
    ) -> "Retake":
        """keep: names of tracks; span: beats of the song, else all. Raises MusicError where `take` is no result for this melody,
        a name is unknown, or there is nothing in the span.
        """
        if [track.name for track in take.tracks] != list(TRACK_NAMES) or take.tracks[
            MELODY
        ].notes != lead.track.notes:
            raise MusicError(
                "the earlier take is not one of this melody with this introduction; accepted: a result for both"
            )
        unknown = set(keep) - set(TRACK_NAMES)
        if unknown:
            raise MusicError(
                f"there is no track {sorted(unknown)[0]!r} to keep; accepted: {', '.join(TRACK_NAMES)}"
            )
        first, last = 0, lead.grid.steps
        if span:
            first, last = (int(step) for step in lead.grid.nearest_step(np.array(span, float)))
            if not first < min(last, lead.end):
                raise MusicError(
                    f"nothing of the song lies from beat {span[0]:g} to {span[1]:g}; it ends at {take.end:g}"
                )
            last = lead.grid.steps if last >= lead.end else last
        return cls(take, frozenset(TRACK_NAMES.index(name) for name in keep), first, last)

    def blocks(self, lead: Lead) -> np.ndarray:
        """[tracks, B] bool: which blocks keep the latents of what was played."""
        block = np.arange(lead.grid.blocks)
        outside = (block < self.first // BLOCK_STEPS) | (block >= -(-self.last // BLOCK_STEPS))
        return np.array([outside | (track in self.kept) for track in range(len(TRACK_NAMES))])

    def plan(self, given: list[ChordSymbol], score: Score, lead: Lead) -> list[ChordSymbol]:
        """Chords [H] that were given anew, where something is made anew; elsewhere those of the earlier take sound on."""
        if not self.take.chords:
            return given
        earlier, _ = chords.symbols_on_grid(self.take.chords, score, lead.track, lead.grid)
        starts = range(0, lead.grid.steps, HALF_BAR_STEPS)
        return [
            new
            if self.first < start + HALF_BAR_STEPS and start < self.last
            else old.transposed(-lead.shift)
            for new, old, start in zip(given, earlier, starts)
        ]

    def heard(self, lead: Lead) -> dict[int, np.ndarray]:
        """By track, blocks [B, 2, 32, 128] of the earlier take as the models see them."""
        grid, shift = lead.grid, lead.shift
        return {
            track: pianoroll.to_blocks(
                part_planes(self.take.tracks[track].notes, track, shift, grid)
            )
            for track in ACCOMPANIMENT
        }

    def splice(self, track: int, played: list[Note], lead: Lead) -> list[Note]:
        """A track's notes: those of the earlier take, but within the span what is played anew. A note is where it is meant to
        be, on its nearest step: players are a little early or late.
        """
        beats = lead.grid.beats
        old = [note for note in self.take.tracks[track].notes if note.onset > beats[0] - CLICK]
        if track in self.kept:
            return old
        places = [int(lead.grid.nearest_step(note.onset)) for note in old]
        before = [note for note, step in zip(old, places) if step < self.first]
        after = [note for note, step in zip(old, places) if step >= self.last]
        inside = [
            note for note in played if self.first <= lead.grid.nearest_step(note.onset) < self.last
        ]
        return (
            _cut(before, beats[self.first])
            + (_cut(inside, beats[self.last]) if after else inside)
            + after
        )


def _cut(notes: list[Note], end: float) -> list[Note]:
    """Notes that end at beat `end` at the latest, before which all of them begin."""
    return [note._replace(duration=float(min(note.duration, end - note.onset))) for note in notes]
