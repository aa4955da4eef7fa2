"""The MelodyNN: from the latents of a melody's blocks so far to the next one, for melodies that nobody brought.

Letters: N sequences of a batch, T blocks of a melody, H half bars of a block (4), Z latent size, C entries of the codebook.
Source: Tham & Kim 2021, "Using Variational Autoencoders": noise is added to the latent of the previous block, and a multi-layer
perceptron, trained with mean squared error, maps that to the next. New here: as in the HarmonyNN (accomp.models.harmony_nn), of which this
is one, the chords, the place in the song, the genre and older blocks are heard too, and instead of one predicted latent there is
a distribution over latents of real melodies. One MelodyNN serves all genres whose models have the piano VAE it learned from.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from accomp.models import harmony_nn as harmony
from accomp.models.files import load_network, save_network
from accomp.models.harmony_nn import Context, HarmonyConfig, HarmonyNN
from accomp.models.progressions import Habits
from accomp.roll import chord_plan as chords

FOLDER = (
    Path(__file__).parents[1] / "data/melody_nn"
)  # of the settings and weights that come with the package
ANY = "any"  # the genre of those that the network does not know
OLDER = (2, 4, 8)  # how many blocks before the next one are heard, beside the previous one
TEMPERATURE, TOP_P = 0.5, 0.9
RICHER = 0.8  # how much codes of more pitch classes a bar are preferred, in logits per standard deviation: the network is timid
REGISTER = 2.5  # how much codes that lie where the melody does are preferred, in logits per squared major third


@dataclass
class MelodyConfig:
    """harmony: of the network, its genres ending with ANY; latent: Z; piano_sha256: fingerprint of the piano VAE to which
    the latents belong; tempos: by genre, quantiles of songs' tempi in beats a minute, evenly spaced; minor: by genre, how often
    songs are in minor; keys: by genre, how often each pitch class is the tonic of the (relative) major; sixteenths: by genre, how
    often slow songs move in sixteenths (accomp.invention.compose).
    """

    harmony: HarmonyConfig = field(default_factory=HarmonyConfig)
    latent: int = 48
    piano_sha256: str = ""
    tempos: dict[str, list[float]] = field(default_factory=dict)
    keys: dict[str, list[float]] = field(default_factory=dict)
    minor: dict[str, float] = field(default_factory=dict)
    sixteenths: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: dict) -> "MelodyConfig":
        return cls(**{**values, "harmony": HarmonyConfig(**values["harmony"])})

    def habit(self, name: str, genre: str, otherwise):
        """What `name`, one of those by genre, says of a genre; else of all genres; else `otherwise`."""
        known = getattr(self, name)
        return known.get(genre, known.get(ANY, otherwise))


class MelodyNN(nn.Module):
    """network: the HarmonyNN of a melody that accompanies itself; closing and opening [C]: of each code's block,
    how much it is a phrase's end, 0 to 1, and whether it begins with a note; height [C]: its mean pitch above the roots of its
    chords (`chords.root_offset`); habits: what is counted rather than learned.
    """

    def __init__(self, config: MelodyConfig):
        super().__init__()
        self.config = config
        self.network = HarmonyNN(config.harmony, config.latent, config.latent, [])
        self.register_buffer("closing", torch.zeros(config.harmony.codebook))
        self.register_buffer("opening", torch.zeros(config.harmony.codebook))
        self.register_buffer("height", torch.zeros(config.harmony.codebook))
        self.habits = Habits(len(config.harmony.genres))
        self.eval()

    @property
    def is_published(self) -> bool:
        """Whether it predicts one latent from the one before and hears nothing else."""
        return self.config.harmony.head == "regression"

    def genre_index(self, genre: str) -> int:
        """Of a genre; of ANY for one that is not known."""
        known = self.config.harmony.genres
        return known.index(genre) if genre in known else len(known) - 1

    @torch.no_grad()
    def choose(
        self,
        step: str,
        heard: Context,
        generator: torch.Generator,
        close: float = 0.0,
        open_: float = 0.0,
        register: float | None = None,
        apart: tuple[Tensor, float] | None = None,
        busier: float = 0.0,
    ) -> Tensor:
        """[Z]: the next latent of one melody, never silence and never the previous latent, which the form asks for by itself.
        close, open_: added to the logits of codes that end a phrase, and that begin with a note; register: about where, as a
        pitch, it should lie; apart: a latent [Z] and how much codes far from it are preferred, in logits times squared distance,
        of which the mean of two codes is 1; busier: how much codes of more notes are, in logits per standard deviation. With the
        regression head, as published, the latent that is predicted.
        """
        if self.is_published:
            heard.melody = torch.zeros_like(heard.melody)
            return self.network("middle", heard)[0]
        output = self.network(step, heard)
        codes = self.network.codes
        logits = output[0, : len(codes)] + close * self.closing + open_ * self.opening
        logits = logits + busier * self.network.density + RICHER * self.network.variety
        if register is not None:
            lies = self.height + chords.root_offset(heard.plan[0, 0]).float().mean()
            logits = logits - REGISTER * ((lies - register) / 4).square()
        if apart:
            logits = logits + apart[1] * (
                (codes - apart[0]).square().sum(1) / self.network.spread
            ).clamp(max=2)
        probability, order = (logits / TEMPERATURE).softmax(0).sort(descending=True)
        probability = probability * (probability.cumsum(0) - probability < TOP_P)
        drawn = torch.multinomial(
            probability.float().cpu(), 1, generator=generator
        )  # so that a seed means the same everywhere
        return codes[order[drawn.to(order.device)][0]]

    def save(self, folder: Path) -> None:
        """Write config.json and half-precision model.safetensors."""
        save_network(folder, self)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "MelodyNN":
        """Load what `save` wrote. Raises ModelError where files are missing or do not fit."""
        return load_network(folder, lambda values: cls(MelodyConfig.from_dict(values)), "MelodyNN")


@cache
def shipped_melody_nn() -> MelodyNN:
    """The MelodyNN that comes with the package."""
    return MelodyNN.load()


def melody_context(
    block: Tensor,
    blocks: Tensor,
    latents: Tensor,
    plan: Tensor,
    genre: Tensor,
    first: Tensor | int = 0,
) -> Context:
    """What the network hears before blocks `block` [N] of melodies `blocks` [N] long, out of melodies one after another: latents
    and flags [all, Z + 1], plan [all, H]; genre [N] int; `first` [N]: where each melody begins in them.
    """

    def before(lag: int) -> Tensor:
        inside = block >= lag
        return latents[first + torch.where(inside, block - lag, block)] * inside[:, None].to(
            latents.dtype
        )

    following = plan[first + torch.minimum(block + 1, blocks - 1)]
    return Context(
        melody=torch.stack([before(lag)[:, :-1] for lag in OLDER], dim=1),
        previous=before(1),
        earlier=latents.new_zeros(len(block), 0),
        plan=torch.stack([plan[first + block], following], dim=1),
        position=harmony.position(block, blocks).to(latents.dtype),
        genre=genre,
    )
