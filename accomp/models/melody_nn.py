"""The MelodyNN: from a melody's latents so far to the next one.

Letters: N sequences of a batch, T blocks of a melody, H half bars of a block (4), Z latent size, C
entries of the codebook.
Source: Tham & Kim 2021, "Using Variational Autoencoders": noise is added to the latent of the
previous block, and a multi-layer perceptron, trained with mean squared error, maps that to the
next.
New here: the network is a HarmonyNN (accomp.models.harmony_nn). It also takes the chords, the place
in the song, the genre and older blocks; and instead of one predicted latent there is a distribution
over latents of real melodies. One MelodyNN serves all genres whose models have the piano VAE it
learned from.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from accomp.models.files import load_network, save_network
from accomp.models.harmony_nn import Context, HarmonyConfig, HarmonyNN, draw, position
from accomp.models.progressions import Habits
from accomp.roll.chord_plan import root_offset

FOLDER = Path(__file__).parents[1] / "data/melody_nn"  # of the MelodyNN that ships
ANY = "any"  # the genre of those that the network does not know
OLDER = (2, 4, 8)  # how many blocks before the next one the older inputs lie


@dataclass
class MelodyConfig:
    """What a MelodyNN is made of, and what songs of its genres habitually do.

    Attributes:
        harmony: Of the network; its genres end with ANY.
        latent: Z.
        piano_sha256: Fingerprint of the piano VAE to which the latents belong.
        tempos: By genre, quantiles of songs' tempi in beats a minute, evenly spaced.
        keys: By genre, how often each pitch class is the tonic of the (relative) major.
        minor: By genre, how often songs are in minor.
        sixteenths: By genre, how often slow songs move in sixteenths (accomp.invention.compose).
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
        """Read what `dataclasses.asdict` made."""
        return cls(**{**values, "harmony": HarmonyConfig(**values["harmony"])})

    def habit(self, name: str, genre: str, otherwise: Any) -> Any:
        """Return what songs of a genre habitually do.

        Args:
            name: "tempos", "keys", "minor" or "sixteenths".
            genre: Its own value counts, or else that of all genres.
            otherwise: What is returned where neither is known.
        """
        known = getattr(self, name)
        return known.get(genre, known.get(ANY, otherwise))


@dataclass(frozen=True)
class MelodySettings:
    """How a MelodyNN is sampled.

    Chosen on validation songs by train.eval.melody_tuning.
    """

    temperature: float = 0.5
    top_p: float = 0.9
    # Logits per standard deviation by which codes of more pitch classes a bar are preferred: the
    # network is timid.
    richer: float = 0.8
    # Logits per squared major third by which codes that lie where the melody does are preferred.
    register: float = 2.5


@dataclass(frozen=True)
class MelodyWish:
    """What the form of a melody asks of its next block.

    Attributes:
        close: Added to the logits of codes that end a phrase.
        open: Added to the logits of codes that begin with a note.
        register: The pitch around which it should lie.
        apart: A latent [Z] and how much codes far from it are preferred: logits times squared
            distance, of which the mean of two codes is 1.
        busier: Logits per standard deviation by which codes of more notes are preferred.
    """

    close: float = 0.0
    open: float = 0.0
    register: float | None = None
    apart: tuple[Tensor, float] | None = None
    busier: float = 0.0


class MelodyNN(nn.Module):
    """The network of a melody that accompanies itself, and the habits of its genres.

    Attributes:
        config: What it is made of.
        settings: How it is sampled.
        network: A HarmonyNN.
        closing: [C] how much each code's block is a phrase's end, 0 to 1.
        opening: [C] whether each code's block begins with a note.
        height: [C] mean pitch of each code's block above the roots of its chords
            (`chord_plan.root_offset`).
        habits: What is counted rather than learned.
    """

    closing: Tensor
    opening: Tensor
    height: Tensor

    def __init__(self, config: MelodyConfig, settings: MelodySettings = MelodySettings()):
        super().__init__()
        self.config, self.settings = config, settings
        self.network = HarmonyNN(config.harmony, config.latent, config.latent, [])
        self.register_buffer("closing", torch.zeros(config.harmony.codebook))
        self.register_buffer("opening", torch.zeros(config.harmony.codebook))
        self.register_buffer("height", torch.zeros(config.harmony.codebook))
        self.habits = Habits(len(config.harmony.genres))
        self.eval()

    @property
    def is_published(self) -> bool:
        """Whether it predicts one latent from the one before and has no other inputs."""
        return self.network.is_regression

    def genre_index(self, genre: str) -> int:
        """Return the index of a genre; that of ANY for one that is not known."""
        known = self.config.harmony.genres
        return known.index(genre) if genre in known else len(known) - 1

    @torch.no_grad()
    def choose(
        self,
        step: str,
        context: Context,
        generator: torch.Generator,
        wish: MelodyWish = MelodyWish(),
    ) -> Tensor:
        """Sample the next latent of one melody.

        It is never silence and never the previous latent: repeats are the form's decision. With
        the regression head it is the latent that is predicted, as published.

        Args:
            step: "first", "middle" or "last".
            context: Inputs of one sequence.
            generator: Of the CPU.
            wish: What the form asks for.

        Returns:
            [Z].
        """
        network, settings = self.network, self.settings
        if self.is_published:
            nothing = torch.zeros_like(context.melody)
            return network("middle", replace(context, melody=nothing))[0]
        output = network(step, context)
        logits = output[0, : len(network.codes)]
        logits = logits + wish.close * self.closing + wish.open * self.opening
        logits = logits + wish.busier * network.density + settings.richer * network.variety
        if wish.register is not None:
            lies = self.height + root_offset(context.plan[0, 0]).float().mean()
            logits = logits - settings.register * ((lies - wish.register) / 4).square()
        if wish.apart:
            latent, weight = wish.apart
            logits = logits + weight * network.distance(latent)
        index = draw(logits[None] / settings.temperature, settings.top_p, generator)
        return network.codes[index[0]]

    def save(self, folder: Path) -> None:
        """Write config.json and half-precision model.safetensors."""
        save_network(folder, self)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "MelodyNN":
        """Load what `save` wrote.

        Raises:
            ModelError: Files are missing or do not fit.
        """
        return load_network(folder, lambda values: cls(MelodyConfig.from_dict(values)), "MelodyNN")


@cache
def shipped_melody_nn() -> MelodyNN:
    """Return the MelodyNN that comes with the package."""
    return MelodyNN.load()


def melody_context(
    block: Tensor,
    blocks: Tensor,
    latents: Tensor,
    plan: Tensor,
    genre: Tensor,
    first: Tensor | int = 0,
) -> Context:
    """Return the inputs of a MelodyNN for the next block of N melodies.

    Args:
        block: [N] int index of the next block.
        blocks: [N] int, how many blocks each melody has.
        latents: [all, Z + 1] latents and flags of the melodies, one after another.
        plan: [all, H] chords.
        genre: [N] int.
        first: [N] int, where each melody begins in `latents` and `plan`.
    """

    def before(lag: int) -> Tensor:
        """Pick the latents `lag` blocks before; zeros outside of the melody."""
        inside = block >= lag
        picked = latents[first + torch.where(inside, block - lag, block)]
        return picked * inside[:, None].to(latents.dtype)

    following = plan[first + torch.minimum(block + 1, blocks - 1)]
    return Context(
        melody=torch.stack([before(lag)[:, :-1] for lag in OLDER], dim=1),
        previous=before(1),
        earlier=latents.new_zeros(len(block), 0),
        plan=torch.stack([plan[first + block], following], dim=1),
        position=position(block, blocks).to(latents.dtype),
        genre=genre,
    )
