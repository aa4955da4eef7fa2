"""Play it like that song: another song's latents, which a band is drawn to.

A song's blocks are encoded instrument by instrument and its unique latents kept as a set; while a band is made, each latent z
that a HarmonyNN chooses becomes z' = alpha s + (1 - alpha) z, s out of the song's set and alpha the latent sample factor. That is
what is played, and what the next block goes on from. Because latents are playing patterns relative to chords, the melody's own
chords stay.
Source: Tham & Kim 2021, "Generating Music in certain Styles". There s is drawn anew for each instrument and block; here a
passage of the song is drawn for each section, from which all instruments take their latents, as their parts belong together.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Shape
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.models.files import load_metadata, load_weights, save_weights
from accomp.music.midi import MIDI_ENDINGS, read_midi
from accomp.music.score import Score
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS, TRACK_NAMES
from accomp.roll.parts import normal_parts

STYLES = Path(__file__).parents[1] / "data/styles"  # the built-in ones: train.fit.styles makes them
STYLES_FILE = "styles.safetensors"
PASSAGE = 4  # blocks: where in a song a passage may begin
LEVEL = 0.25  # how near in energy, as a share of the song's passages, a passage should be to the section that it is drawn for


@dataclass
class Style:
    """One song's playing. unique: by track that plays in the song, its different latents and flags [n, K + 1]; order: by track,
    [B] int, which of them each block of the song has; latent_space: of the model that made it (Accompanist.latent_space).
    """

    name: str
    unique: dict[int, Tensor]
    order: dict[int, np.ndarray]
    latent_space: str

    @classmethod
    @torch.no_grad()
    def of(cls, model: BandModel, song: Score, name: str = "") -> "Style":
        """The style of `song`, a score with some of drums, guitar, bass and strings (or other instruments in their place) beside
        its melody. Raises MusicError where nobody accompanies.
        """
        parts = normal_parts(song)
        blocks = {
            track: torch.from_numpy(pianoroll.to_blocks(parts.planes[track]))
            for track in ACCOMPANIMENT
        }
        return cls.of_blocks(
            model, blocks, torch.from_numpy(parts.plan.reshape(-1, BLOCK_HALF_BARS)), name
        )

    @classmethod
    @torch.no_grad()
    def of_blocks(
        cls, model: BandModel, blocks: dict[int, Tensor], plan: Tensor, name: str
    ) -> "Style":
        """The same of a song's blocks by track, [B, 2, 32, 128], in the normal key, and its plan [B, 4]. Raises MusicError."""
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
        return len(next(iter(self.order.values())))

    def latents(self, track: int) -> Tensor:
        """[B, K + 1] of the song's blocks."""
        return self.unique[track][torch.from_numpy(self.order[track]).to(self.unique[track].device)]

    def density(self) -> np.ndarray:
        """[B] how many instruments play in each block of the song."""
        return np.sum([self.latents(track)[:, -1].cpu().numpy() for track in self.unique], axis=0)


# A style, a built-in one's name or a MIDI file; or several with weights.
Asked = Style | str | Path | Collection[tuple[Style | str | Path, float]]


@dataclass
class StylePath:
    """What a band is drawn to, block by block of its song. latents: by track, [B, K + 1]; chance: by track, [B], from 0 to 1: up
    to which factor the band decides who plays at all, and from which the style.
    """

    latents: dict[int, Tensor]
    chance: dict[int, np.ndarray]
    factor: float

    @classmethod
    def through(
        cls, pairs: list[tuple[Style, float]], factor: float, form: Shape, seed: int
    ) -> "StylePath":
        """A way through songs with weights, as long as `form`. In each section every instrument follows one of the songs, more
        likely one of much weight; of a song all take the same passage, which is as busy there as the section shall be.
        """
        random = np.random.default_rng([seed, 3])
        weights = np.array([weight for _, weight in pairs], float)
        count = len(form.opens)
        starts = np.flatnonzero(form.opens | (np.arange(count) == 0))
        known = {track for style, _ in pairs for track in style.unique}
        latents: dict[int, Tensor] = {}
        chance = {track: np.ones(count) for track in known}
        for start, end in zip(starts, [*starts[1:], count]):
            energy = (
                float(form.energy[start]) if len(starts) > 1 else 1.0
            )  # a song of one section gets all that there is
            passages = [_passage(style, energy, random) for style, _ in pairs]
            for track in sorted(known):
                able = weights * [track in style.unique for style, _ in pairs]
                at = int(random.choice(len(pairs), p=able / able.sum()))
                rows = pairs[at][0].latents(track)
                if track not in latents:
                    latents[track] = rows.new_zeros(count, rows.shape[1])
                latents[track][start:end] = rows[
                    (passages[at] + np.arange(end - start)) % len(rows)
                ]
                chance[track][start:end] = random.random()
        for block in np.flatnonzero(form.source >= 0):  # what returns is played as before
            for track in known:
                latents[track][block] = latents[track][form.source[block]]
                chance[track][block] = chance[track][form.source[block]]
        return cls(latents, chance, factor)

    def drawn(self, track: int, block: int, chosen: Tensor) -> Tensor:
        """[K + 1]: a chosen latent and flag on their way to the style's. An instrument that the style's songs don't have is left
        alone.
        """
        if track not in self.latents:
            return chosen
        style = self.latents[track][block]
        if chosen[-1] > 0 and style[-1] > 0:
            return torch.cat(
                [self.factor * style[:-1] + (1 - self.factor) * chosen[:-1], chosen[-1:]]
            )
        return style if self.chance[track][block] < self.factor else chosen


def _passage(style: Style, energy: float, random: np.random.Generator) -> int:
    """The block of a song where a passage begins that is about as busy as `energy`, 0 to 1, asks for."""
    density = style.density()
    places = np.arange(0, style.blocks, PASSAGE)
    mean = np.array([density[at : at + PASSAGE].mean() for at in places])
    rank = mean.argsort().argsort() / max(len(places) - 1, 1)
    nearness = np.exp(-(((rank - energy) / LEVEL) ** 2)) * (mean > 0) + 1e-9
    return int(random.choice(places, p=nearness / nearness.sum()))


def resolved(styles: Asked, factor: float, model: BandModel) -> list[tuple[Style, float]]:
    """What `Accompanist.accompany` takes, as styles with weights. Raises MusicError where one is unknown or no song with a band,
    or weights or factor are out of range.
    """
    if not 0 <= factor <= 1:
        raise MusicError(f"style factor is {factor}; accepted: 0 (not at all) to 1 (as that song)")
    pairs = [(styles, 1.0)] if isinstance(styles, (Style, str, Path)) else list(styles)
    for pair in pairs:
        is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
        if not (
            is_pair
            and isinstance(pair[0], (Style, str, Path))
            and isinstance(pair[1], (int, float))
        ):
            raise MusicError(
                f"{pair!r} is no style with a weight; accepted: pairs such as ('bossa_nova', 2.0)"
            )
    wrong = [weight for _, weight in pairs if not 0 <= weight < float("inf")]
    if wrong or pairs and not sum(weight for _, weight in pairs):
        raise MusicError(
            f"the weights of styles are {[w for _, w in pairs]}; accepted: 0 or more, one of them above 0"
        )
    return [(_resolved(style, model), weight) for style, weight in pairs if weight]


def _resolved(style: Style | str | Path, model: BandModel) -> Style:
    if isinstance(style, Path):
        return Style.of(model, read_midi(style), style.stem)
    if isinstance(style, str):
        return load_style(style, model)
    if style.latent_space != model.latent_space:
        raise MusicError(
            f"the style {style.name!r} was made with other VAEs than those of {model.config.genre}; make it with Style.of"
        )
    return replace(
        style, unique={track: rows.to(model.device) for track, rows in style.unique.items()}
    )


def parse_styles(text: str) -> list[tuple[str | Path, float]]:
    """Names and MIDI files with weights, of which 1 may be left out, from "bossa_nova" or "bossa_nova 2 + song.mid"."""
    pairs: list[tuple[str | Path, float]] = []
    for part in re.split(r"\s\+\s", text):
        name, _, weight = part.strip().rpartition(" ")
        try:
            value = float(weight)
        except ValueError:
            name, value = part.strip(), 1.0
        pairs.append((Path(name) if Path(name).suffix.lower() in MIDI_ENDINGS else name, value))
    return pairs


@cache
def built_in() -> dict[str, dict[str, str]]:
    """The built-in styles by name: genre, licence and source of each."""
    return json.loads(load_metadata(STYLES / STYLES_FILE)["styles"])


def load_style(name: str, model: BandModel) -> Style:
    """A built-in style. Raises MusicError where there is none of that name, or the model's latents mean something else."""
    if name not in built_in():
        raise MusicError(f"style {name!r} is unknown; available: {', '.join(built_in())}")
    if load_metadata(STYLES / STYLES_FILE)["latent_space"] != model.latent_space:
        raise MusicError(
            f"the built-in styles are not for the VAEs of {model.config.genre}; bring a song as a style instead"
        )
    weights = load_weights(STYLES / STYLES_FILE)
    unique, order = {}, {}
    for track in ACCOMPANIMENT:
        key = f"{name}.{TRACK_NAMES[track]}"
        if f"{key}.unique" in weights:
            unique[track] = weights[f"{key}.unique"].to(model.device, model.colours.dtype)
            order[track] = weights[f"{key}.order"].numpy().astype(int)
    return Style(name, unique, order, model.latent_space)


def write_styles(
    folder: Path, styles: list[Style], about: dict[str, dict[str, str]], model: BandModel
) -> None:
    """Opposite of `load_style`, of all styles at once, with what `built_in` says `about` them."""
    tensors = {}
    for style in styles:
        for track, unique in style.unique.items():
            tensors[f"{style.name}.{TRACK_NAMES[track]}.unique"] = unique.half().cpu().contiguous()
            tensors[f"{style.name}.{TRACK_NAMES[track]}.order"] = torch.from_numpy(
                style.order[track].astype(np.int16)
            )
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(
        folder / STYLES_FILE,
        tensors,
        {"latent_space": model.latent_space, "styles": json.dumps(about)},
    )
