"""Encoders and decoders of the instrument VAE: beat-wise, and as published."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, STEPS_PER_BEAT

BLOCK_BEATS = BLOCK_STEPS // STEPS_PER_BEAT


class NetworkConfig(Protocol):
    """What the networks need to know: see accomp.models.vae.VAEConfig."""

    latent: int
    likelihood: str
    planes: int
    chord_relative: bool
    step: int
    beat: int
    layers: int
    dropout: float


class Beatwise(nn.Module):
    """One encoder and one decoder for all beats of a block, which hear their neighbours.

    A block's latent is the latents of its eight beats, one after another. So every beat is a lesson
    for the same weights, and a network that is small gives back more than one whose dense layers
    write the whole block.
    """

    def __init__(self, config: NetworkConfig, pitches: int):
        super().__init__()
        self.depth, self.pitches = config.planes, pitches
        chord = CHORD_COUNT if config.chord_relative else 0
        step, beat, own = config.step, config.beat, config.latent // BLOCK_BEATS

        def neighbours() -> nn.Module:
            layers = (_Neighbours(beat, config.dropout) for _ in range(config.layers))
            return nn.Sequential(*layers)

        self.steps_in = nn.Sequential(nn.Linear(self.depth * pitches, step), nn.ReLU())
        self.beats_in = nn.Sequential(nn.Linear(STEPS_PER_BEAT * step + chord, beat), nn.ReLU())
        self.context_in, self.context_out = neighbours(), neighbours()
        self.latents_out = nn.Linear(beat, 2 * own)
        self.latents_in = nn.Linear(own + chord, beat)
        self.place = nn.Parameter(torch.zeros(BLOCK_BEATS, beat))
        self.beats_out = nn.Sequential(
            nn.ReLU(), nn.Linear(beat, STEPS_PER_BEAT * step), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.steps_out = nn.Linear(step, self.depth * pitches)
        # Music is sparse: begin with a low probability everywhere.
        nn.init.constant_(self.steps_out.bias, 0.0 if config.likelihood == "gaussian" else -4.0)

    def encode(self, seen: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the latents.

        Args:
            seen: [N, planes, 32, pitches].
            chord: [N, H, chords] one-hot.

        Returns:
            [N, K] each.
        """
        count = len(seen)
        steps = self.steps_in(seen.transpose(1, 2).reshape(count, BLOCK_STEPS, -1))
        beats = torch.cat([steps.reshape(count, BLOCK_BEATS, -1), self._of_beats(chord)], dim=2)
        both = self.latents_out(self.context_in(self.beats_in(beats)))
        mean, log_variance = both.chunk(2, dim=2)
        return mean.flatten(1), log_variance.flatten(1).clamp(-10, 4)

    def decode(self, latents: Tensor, chord: Tensor) -> Tensor:
        """Return outputs [N, planes, 32, pitches] of latents [N, K] and [N, H, chords]."""
        count = len(latents)
        beats = torch.cat([latents.reshape(count, BLOCK_BEATS, -1), self._of_beats(chord)], dim=2)
        beats = self.context_out(F.relu(self.latents_in(beats) + self.place))
        steps = self.beats_out(beats).reshape(count, BLOCK_STEPS, -1)
        rolls = self.steps_out(steps).reshape(count, BLOCK_STEPS, self.depth, self.pitches)
        return rolls.transpose(1, 2)

    def _of_beats(self, chord: Tensor) -> Tensor:
        """Return the chords of half bars [N, H, chords] at each beat."""
        return chord.repeat_interleave(BLOCK_BEATS // BLOCK_HALF_BARS, dim=1)


class _Neighbours(nn.Module):
    """A residual layer in which beats [N, beats, width] hear those before and after them."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hear = nn.Conv1d(width, width, kernel_size=3, padding=1)
        self.inner = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        heard = self.hear(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + self.inner(heard)


class Convolutional(nn.Module):
    """The published network: three convolutions that halve time and pitch.

    Channels of 64, 128 and 256 (Tham & Kim) would make the dense layers alone 4 M weights at a full
    roll. A 1 x 1 convolution to 16 channels before them keeps all five VAEs within one small file.
    """

    def __init__(self, config: NetworkConfig, pitches: int):
        super().__init__()
        if config.chord_relative:
            raise ValueError(
                "the convolutional architecture does not know chords; set chord_relative: false"
            )
        self.pitches = pitches
        self.padded = -(-pitches // 8) * 8
        self.narrow = 16
        self.shape = (self.narrow, BLOCK_STEPS // 8, self.padded // 8)
        size = self.narrow * self.shape[1] * self.shape[2]

        def halve(before: int, after: int) -> nn.Module:
            return nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1)

        def double(before: int, after: int) -> nn.Module:
            return nn.ConvTranspose2d(
                before, after, kernel_size=3, stride=2, padding=1, output_padding=1
            )

        self.encoder = nn.Sequential(
            halve(config.planes, 64),
            nn.ReLU(),
            halve(64, 128),
            nn.ReLU(),
            halve(128, 256),
            nn.ReLU(),
            nn.Conv2d(256, self.narrow, 1),
            nn.Flatten(),
            nn.Linear(size, 2 * config.latent),
        )
        self.dense = nn.Linear(config.latent, size)
        self.decoder = nn.Sequential(
            nn.Conv2d(self.narrow, 256, 1),
            nn.ReLU(),
            double(256, 128),
            nn.ReLU(),
            double(128, 64),
            nn.ReLU(),
            double(64, config.planes),
        )

    def encode(self, seen: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance [N, K] of [N, planes, 32, pitches]."""
        both = self.encoder(F.pad(seen, (0, self.padded - self.pitches)))
        mean, log_variance = both.chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 4)

    def decode(self, latents: Tensor, chord: Tensor) -> Tensor:
        """Return outputs [N, planes, 32, pitches] of latents [N, K]."""
        hidden = self.dense(latents).reshape(-1, *self.shape)
        return self.decoder(hidden)[..., : self.pitches]
