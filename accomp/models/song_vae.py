"""The song VAE: sixteen measures of music to one latent vector, and back.

Letters: N songs of a batch, M measures of a song (16), D numbers of a measure, F features of a
measure, K latent size, A numbers known about a song.
Source: Antoinette 2020, "Generating Music with Variational Autoencoders", 4.1: a feature extraction
that is the same for every measure, the features of all measures concatenated to a song vector, a
VAE with one hidden layer on it, and decoders that mirror both.
New here are Bernoulli numbers, what is known about a song (genre, place), and encoding it from its
melody alone. train/configs/song_paper.yaml is the published configuration, train/configs/song.yaml
the one that ships.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.files import load_network, save_network

FOLDER = Path(__file__).parents[1] / "data/song_vae"  # of the song VAE that ships
MEASURES = 16


@dataclass
class SongConfig:
    """What a SongVAE is made of and what it knows.

    Attributes:
        measure: D; the published measure is 96 steps by 96 pitches.
        bits: How many of a measure's numbers, its first, are Bernoulli; the others are Gaussian.
        precision: Of the Gaussian ones, whose loss is precision / 2 times the squared error; 2 is
            the published loss.
        measures: M.
        hidden: Hidden layer of the feature extraction.
        features: F.
        song: Hidden layer of the main VAE.
        latent: K.
        dropout: In training.
        kl_weight: Of the divergence in the loss.
        lead: Which of a measure's numbers the melody alone tells; none: it cannot encode melodies.
        genres: Those that the networks tell apart.
        players: Of how many instruments they know whether they play in the song at all.
        placed: Whether they know where in its song the music begins and ends.
    """

    measure: int = 9216
    bits: int = 0
    precision: float = 2.0
    measures: int = MEASURES
    hidden: int = 2000
    features: int = 200
    song: int = 1600
    latent: int = 120
    dropout: float = 0.0
    kl_weight: float = 1.0
    lead: list[int] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    players: int = 0
    placed: bool = False

    def __post_init__(self):
        if not 0 <= self.bits <= self.measure:
            raise ValueError(f"{self.bits} bits do not fit in a measure of {self.measure} numbers")

    @property
    def about(self) -> int:
        """A: how many numbers are known about a song."""
        return len(self.genres) + self.players + 2 * self.placed


class SongLoss(NamedTuple):
    """Parts of the loss of songs, in nats a song.

    Attributes:
        total: What is minimised.
        reconstruction: But for a constant.
        kl: Divergence of the latents from the prior.
        match: By how much the melody alone tells less than all.
    """

    total: Tensor
    reconstruction: Tensor
    kl: Tensor
    match: Tensor


class SongVAE(nn.Module):
    """The networks of a song VAE.

    Attributes:
        config: What it is made of.
        known: [D] 1 for a measure's numbers that the melody tells, else 0.
    """

    known: Tensor

    def __init__(self, config: SongConfig):
        super().__init__()
        c = self.config = config
        known = torch.zeros(c.measure)
        known[list(c.lead)] = 1
        self.register_buffer("known", known, persistent=False)
        asked = int(bool(c.lead))

        def layers(*sizes: int) -> nn.Sequential:
            steps = [
                part
                for a, b in zip(sizes, sizes[1:])
                for part in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(c.dropout))
            ]
            return nn.Sequential(*steps)

        self.extract = layers(c.measure, c.hidden, c.features)
        self.squeeze = nn.Sequential(
            layers(c.measures * c.features + c.about + asked, c.song),
            nn.Linear(c.song, 2 * c.latent),
        )
        self.unfold = layers(c.latent + c.about, c.song, c.measures * c.features)
        self.rebuild = nn.Sequential(layers(c.features, c.hidden), nn.Linear(c.hidden, c.measure))

    def encode(
        self, songs: Tensor, about: Tensor | None = None, alone: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the latents of songs, [N, K] each.

        Args:
            songs: [N, M, D].
            about: [N, A] what is known (`about_songs`); None where A is 0.
            alone: Whether to use the melody's numbers only, whatever the others are.

        Raises:
            ValueError: The VAE was not taught to encode melodies alone.
        """
        if alone and not self.config.lead:
            raise ValueError(
                "this song VAE was not taught to encode melodies; its config names no `lead`"
            )
        seen = songs * self.known if alone else songs
        parts = [self._with_about(self.extract(seen).flatten(1), about)]
        if self.config.lead:
            parts.append(torch.full((len(songs), 1), float(alone), device=songs.device))
        mean, log_variance = self.squeeze(torch.cat(parts, 1)).chunk(2, 1)
        return mean, log_variance.clamp(-12, 6)

    def decode(self, latents: Tensor, about: Tensor | None = None) -> Tensor:
        """Return songs [N, M, D] of latents [N, K].

        They are the probabilities of the bits and the means of the other numbers.
        """
        return self._means(self._outputs(latents, about))

    def _outputs(self, latents: Tensor, about: Tensor | None) -> Tensor:
        hidden = self.unfold(self._with_about(latents, about))
        return self.rebuild(hidden.view(-1, self.config.measures, self.config.features))

    def _with_about(self, rows: Tensor, about: Tensor | None) -> Tensor:
        """Append what is known about songs to rows [N, ...]."""
        if not self.config.about:
            return rows
        if about is None:
            raise ValueError(f"this song VAE needs {self.config.about} numbers about a song")
        return torch.cat([rows, about], 1)

    def _means(self, outputs: Tensor) -> Tensor:
        bits = self.config.bits
        return torch.cat([outputs[..., :bits].sigmoid(), outputs[..., bits:]], -1)

    def loss(self, songs: Tensor, about: Tensor | None, kl_weight: float) -> SongLoss:
        """Return the loss of songs [N, M, D].

        The encoder that has the melody alone learns to expect what the one that has all finds:
        KL(q(z | all) || q(z | melody)), the JMVAE-kl of Suzuki, Nakayama & Matsuo 2016, "Joint
        Multimodal Learning with Deep Generative Models". What is then sampled for a melody is as
        various as the songs that have such melodies.
        """
        bits = self.config.bits
        mean, log_variance = self.encode(songs, about)
        latents = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        outputs = self._outputs(latents, about)
        real = self._means(outputs)[..., bits:] - songs[..., bits:]
        of_bits = F.binary_cross_entropy_with_logits(
            outputs[..., :bits], songs[..., :bits], reduction="sum"
        )
        reconstruction = (of_bits + self.config.precision / 2 * real.square().sum()) / len(songs)
        kl = divergence(mean, log_variance)
        total, match = reconstruction + kl_weight * kl, torch.zeros_like(kl)
        if self.config.lead:
            match = divergence(
                mean.detach(), log_variance.detach(), *self.encode(songs, about, alone=True)
            )
            total = total + match
        return SongLoss(total, reconstruction, kl, match)

    def about_songs(
        self,
        count: int,
        genre: str = "",
        start: float = 0.0,
        end: float = 1.0,
        players: Sequence[bool] | None = None,
    ) -> Tensor:
        """Return what is known about `count` songs, alike for all.

        Args:
            count: N.
            genre: One that is unknown is like none.
            start: Where in its whole song the music begins, 0 to 1.
            end: Where it ends.
            players: Which instruments play in the song at all; by default all.

        Returns:
            [count, A].

        Raises:
            ValueError: The number of players is another.
        """
        playing = (
            [float(plays) for plays in players]
            if players is not None
            else [1.0] * self.config.players
        )
        genres = [float(genre == name) for name in self.config.genres]
        values = genres + playing + [start, end] * self.config.placed
        if len(values) != self.config.about:
            raise ValueError(f"{len(playing)} players were given; accepted: {self.config.players}")
        return torch.tensor([values] * count, dtype=torch.float32).view(count, -1)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(part.numel() for part in self.parameters())

    def save(self, folder: Path) -> None:
        """Write config.json and half-precision model.safetensors."""
        save_network(folder, self)

    @classmethod
    def load(cls, folder: Path) -> "SongVAE":
        """Load what `save` wrote.

        Raises:
            ModelError: Files are missing or do not fit.
        """
        return load_network(folder, lambda values: cls(SongConfig(**values)), "song VAE")


def divergence(
    mean: Tensor, log_variance: Tensor, other: Tensor | None = None, other_log: Tensor | None = None
) -> Tensor:
    """Return the KL divergence of Gaussians from others, or from standard ones.

    Args:
        mean: [N, K].
        log_variance: [N, K].
        other: [N, K] mean of the others.
        other_log: [N, K] log variance of the others.

    Returns:
        Nats, the mean over N.
    """
    other = torch.zeros_like(mean) if other is None else other
    other_log = torch.zeros_like(mean) if other_log is None else other_log
    ratio = (log_variance.exp() + (mean - other).square()) / other_log.exp()
    return 0.5 * (other_log - log_variance + ratio - 1).sum(1).mean()


@cache
def shipped_song_vae() -> SongVAE:
    """Return the song VAE that comes with the package."""
    return SongVAE.load(FOLDER)
