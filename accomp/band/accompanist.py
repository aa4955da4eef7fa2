"""The Accompanist: five VAEs, four HarmonyNNs and a chord planner of one genre, and the way from melody to band.

Letters: B blocks of a song, H half bars of a block (4), Z and K latent sizes.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music Generation".
"""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from accomp.band import generate as generation
from accomp.band import intro as opening
from accomp.band import song_form as song_shape
from accomp.band.form import Shape
from accomp.band.lead import Lead
from accomp.band.perform import perform
from accomp.band.retake import Retake
from accomp.band.sketch import Sketch
from accomp.band.style import Asked, StylePath, resolved
from accomp.errors import MusicError
from accomp.models import song_vae as song
from accomp.models.band_model import SEVENTHS, BandModel
from accomp.music.chord_symbols import ChordSymbol, triad_symbol
from accomp.music.keys import Key
from accomp.music.melody_track import melody_name
from accomp.music.score import Chord, Score
from accomp.roll import chord_plan, pianoroll
from accomp.roll.chord_plan import COUNT, TRIADS
from accomp.roll.grid import ACCOMPANIMENT, HALF_BAR_STEPS, TRACK_NAMES

QUALITY = {
    (0, 0): "",
    (0, 1): "m",
    (1, 0): "7",
    (1, 1): "m7",
    (2, 0): "maj7",
    (2, 1): "m",
}  # by colour and minor
# A plan's chord has its colour throughout a song. Sevenths outside of the key, which songs have in passing, are made rarer.
IN_KEY = np.isin((np.arange(COUNT)[:, None] % 12 + np.array(SEVENTHS)) % 12, [0, 2, 4, 5, 7, 9, 11])
RARER = np.where(IN_KEY | (np.array(SEVENTHS) == 0), 1.0, 0.2)


class Accompanist(BandModel):
    """One genre's models. `from_pretrained(source)` loads them, `accompany(melody)` uses them."""

    # From melody to band

    def accompany(
        self,
        score: Score,
        *,
        seed: int = 0,
        variation: float = 0.0,
        melody_track: int | None = None,
        chords: str | list[Chord] | None = None,
        key: str | Key | None = None,
        shape: bool = True,
        feel: bool = True,
        intro: str = "none",
        instruments: Collection[str] | None = None,
        take: Score | None = None,
        keep: Collection[str] = (),
        span: tuple[float, float] | None = None,
        style: Asked | None = None,
        style_factor: float = 0.5,
        blend: tuple["Accompanist", int, float] | None = None,
        explore: dict[str, dict[str, float]] | None = None,
    ) -> Score:
        """The melody of `score` with a band: five tracks in the order of TRACKS, the piano playing the melody's very notes.

        seed: another one gives other music; variation: standard deviation of the noise added to the band's latents, which
        are about of unit scale (Tham & Kim 2021 liked 0.5 to 1.0); melody_track: index of the melody in `score.tracks`, else
        chosen (`melody.choose_melody`); chords: what to play, as text ("| C  Am | F  G7 |", see accomp.music.chord_symbols), as the
        `chords` of an earlier result, edited (their onsets count from where the result begins), or as the melody's own,
        `score.chords`; else planned; key: of the melody, such as "A minor", else estimated; shape: phrases that return,
        build, lead on with fills and come to an end, else every block just follows from the one before; feel: dynamics,
        swing and timing of the genre's players, else its mean velocities, on the grid; intro: "none", "count-in" (a bar of
        clicks) or "bars" (two bars of the band), either of which moves the melody later; instruments: who plays beside the
        piano, of drums, bass, guitar and strings; by default all;
        take: an earlier result for the same melody and introduction, of which the tracks named
        in `keep`, and all that lies outside of `span` (beats of the song), stay note for note, and the chords, too (within the
        span `chords` count, if there are any): the rest is made anew. Whoever is not among `instruments` is silent in any case.
        style: a song (`Style.of`, or the path of a MIDI file) or a built-in style's name, or several with weights, that the band
        is drawn to by `style_factor`, from 0 (not at all) to 1 (its patterns throughout).
        blend: another model of the same latent space (or this one), its seed, and how far from what this model would play to what
        that one would, 0 to 1 (`Sketch.blended`); explore: how far instruments move through their latent spaces
        (`Sketch.explored`).
        Raises MusicError where there is no melody or an argument is out of range.
        """
        settings = {
            "variation": variation,
            "melody_track": melody_track,
            "chords": chords,
            "key": key,
            "shape": shape,
            "feel": feel,
            "intro": intro,
            "instruments": instruments,
            "take": take,
            "keep": keep,
            "span": span,
            "style": style,
            "style_factor": style_factor,
        }
        sketch = self.sketch(score, seed=seed, **settings)
        if blend:
            other, other_seed, amount = blend
            sketch = sketch.blended(other.sketch(score, seed=other_seed, **settings), amount)
        return (sketch.explored(explore) if explore else sketch).perform()

    def perform(self, sketch: Sketch) -> Score:
        """What a sketch sounds like."""
        return perform(sketch)

    @torch.no_grad()
    def sketch(
        self,
        score: Score,
        *,
        seed: int = 0,
        variation: float = 0.0,
        melody_track: int | None = None,
        chords: str | list[Chord] | None = None,
        key: str | Key | None = None,
        shape: bool = True,
        feel: bool = True,
        intro: str = "none",
        instruments: Collection[str] | None = None,
        take: Score | None = None,
        keep: Collection[str] = (),
        span: tuple[float, float] | None = None,
        style: Asked | None = None,
        style_factor: float = 0.5,
    ) -> Sketch:
        """What `accompany` performs, as latents that can still be blended with another sketch's, or explored."""
        if not 0 <= variation <= 4:
            raise MusicError(f"variation is {variation}; accepted: 0 to 4")
        if not 0 <= seed < 2**63:
            raise MusicError(f"seed is {seed}; accepted: 0 to 2^63 - 1")
        if chords is not None and self.planner is None:
            raise MusicError(
                f"the models of {self.config.genre} know no chords; leave `chords` out"
            )
        if take is None and (keep or span):
            raise MusicError(
                "`keep` and `span` need a `take`, the earlier result that they are about"
            )
        styles = resolved(style or [], style_factor, self)
        silent = _silent(instruments)
        lead = Lead.of(score, melody_track, key=key)
        notices = list(score.notices)
        if len(score.tracks) > 1:
            notices.append(
                f"melody: {melody_name(score, lead.index)}{' (as asked)' if melody_track is not None else ''}"
            )
        of_melody = chords is not None and chords is score.chords
        score, lead = opening.make_room(score, lead, intro)
        if of_melody:
            chords = score.chords  # which an introduction has moved
        generator, random = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        heard = pianoroll.to_blocks(lead.planes)
        form = (
            Shape.of(heard, lead.first_block, random, self.config.repeat)
            if shape
            else Shape.bare(len(heard))
        )
        if shape and self.config.song:
            # A stream of its own: chords and music are drawn as they would be without.
            of_song = np.random.default_rng([seed, len(TRACK_NAMES)])
            form = song_shape.shaped(
                form, heard, lead.first_block, song.shipped_song_vae(), of_song, self.config.genre
            )
        retake = Retake.of(take, keep, span, lead) if take else None
        if take and chords is None and self.planner:
            chords = take.chords
        if chords is None:
            symbols = self.plan(lead, form, random, ending=shape)
        else:
            given, remarks = chord_plan.symbols_on_grid(chords, score, lead.track, lead.grid)
            symbols = [symbol.transposed(-lead.shift) for symbol in given]
            notices += remarks
            if retake:
                symbols = retake.plan(symbols, score, lead)
        symbols[: opening.half_bars(lead)] = opening.turnaround(lead)
        sketch = Sketch(
            self,
            score,
            lead,
            symbols,
            {},
            {},
            {},
            seed,
            shape,
            feel,
            intro,
            silent,
            retake,
            notices,
            form.dynamics,
        )
        path = (
            StylePath.through(styles, style_factor, form, seed) if styles and style_factor else None
        )
        blocks = torch.from_numpy(heard).to(self.device)
        sketch.latents, sketch.onsets = generation.choose_latents(
            self, blocks, sketch.plan, form, generator, self._kept(sketch), path
        )
        sketch.fills = generation.choose_fills(self, form, generator)
        for rows in sketch.latents.values():
            rows[:, :-1] += variation * torch.randn(
                len(rows), rows.shape[1] - 1, generator=generator
            ).to(self.device)
        return sketch

    def plan(
        self, lead: Lead, form: Shape, random: np.random.Generator, ending: bool = True
    ) -> list[ChordSymbol]:
        """The chord plan of a melody: one symbol each half bar, in its normal key; C throughout where the models know no chords.
        Each of its chords has one colour, drawn as often as the genre plays it so. ending: whether the last chord shall be
        the tonic.
        """
        if self.planner is None:
            return [triad_symbol(0)] * (lead.grid.steps // HALF_BAR_STEPS)
        plan = self.planner.plan_chords(lead.planes, form.source, form.closes, lead.key.is_minor)
        pickup = lead.grid.beats[: lead.grid.steps : HALF_BAR_STEPS] < lead.first_whole_bar - 1e-6
        if not pickup.all():
            plan[pickup] = plan[~pickup][0]  # a pickup has the chord that it leads to
        final = lead.final_step // HALF_BAR_STEPS if ending else len(plan)
        chances = self.colours.double().cpu().numpy() * RARER
        qualities = [
            QUALITY[random.choice(len(SEVENTHS), p=row / row.sum()), int(c >= 12)]
            for c, row in enumerate(chances)
        ]
        symbols = [
            triad_symbol(chord, qualities[chord] if self.config.colours else None)
            for chord in plan[:final]
        ]
        return symbols + [
            triad_symbol(_final_chord(int(plan[min(final, len(plan) - 1)]), lead))
        ] * (len(plan) - final)

    def _kept(self, sketch: Sketch) -> dict[tuple[int, int], Tensor]:
        """By track and block, latents and flags [K + 1] that are not chosen: of what stays of an earlier take, so that it is
        heard and played about as it was, and of the silent.
        """
        count = sketch.lead.grid.blocks
        kept = {}
        if sketch.retake:
            stay = sketch.retake.blocks(sketch.lead)
            for track, heard in sketch.retake.heard(sketch.lead).items():
                of_take = self.encode(track, torch.from_numpy(heard).to(self.device), sketch.plan)
                kept |= {(track, block): of_take[block] for block in np.flatnonzero(stay[track])}
        for track in sketch.silent:
            nothing = torch.zeros(
                self.vaes[TRACK_NAMES[track]].config.latent + 1, device=self.device
            )
            kept |= {(track, block): nothing for block in range(count)}
        return kept


def _silent(instruments: Collection[str] | None) -> frozenset[int]:
    """The tracks of the band that don't play. Raises MusicError."""
    names = [TRACK_NAMES[track] for track in ACCOMPANIMENT]
    unknown = set(instruments or ()) - set(names)
    if unknown:
        raise MusicError(
            f"there is no instrument {sorted(unknown)[0]!r}; accepted: {', '.join(names)}"
        )
    return frozenset(
        t for t in ACCOMPANIMENT if instruments is not None and TRACK_NAMES[t] not in instruments
    )


def _final_chord(planned: int, lead: Lead) -> int:
    """The tonic, in the normal key, unless the melody's last note is not in it; then the relative key's; else as planned."""
    last = (lead.line[-1].pitch - lead.shift) % 12
    c_major, a_minor = 0, 21
    tonics = (a_minor, c_major) if lead.key.is_minor else (c_major, a_minor)
    return next((tonic for tonic in tonics if TRIADS[tonic, last]), planned)
