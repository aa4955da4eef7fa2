"""Choose the latents of everything that the band plays, block by block through a song.

Letters: B blocks of the song, H half bars of a block (4), K latent size of an instrument.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music
Generation"; styles: Tham & Kim 2021, "Generating Music in certain Styles".
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Form
from accomp.band.style import StylePath
from accomp.models.band_model import BandModel
from accomp.models.harmony_network import NEVER, Player, Sampling, SongLatents
from accomp.roll.grid import ACCOMPANIMENT, DRUMS, MELODY, TRACK_NAMES


@dataclass(frozen=True)
class GenerateSettings:
    """Chances that are not learned."""

    drums_change: float = 0.5  # that the drums take a new pattern in a new section
    # Of `contrast` for drums: the patterns that are farthest from a beat are those of other kits.
    # With all of it 17 % of what pop's drummers strike is hand percussion, with none 7 %.
    drums_contrast: float = 0.2
    fill_in_pattern: float = 8.0  # logits against drum patterns that end with a fill: they return
    # Density, in standard deviations, above which there are no patterns: 5 % of real playing, which
    # would return with its section for half a song.
    busiest: float = 1.5
    fills_heard: float = 0.5  # of the fills that are drawn, by train.metrics.playing_rhythm.fills


@dataclass
class Latents:
    """What is chosen for the band, by track.

    Attributes:
        rows: [B, K + 1] latents and flags (1 where the track plays).
        onsets: [B] how many onsets a block shall have, if its latent lies between two of real
            playing; NaN where the decoder decides.
        fills: by block, a drum latent [1, K] for its last half bar.
    """

    rows: dict[int, Tensor]
    onsets: dict[int, Tensor]
    fills: dict[int, Tensor] = field(default_factory=dict)


@torch.no_grad()
def choose_latents(
    model: BandModel,
    blocks: Tensor,
    plan: Tensor,
    form: Form,
    generator: torch.Generator,
    kept: dict[tuple[int, int], Tensor] | None = None,
    path: StylePath | None = None,
) -> Latents:
    """Choose the band's latents for a melody, without fills.

    Args:
        model: the genre's networks.
        blocks: [B, 2, 32, 128] of the melody.
        plan: [B, H] chords.
        form: which blocks return, begin a section or rest.
        generator: draws among the likely latents.
        kept: by track and block, latents and flags [K + 1] that are given instead of chosen.
        path: the style that each chosen latent is drawn to before the next one follows from it.
    """
    walk = _Walk.start(model, blocks, plan, form, generator, kept or {}, path)
    for block in range(len(blocks)):
        for track in ACCOMPANIMENT:
            walk.choose(track, block)
    return Latents(walk.rows, walk.onsets())


@dataclass
class _Walk:
    """The state of `choose_latents`: what is chosen so far, and all that the next choice needs."""

    model: BandModel
    melody: Tensor  # [B, Z] latents
    plan: Tensor
    form: Form
    generator: torch.Generator
    kept: dict[tuple[int, int], Tensor]
    path: StylePath | None
    rows: dict[int, Tensor]  # by track, [B, K + 1], drawn to the style
    unstyled: dict[int, Tensor]  # the same as they were chosen
    players: dict[int, Player]
    settings: GenerateSettings = GenerateSettings()

    @classmethod
    def start(
        cls,
        model: BandModel,
        blocks: Tensor,
        plan: Tensor,
        form: Form,
        generator: torch.Generator,
        kept: dict[tuple[int, int], Tensor],
        path: StylePath | None,
    ) -> "_Walk":
        melody = model.encode(MELODY, blocks, plan)[:, :-1]
        sizes = {t: model.config.vaes[TRACK_NAMES[t]].latent + 1 for t in ACCOMPANIMENT}
        rows = {track: melody.new_zeros(len(blocks), size) for track, size in sizes.items()}
        unstyled = {track: torch.zeros_like(each) for track, each in rows.items()}
        blocks_of = torch.tensor([len(blocks)], device=melody.device)
        songs = SongLatents(melody, rows, plan, blocks_of, model.genre_index)
        players = {track: model.harmony_nn(track).player(track, songs) for track in ACCOMPANIMENT}
        return cls(model, melody, plan, form, generator, kept, path, rows, unstyled, players)

    def choose(self, track: int, block: int) -> None:
        """Fill in one track's latent in one block; rests stay zeros."""
        if (track, block) in self.kept:
            self.rows[track][block] = self.kept[track, block]
            return
        if self._rests(track, block):
            return
        earlier = self._returning(track, block)
        if earlier is not None:
            self.rows[track][block] = self.rows[track][earlier]
            self.unstyled[track][block] = self.unstyled[track][earlier]
            return
        chosen = self._sample(track, block, self._step(track, block))
        self.unstyled[track][block] = chosen
        self.rows[track][block] = self.path.drawn(track, block, chosen) if self.path else chosen

    def _rests(self, track: int, block: int) -> bool:
        return track in self.form.rests and bool(self.form.rests[track][block])

    def _returning(self, track: int, block: int) -> int | None:
        """Return the earlier block that returns, unless it rested or is to be redone.

        Drummers who hear the whole song keep the beat or return to one as real drummers do.
        """
        if track == DRUMS and self.model.config.harmony.network == "song":
            return None
        earlier = int(self.form.source[block])
        if earlier < 0 or (track, earlier) in self.kept or self._rests(track, earlier):
            return None
        is_silent = not bool(self.rows[track][earlier, -1])
        return None if is_silent and self.form.is_lined_up else earlier

    def _step(self, track: int, block: int) -> str:
        """Return which network plays: "first", "middle" or "last".

        The first one plays where the song or a section begins, and for a player that has rested.
        A network that hears the whole song knows of sections and rests: its first one only begins.
        """
        if self.model.config.harmony.network == "song":
            if 0 < block == len(self.melody) - 1:
                return "last"
            return "middle" if self.rows[track][:block, -1].any() else "first"
        opens = bool(self.form.opens[block])
        if opens and block and track == DRUMS:
            # A drummer often keeps the beat where others begin a new section.
            opens = bool(torch.rand((), generator=self.generator) < self.settings.drums_change)
        if 0 < block == len(self.melody) - 1:
            return "last"
        longest = self.model.config.longest_rest
        rest = min(block, longest)
        rested = rest == longest and not self.rows[track][block - rest : block, -1].any()
        waited = block > 0 and self._rests(track, block - 1)
        return "first" if opens or rested or waited else "middle"

    def _sample(self, track: int, block: int, step: str) -> Tensor:
        """Sample a latent and flag [K + 1] from a track's network."""
        config, name = self.model.config, TRACK_NAMES[track]
        hears_song = config.harmony.network == "song"
        apart, sparsest, wish, past = None, NEVER, None, None
        if step == "first":
            sparsest = config.sparsest
            if block and self.rows[track][block - 1, -1] > 0 and not hears_song:
                apart = self.rows[track][block - 1, :-1], config.contrast
        if hears_song:
            others = torch.from_numpy(self.form.labels[:block] != self.form.labels[block])
            past = -config.sections * others.to(self.melody)
            wish = self._of_section(track, block, others)
        sampling = Sampling(
            config.temperature,
            config.top_p,
            steadiness=config.steadiness.get(name, 0.0),
            push=config.density.get(name, 0.0)
            + config.push * (2 * float(self.form.energy[block]) - 1),
            even=config.even.get(name, 0.0),
            variety=config.variety.get(name, 0.0),
            apart=apart,
            sparsest=sparsest,
            past=past,
            meter=self.form.meter(block),
            wish=wish,
            silence=NEVER if self.form.is_lined_up else 0.0,
        )
        return self.players[track].choose(step, block, self.generator, sampling)

    def _of_section(self, track: int, block: int, others: Tensor) -> Tensor:
        """Return logits by which codes suit a section, [C].

        They do that are like what the player played in it before, and unlike what it played in
        other sections; none does that is too much of something for a pattern that returns.

        Args:
            track: index in TRACKS.
            block: of the section.
            others: [blocks before it] bool, those of other sections.
        """
        config, network = self.model.config, self.model.harmony_nn(track)
        played, others = self.rows[track][:block], others.to(self.melody.device)
        sounds = played[:, -1] > 0
        like = network.nearest(played[sounds & ~others, :-1])
        unlike = network.nearest(played[sounds & others, :-1])
        settings = self.settings
        contrast = config.contrast * (settings.drums_contrast if track == DRUMS else 1.0)
        suits = contrast * unlike - config.likeness * like
        suits += NEVER * (network.density > settings.busiest)
        return suits - settings.fill_in_pattern * network.fill if track == DRUMS else suits

    def onsets(self) -> dict[int, Tensor]:
        """Count the onsets that blocks on the way to the style shall have."""
        found = {}
        for track, rows in self.rows.items():
            found[track] = rows.new_full((len(rows),), torch.nan)
            if self.path and track in self.path.latents:
                own, style = self.unstyled[track], self.path.latents[track]
                between = (own[:, -1] > 0) & (style[:, -1] > 0) & (rows[:, -1] > 0)
                first, second = (
                    count_onsets(self.model, track, self.plan, each) for each in (own, style)
                )
                found[track][between] = torch.lerp(first, second, self.path.factor)[between]
        return found


def choose_fills(
    model: BandModel,
    form: Form,
    generator: torch.Generator,
    settings: GenerateSettings = GenerateSettings(),
) -> dict[int, Tensor]:
    """Choose drum fills for the ends of blocks, as likely as the form says.

    Args:
        model: the genre's networks.
        form: how likely fills are.
        generator: draws the fills.
        settings: how many of them are heard as fills.

    Returns:
        By block that ends with one, a drum latent [1, K] for its last half bar.
    """
    fills = {}
    for block in np.flatnonzero(form.fills):
        fill = model.harmony_nn(DRUMS).draw_fill(generator, form.meter(int(block)))
        chance = form.fills[block] / settings.fills_heard
        is_played = bool(torch.rand((), generator=generator) < chance)
        if fill is not None and is_played:
            fills[int(block)] = fill
    return fills


@torch.no_grad()
def count_onsets(model: BandModel, track: int, plan: Tensor, rows: Tensor) -> Tensor:
    """Count the onsets that latents are decoded to.

    A latent halfway between two patterns is unsure of every note, and would be played half empty.
    It gets as many onsets as lie between those of the two.

    Args:
        model: the genre's networks.
        track: index in TRACKS.
        plan: [B, H] chords.
        rows: [B, K + 1] latents and flags.

    Returns:
        [B] counts.
    """
    vae = model.vae(track)
    return vae.count_onsets(vae.decode(rows[:, :-1], plan))
