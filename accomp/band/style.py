"""Draw a band towards another song's playing ("play it like that song").

A song's blocks are encoded instrument by instrument and its unique latents are kept as a set. While
a band is made, each latent z that a HarmonyNN chooses becomes z' = alpha s + (1 - alpha) z, with s
from the song's set and alpha the latent sample factor. z' is played, and the next block follows
from it. Latents are playing patterns relative to chords, so the melody's own chords stay.
Source: Tham & Kim 2021, "Generating Music in certain Styles". There s is drawn for each
instrument and block by itself. Here a passage of the song is drawn for each section, from which all
instruments take their latents, because their parts belong together.
Letters: B blocks, K latent size of an instrument.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Form
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.music.score import Score
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS
from accomp.roll.parts import normal_parts


@dataclass(frozen=True)
class StyleSettings:
    """How passages of a style's song are chosen."""

    passage: int = 4  # blocks; a passage begins at a multiple of it
    nearness: float = 0.25  # of energies, as a share of the song's passages: the kernel's width


@dataclass
class Style:
    """One song's playing.

    Attributes:
        name: how messages call it.
        unique: by track that plays in the song, its different latents and flags [n, K + 1].
        order: by track, [B] int, which of them each block of the song has.
        latent_space: of the model that made it (BandModel.latent_space).
    """

    name: str
    unique: dict[int, Tensor]
    order: dict[int, np.ndarray]
    latent_space: str

    @classmethod
    @torch.no_grad()
    def of(cls, model: BandModel, song: Score, name: str = "") -> "Style":
        """Encode the style of a song.

        Args:
            model: the networks whose VAEs encode it.
            song: a score with some of drums, guitar, bass and strings (or other instruments in
                their place) beside its melody.
            name: how messages call it.

        Raises:
            MusicError: the song has only a melody.
        """
        parts = normal_parts(song)
        blocks = {
            track: torch.from_numpy(pianoroll.to_blocks(parts.planes[track]))
            for track in ACCOMPANIMENT
        }
        plan = torch.from_numpy(parts.plan.reshape(-1, BLOCK_HALF_BARS))
        return cls.of_blocks(model, blocks, plan, name)

    @classmethod
    @torch.no_grad()
    def of_blocks(
        cls, model: BandModel, blocks: dict[int, Tensor], plan: Tensor, name: str
    ) -> "Style":
        """Encode the style of a song's blocks.

        Args:
            model: the networks whose VAEs encode it.
            blocks: by track, [B, 2, 32, 128] in the normal key.
            plan: [B, 4] chords.
            name: how messages call it.

        Raises:
            MusicError: all blocks are silent.
        """
        unique, order = {}, {}
        for track, seen in blocks.items():
            if seen.any():
                latents = model.encode(track, seen.to(model.device), plan.to(model.device))
                unique[track], places = torch.unique(latents, dim=0, return_inverse=True)
                order[track] = places.cpu().numpy()
        if not unique:
            raise MusicError("a style needs a song with a band; found only one part, the melody")
        return cls(name, unique, order, model.latent_space)

    @property
    def blocks(self) -> int:
        """The number of the song's blocks."""
        return len(next(iter(self.order.values())))

    def latents(self, track: int) -> Tensor:
        """Return a track's latents and flags block by block, [B, K + 1]."""
        return self.unique[track][torch.from_numpy(self.order[track]).to(self.unique[track].device)]

    def density(self) -> np.ndarray:
        """Count the instruments that play in each block, [B]."""
        return np.sum([self.latents(track)[:, -1].cpu().numpy() for track in self.unique], axis=0)


@dataclass
class StylePath:
    """What a band is drawn to, block by block of its own song.

    Attributes:
        latents: by track, [B, K + 1] latents and flags.
        chance: by track, [B] from 0 to 1. Up to this factor the band decides who plays at all,
            above it the style does.
        factor: how far the band's latents are drawn, 0 to 1.
    """

    latents: dict[int, Tensor]
    chance: dict[int, np.ndarray]
    factor: float

    @classmethod
    def through(
        cls,
        styles: list[tuple[Style, float]],
        factor: float,
        form: Form,
        random: np.random.Generator,
        settings: StyleSettings = StyleSettings(),
    ) -> "StylePath":
        """Choose a way through songs for a form.

        In each section every instrument follows one of the songs, more likely one of much weight.
        Of a song all take the same passage, which is as busy there as the section shall be.

        Args:
            styles: songs with weights above 0.
            factor: how far the band is drawn to them, 0 to 1.
            form: of the band's song.
            random: draws songs and passages.
            settings: how passages are chosen.
        """
        weights = np.array([weight for _, weight in styles], float)
        count = len(form.opens)
        starts = np.flatnonzero(form.opens | (np.arange(count) == 0))
        known = sorted({track for style, _ in styles for track in style.unique})
        latents: dict[int, Tensor] = {}
        chance = {track: np.ones(count) for track in known}
        for start, end in zip(starts, [*starts[1:], count]):
            # A song of one section gets all that there is.
            energy = float(form.energy[start]) if len(starts) > 1 else 1.0
            passages = [_passage(style, energy, random, settings) for style, _ in styles]
            for track in known:
                able = weights * [track in style.unique for style, _ in styles]
                at = int(random.choice(len(styles), p=able / able.sum()))
                rows = styles[at][0].latents(track)
                if track not in latents:
                    latents[track] = rows.new_zeros(count, rows.shape[1])
                inside = (passages[at] + np.arange(end - start)) % len(rows)
                latents[track][start:end] = rows[inside]
                chance[track][start:end] = random.random()
        for block in np.flatnonzero(form.source >= 0):  # what returns is played as before
            for track in known:
                latents[track][block] = latents[track][form.source[block]]
                chance[track][block] = chance[track][form.source[block]]
        return cls(latents, chance, factor)

    def drawn(self, track: int, block: int, chosen: Tensor) -> Tensor:
        """Draw a chosen latent and flag [K + 1] towards the style's.

        An instrument that the style's songs don't have is left alone.
        """
        if track not in self.latents:
            return chosen
        style = self.latents[track][block]
        if chosen[-1] > 0 and style[-1] > 0:
            mixed = self.factor * style[:-1] + (1 - self.factor) * chosen[:-1]
            return torch.cat([mixed, chosen[-1:]])
        return style if self.chance[track][block] < self.factor else chosen


def _passage(
    style: Style, energy: float, random: np.random.Generator, settings: StyleSettings
) -> int:
    """Draw the block where a passage begins that is about as busy as an energy from 0 to 1."""
    density = style.density()
    places = np.arange(0, style.blocks, settings.passage)
    mean = np.array([density[at : at + settings.passage].mean() for at in places])
    rank = mean.argsort().argsort() / max(len(places) - 1, 1)
    near = np.exp(-(((rank - energy) / settings.nearness) ** 2)) * (mean > 0) + 1e-9
    return int(random.choice(places, p=near / near.sum()))
