"""Splice newly made parts with what stays of an earlier result, note for note.

The models take what stays as input, so that the rest fits it.
Letters: B blocks, H half bars of the song.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import Options, Redo
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Note, Score
from accomp.roll import pianoroll
from accomp.roll.chord_plan import symbols_on_grid
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, HALF_BAR_STEPS, MELODY, TRACK_NAMES
from accomp.roll.parts import part_planes

# Beats: a count-in's clicks lie further before the first bar, or as far in meters of sixteenths;
# a player's first note is at most so much early.
CLICK = 0.25


@dataclass
class Retake:
    """A Redo on the grid of its melody.

    Attributes:
        earlier: the earlier result.
        kept: tracks that stay whole.
        first: the step from which the other tracks are made again.
        last: the step up to which they are, exclusive.
        busy: how many notes the other tracks shall have there, 0 to 1; None for as many as come.
        high: where in their registers they shall play, 0 to 1; None for where they would.
    """

    earlier: Score
    kept: frozenset[int]
    first: int
    last: int
    busy: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, redo: Redo, lead: Lead) -> "Retake":
        """Lay a Redo on the grid of a melody.

        Raises:
            MusicError: the earlier result is not one of this melody, or nothing is in the span.
        """
        earlier, span = redo.earlier, redo.span
        is_band = [track.name for track in earlier.tracks] == list(TRACK_NAMES)
        if not is_band or earlier.tracks[MELODY].notes != lead.track.notes:
            raise MusicError(
                "the earlier take is not one of this melody with this introduction; "
                "accepted: a result for both"
            )
        first, last = 0, lead.grid.steps
        if span:
            first, last = (int(step) for step in lead.grid.nearest_step(np.array(span, float)))
            if not first < min(last, lead.end):
                raise MusicError(
                    f"nothing of the song lies from beat {span[0]:g} to {span[1]:g}; "
                    f"it ends at {earlier.end:g}"
                )
            last = lead.grid.steps if last >= lead.end else last
        kept = frozenset(TRACK_NAMES.index(name) for name in redo.keep)
        return cls(earlier, kept, first, last, redo.busy, redo.high)

    def kept_blocks(self, lead: Lead) -> np.ndarray:
        """Return which blocks keep the latents of what was played, [tracks, B] bool."""
        block = np.arange(lead.grid.blocks)
        outside = self._outside(block)
        return np.array([outside | (track in self.kept) for track in range(len(TRACK_NAMES))])

    def _outside(self, blocks: np.ndarray) -> np.ndarray:
        """Tell which blocks have nothing of the span."""
        return (blocks < self.first // BLOCK_STEPS) | (blocks >= -(-self.last // BLOCK_STEPS))

    def chords(self, given: list[ChordSymbol], score: Score, lead: Lead) -> list[ChordSymbol]:
        """Return given chords [H] within the span, and those of the earlier result elsewhere."""
        if not self.earlier.chords:
            return given
        earlier, _ = symbols_on_grid(self.earlier.chords, score, lead.track, lead.grid)
        starts = range(0, lead.grid.steps, HALF_BAR_STEPS)
        return [
            new
            if self.first < start + HALF_BAR_STEPS and start < self.last
            else old.transposed(-lead.shift)
            for new, old, start in zip(given, earlier, starts)
        ]

    def playing(self, form: Form) -> Form:
        """Return a form in which nobody rests in bars that are made anew: they are to be played.

        Of a whole song that is made anew the rests stay.
        """
        blocks = np.arange(len(form.source))
        if self.first <= 0 and self.last >= len(blocks) * BLOCK_STEPS:
            return form
        outside = self._outside(blocks)
        return replace(form, rests={t: rests & outside for t, rests in form.rests.items()})

    def kept_latents(
        self, model: BandModel, lead: Lead, plan: Tensor
    ) -> dict[tuple[int, int], Tensor]:
        """Encode what stays: by track and block, latents and flags [K + 1]. plan: [B, 4]."""
        stays, kept = self.kept_blocks(lead), {}
        for track in ACCOMPANIMENT:
            notes = self.earlier.tracks[track].notes
            blocks = pianoroll.to_blocks(part_planes(notes, track, lead.shift, lead.grid))
            latents = model.encode(track, torch.from_numpy(blocks).to(model.device), plan)
            kept |= {(track, block): latents[block] for block in np.flatnonzero(stays[track])}
        return kept

    def splice(self, track: int, played: list[Note], lead: Lead) -> list[Note]:
        """Return a track's notes: the new ones within the span, the earlier ones elsewhere.

        A note counts by its nearest step, because players are a little early or late.
        """
        beats, nearest = lead.grid.beats, lead.grid.nearest_step
        old = [note for note in self.earlier.tracks[track].notes if note.onset > beats[0] - CLICK]
        if track in self.kept:
            return old
        places = [int(nearest(note.onset)) for note in old]
        before = [note for note, step in zip(old, places) if step < self.first]
        after = [note for note, step in zip(old, places) if step >= self.last]
        inside = [note for note in played if self.first <= nearest(note.onset) < self.last]
        if after:
            inside = _cut(inside, beats[self.last])
        return _cut(before, beats[self.first]) + inside + after


def kept_latents(
    model: BandModel, lead: Lead, plan: Tensor, options: Options, retake: Retake | None
) -> dict[tuple[int, int], Tensor]:
    """Return the latents and flags [K + 1] that are not to be chosen, by track and block.

    They are those of what stays of an earlier result, and zeros for players who are silent.

    Args:
        model: the genre's networks.
        lead: the melody.
        plan: [B, 4] chords.
        options: which instruments play.
        retake: what stays of an earlier result; None for nothing.
    """
    kept = retake.kept_latents(model, lead, plan) if retake else {}
    for track in options.silent:
        nothing = torch.zeros(model.vae(track).config.latent + 1, device=model.device)
        kept |= {(track, block): nothing for block in range(lead.grid.blocks)}
    return kept


def _cut(notes: list[Note], end: float) -> list[Note]:
    """End notes at beat `end` at the latest; all of them begin before it."""
    return [note._replace(duration=float(min(note.duration, end - note.onset))) for note in notes]
