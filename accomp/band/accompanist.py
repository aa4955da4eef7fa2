"""Accompanist: the way from a melody to a band, stage by stage.

Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music
Generation".
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from accomp.band.chord_choices import Alternative, PlannedChords, alternatives, planned
from accomp.band.chords import check_model_knows_chords, choose_chords
from accomp.band.form import Form, FormSettings
from accomp.band.generate import Latents, choose_fills, choose_latents
from accomp.band.intro import make_room
from accomp.band.lead import Lead
from accomp.band.line_up import lined_up
from accomp.band.options import SEED, Options, Redo
from accomp.band.perform import perform
from accomp.band.refill import Refill, with_levels_of
from accomp.band.rests import Rests
from accomp.band.retake import Retake, kept_latents
from accomp.band.returns import returning_places
from accomp.band.second_guitar import with_second_guitar
from accomp.band.sketch import Sketch, plan_tensor
from accomp.band.song_form import draw_song_form
from accomp.band.streams import Streams
from accomp.band.style import StylePath
from accomp.band.style_library import load_styles
from accomp.band.wishes import busier
from accomp.models import song_vae
from accomp.models.band_model import BandModel
from accomp.music.melody_track import melody_index, melody_name
from accomp.music.melody_turns import with_whole_melody
from accomp.music.score import Chord, Score
from accomp.roll import pianoroll


class Accompanist(BandModel):
    """One genre's models. `from_pretrained(source)` loads them, `accompany(melody)` uses them."""

    def accompany(
        self, melody: Score, options: Options = Options(), *, redo: Redo | None = None, **changes
    ) -> Score:
        """Give a melody a band.

        `accompany(melody, seed=3)` is short for `accompany(melody, Options(seed=3))`.

        Args:
            melody: a score with a melody.
            options: how the band is made.
            redo: an earlier result, and which part of it is made again.
            **changes: fields of Options that replace those of `options`.

        Returns:
            Five tracks in the order of TRACKS. The piano plays the melody's very notes.

        Raises:
            MusicError: there is no melody, or an option is out of range.
        """
        return self.perform(self.sketch(melody, options, redo=redo, **changes))

    def refill(
        self, melody: Score, song: Score, refill: Refill, options: Options = Options(), **changes
    ) -> Score:
        """Make some bars of some players anew; all else of a song stays, note for note.

        The models hear what stays. Notes of these players that ring into the bars end there.

        Args:
            melody: the score that the song was made of.
            song: an earlier result for it, with the same introduction.
            refill: which bars, whose, and what they shall be like.
            options: how the song was made.
            **changes: fields of Options that replace those of `options`.

        Raises:
            MusicError: the song is not one of this melody, or there are no such bars.
        """
        options = replace(options, **changes)
        seed = (options.seed + 1) % (int(SEED.high) + 1) if refill.seed is None else refill.seed
        options = replace(options, seed=seed, chords=refill.chords_of(song) or "planned")
        made = self.perform(self.sketch(melody, options, redo=refill.redo(song)))
        return with_levels_of(song, made, refill)

    @torch.no_grad()
    def sketch(
        self, melody: Score, options: Options = Options(), *, redo: Redo | None = None, **changes
    ) -> Sketch:
        """Decide all that a band will play, as latents that can be blended and explored.

        The arguments are those of `accompany`.
        """
        options = replace(options, **changes)
        check_model_knows_chords(self, options)
        options = _with_melody_chords(options, melody)
        styles = load_styles(options.weighted_styles, self)
        streams = Streams(options.seed)
        if options.melody_track is None:
            melody = with_whole_melody(melody)
        track, rests = melody_index(melody, options.melody_track), None
        if options.chords == "planned" and not redo:  # given chords may lie in the rests, too
            rests = Rests.of(melody, track)
            melody = rests.folded()
        lead = Lead.of(melody, track, key=options.key)
        notices = _melody_notices(melody, lead, options) + (rests.notices if rests else [])
        score, lead = make_room(melody, lead, options.intro)
        form = self._form(lead, options, streams)
        form.meters = lead.grid.meters
        retake = Retake.of(redo, lead) if redo else None
        form = retake.playing(form) if retake else form
        chords, remarks = choose_chords(self, score, lead, form, options, retake, streams.plan)
        path = None
        if styles and options.style_factor:
            path = StylePath.through(styles, options.style_factor, form, streams.style)
        plan = plan_tensor(chords, self.device)
        kept = kept_latents(self, lead, plan, options, retake)
        blocks = torch.from_numpy(pianoroll.to_blocks(lead.planes)).to(self.device)
        latents = choose_latents(self, blocks, plan, form, streams.latents, kept, path)
        latents.fills = choose_fills(self, form, streams.latents)
        _add_noise(latents, options.variation, streams.latents)
        if retake:
            latents = busier(self, latents, plan, retake)
        notices += remarks
        return Sketch(self, score, lead, form, chords, latents, options, retake, notices, rests)

    def plans(
        self, melody: Score, options: Options = Options(), *, n: int = 5, **changes
    ) -> list[PlannedChords]:
        """Plan the chords of a melody in several ways, the best first.

        Its first plan is the one that `accompany` plays; `Options(chords=plan.chords)` chooses
        another.

        Args:
            melody: a score with a melody.
            options: how chords are planned: `colour`, `key`, `seed`, `form`.
            n: how many distinct plans are wanted, 1 to 20; there may be fewer.
            **changes: fields of Options that replace those of `options`.

        Raises:
            MusicError: there is no melody, an option is out of range, or the models plan none.
        """
        options = replace(options, **changes)
        if options.melody_track is None:
            melody = with_whole_melody(melody)
        rests = Rests.of(melody, melody_index(melody, options.melody_track))
        melody, options = rests.folded(), replace(options, melody_track=rests.track)
        options, lead, form, streams = self._heard(melody, options, {})
        plans = planned(self, melody, lead, form, options, n, streams.plan)
        return [plan._replace(chords=tuple(rests.later(plan.chords))) for plan in plans]

    def chord_alternatives(
        self,
        melody: Score,
        chords: str | Sequence[Chord],
        beat: float,
        options: Options = Options(),
        *,
        n: int = 6,
        **changes,
    ) -> list[Alternative]:
        """Return likely chords for one place, given the melody and the other chords.

        Args:
            melody: a score with a melody.
            chords: of the whole melody, as `Options.chords` takes them.
            beat: the place.
            options: how chords are planned: `colour`, `key`.
            n: how many chords are wanted, 1 to 50.
            **changes: fields of Options that replace those of `options`.

        Returns:
            The likeliest first, with their probabilities.

        Raises:
            MusicError: there is no melody there, or chords or an option are not understood.
        """
        options, lead, form, _ = self._heard(melody, options, changes)
        return alternatives(self, melody, lead, form, options, chords, (beat, n))

    def returns(
        self, melody: Score, beat: float, options: Options = Options(), **changes
    ) -> list[float]:
        """Return the beats of the other half bars at which the melody is as it is at a beat.

        Chords that fit in one of these places fit in the others.

        Args:
            melody: a score with a melody.
            beat: the place.
            options: `key`, `melody_track`; without `form` nothing returns.
            **changes: fields of Options that replace those of `options`.

        Raises:
            MusicError: there is no melody there.
        """
        _, lead, form, _ = self._heard(melody, options, changes)
        return returning_places(form, lead, beat)

    def _heard(
        self, melody: Score, options: Options, changes: dict
    ) -> tuple[Options, Lead, Form, Streams]:
        """Return the options with changes, the melody, its phrases and the seed's streams."""
        options = replace(options, **changes)
        if options.melody_track is None:
            melody = with_whole_melody(melody)
        lead = Lead.of(melody, options.melody_track, key=options.key)
        streams = Streams(options.seed)
        return options, lead, self._form(lead, options, streams), streams

    def perform(self, sketch: Sketch) -> Score:
        """Play a sketch. A blended one is played by the model that it is nearer to."""
        return with_second_guitar(sketch, perform(sketch))

    def _form(self, lead: Lead, options: Options, streams: Streams) -> Form:
        """Find a melody's form; draw who rests, and dynamics, as the genre's songs have them."""
        blocks = pianoroll.to_blocks(lead.planes)
        if not options.form:
            return Form.bare(len(blocks))
        settings = FormSettings(alike=self.config.repeat)
        first, genre = lead.first_block, self.config.genre
        form = Form.find(blocks, first, settings)
        form = lined_up(form, blocks, first, streams.line_up(blocks, genre), genre)
        if not self.config.song:
            return form
        vae, random = song_vae.shipped_song_vae(), streams.song_form(blocks)
        return draw_song_form(form, blocks, first, vae, random, genre)


def _with_melody_chords(options: Options, melody: Score) -> Options:
    """Let given chords that are the melody's own move with it when there is an introduction."""
    is_own = melody.chords and options.chords == tuple(melody.chords)
    return replace(options, chords="melody") if is_own else options


def _melody_notices(melody: Score, lead: Lead, options: Options) -> list[str]:
    """Return the file's notices, and which of several tracks is the melody."""
    notices = list(melody.notices)
    if len(melody.tracks) > 1:
        asked = "" if options.melody_track is None else " (as asked)"
        notices.append(f"melody: {melody_name(melody, lead.index)}{asked}")
    return notices


def _add_noise(latents: Latents, variation: float, generator: torch.Generator) -> None:
    """Add noise to the latents in place, but not to their flags."""
    for rows in latents.rows.values():
        noise: Tensor = torch.randn(len(rows), rows.shape[1] - 1, generator=generator)
        rows[:, :-1] += variation * noise.to(rows.device)
