"""The instrument VAE: from a block of piano roll to a latent, and back.

Letters: N blocks of a batch, K latent size, P pitches (128), H half bars of a block (4).
Source: Tham & Kim 2021, "Using Variational Autoencoders": one VAE per instrument over 32 x 128
blocks.
New here are the onset plane, the Bernoulli likelihood, and the chord: the pitched rolls are moved
by each half bar's chord root before encoding and moved back after decoding, so that a latent is a
playing pattern under any chord.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.vae_networks import Convolutional, Hierarchical
from accomp.roll.chord_plan import CHORD_COUNT, root_offset
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, HALF_BAR_STEPS, PITCHES

OCTAVE = 12
NETWORKS = {"hierarchical": Hierarchical, "convolutional": Convolutional}


@dataclass
class VAEConfig:
    """What an InstrumentVAE is made of.

    Attributes:
        low, high: Lowest and highest pitch that the networks see; others are silent.
        latent: K.
        architecture: "hierarchical", or "convolutional" as published.
        likelihood: "bernoulli", or "gaussian" as published.
        planes: 2 for onset and sustain; 1 for sustain alone, as published.
        chord_relative: Whether pitches are seen from the chord's root, and the chord is known.
        step, beat, block: Widths of the hierarchical network: of a step, a beat and the block.
        kl_weight: Of the divergence in the loss.
    """

    low: int = 0
    high: int = PITCHES - 1
    latent: int = 64
    architecture: str = "hierarchical"
    likelihood: str = "bernoulli"
    planes: int = 2
    chord_relative: bool = True
    step: int = 48
    beat: int = 96
    block: int = 224
    kl_weight: float = 0.2

    def __post_init__(self):
        if self.architecture not in NETWORKS:
            raise ValueError(
                f"architecture {self.architecture!r} is unknown; available: {', '.join(NETWORKS)}"
            )
        if self.likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(
                f"likelihood {self.likelihood!r} is unknown; available: bernoulli, gaussian"
            )


class VAELoss(NamedTuple):
    """Parts of the loss of blocks, in nats a block.

    Attributes:
        total: What is minimised.
        reconstruction: Negative log likelihood.
        kl: Divergence of the latents from the prior.
    """

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


@dataclass(frozen=True)
class BinariseSettings:
    """How probabilities become notes."""

    # A pitch that sounds already is struck again from this probability on: the low threshold that
    # finds the beginnings of notes would chop held ones.
    again: float = 0.5
    # Where a block shall have a number of onsets, the onset threshold stays in this range.
    thresholds: tuple[float, float] = (0.02, 0.9)


class InstrumentVAE(nn.Module):
    """The VAE of one instrument.

    Attributes:
        config: What it is made of.
        thresholds: [2] probabilities from which on a note counts as struck, or as sounding; set on
            validation music after training.
    """

    thresholds: Tensor

    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        # Relative to a root up to six semitones away, a pitch can lie six beyond the instrument's
        # range.
        self.margin = OCTAVE // 2 if config.chord_relative else 0
        self.bottom = config.low - self.margin
        self.pitches = config.high + self.margin - self.bottom + 1
        self.network = NETWORKS[config.architecture](config, self.pitches)
        self.register_buffer("thresholds", torch.full((2,), 0.5))

    def encode(self, planes: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the latents of blocks.

        Args:
            planes: [N, 2, 32, P].
            plan: [N, H] int chords.

        Returns:
            [N, K] each.
        """
        return self.network.encode(self._seen(planes, plan), self._chord_input(plan))

    def decode(self, latents: Tensor, plan: Tensor) -> Tensor:
        """Return the probability that each pitch is struck and sounds.

        Args:
            latents: [N, K].
            plan: [N, H] int chords.

        Returns:
            [N, 2, 32, P].
        """
        output = self.network.decode(latents, self._chord_input(plan))
        output = output.sigmoid() if self.config.likelihood == "bernoulli" else output.clamp(0, 1)
        if self.config.planes == 1:
            sounding = output[:, 0]
            before = F.pad(sounding, (0, 0, 1, 0))[:, :-1]
            output = torch.stack([(sounding - before).clamp(min=0), sounding], dim=1)
        return self._unseen(output, plan)

    def binarise(
        self,
        probabilities: Tensor,
        onsets: Tensor | None = None,
        settings: BinariseSettings = BinariseSettings(),
    ) -> Tensor:
        """Draw notes where probabilities pass the fitted thresholds.

        Args:
            probabilities: [N, 2, 32, P].
            onsets: [N] how many notes are struck in each block: the likeliest. The thresholds
                decide where it is NaN.
            settings: Limits of the thresholds.

        Returns:
            Planes [N, 2, 32, P] uint8.
        """
        onset, sustain = probabilities[:, 0], probabilities[:, 1]
        thresholds = self.thresholds.expand(len(onset), 2)
        if onsets is not None:
            thresholds = thresholds * self._factor_for(onset, onsets, settings)[:, None]
        struck = onset > thresholds[:, 0, None, None]
        sounding = struck | (sustain > thresholds[:, 1, None, None])
        before = F.pad(sounding, (0, 0, 1, 0))[:, :-1]
        struck = struck & (~before | (onset > settings.again))
        return torch.stack([struck, sounding], dim=1).to(torch.uint8)

    def _factor_for(self, onset: Tensor, onsets: Tensor, settings: BinariseSettings) -> Tensor:
        """Return the factors of the thresholds that let a number of onsets pass.

        Args:
            onset: [N, 32, P] probabilities.
            onsets: [N] numbers; where it is NaN the factor is 1.
            settings: Limits of the thresholds.

        Returns:
            [N].
        """
        ordered = onset.flatten(1).sort(dim=1, descending=True).values
        count = onsets.nan_to_num().round().long().clamp(1, ordered.shape[1] - 1)[:, None]
        # Of all factors that let so many pass the one nearest to 1, so that a block that has them
        # already stays as it is.
        lowest, highest = (
            ordered.gather(1, index)[:, 0] / self.thresholds[0] for index in (count, count - 1)
        )
        factor = torch.minimum(lowest.clamp(min=1.0), highest * (1 - 1e-6))
        low, high = settings.thresholds
        factor = factor.clamp(low / self.thresholds[0], high / self.thresholds[0])
        return torch.where(onsets.isnan(), torch.ones_like(factor), factor)

    def loss(self, planes: Tensor, plan: Tensor, kl_weight: float) -> VAELoss:
        """Return the negative evidence lower bound of blocks.

        Args:
            planes: [N, 2, 32, P].
            plan: [N, H] int chords.
            kl_weight: Of the divergence.
        """
        seen, chord = self._seen(planes, plan), self._chord_input(plan)
        mean, log_variance = self.network.encode(seen, chord)
        sample = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        output = self.network.decode(sample, chord)
        if self.config.likelihood == "bernoulli":
            reconstruction = F.binary_cross_entropy_with_logits(
                output, seen, reduction="sum"
            ) / len(seen)
        else:
            reconstruction = F.mse_loss(output, seen, reduction="sum") / len(seen)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return VAELoss(reconstruction + kl_weight * kl, reconstruction, kl)

    def _seen(self, planes: Tensor, plan: Tensor) -> Tensor:
        """Return what the networks see of [N, 2, 32, P]: [N, planes, 32, pitches]."""
        planes = planes.to(self.thresholds.dtype)
        if self.config.planes == 1:
            planes = planes[:, 1:]
        wide = F.pad(planes, (2 * OCTAVE, 2 * OCTAVE))
        return _gather_pitches(wide, self._window(plan) + 2 * OCTAVE)

    def _unseen(self, output: Tensor, plan: Tensor) -> Tensor:
        """Return the opposite of `_seen`: [N, 2, 32, pitches] to [N, 2, 32, P]."""
        wide = F.pad(output, (2 * PITCHES, 2 * PITCHES))
        everything = torch.arange(PITCHES, device=output.device)
        start = self._window(plan)[..., :1]
        return _gather_pitches(wide, everything - start + 2 * PITCHES)

    def _window(self, plan: Tensor) -> Tensor:
        """Return the absolute pitch that each seen pitch stands for in each step.

        Returns:
            [N, 32, pitches] int.
        """
        window = torch.arange(self.pitches, device=plan.device) + self.bottom
        if not self.config.chord_relative:
            return window.expand(len(plan), BLOCK_STEPS, self.pitches)
        offset = root_offset(plan).repeat_interleave(HALF_BAR_STEPS, dim=1)
        return window + offset[..., None]

    def _chord_input(self, plan: Tensor) -> Tensor:
        """Return chords one-hot, [N, H, 24]; [N, H, 0] where the VAE has no chords."""
        if not self.config.chord_relative:
            return self.thresholds.new_zeros(len(plan), BLOCK_HALF_BARS, 0)
        return F.one_hot(plan, CHORD_COUNT).to(self.thresholds.dtype)


def _gather_pitches(planes: Tensor, pitches: Tensor) -> Tensor:
    """Pick at each step the pitches [N, 32, Q] of [N, D, 32, wide]: [N, D, 32, Q]."""
    return planes.gather(-1, pitches[:, None].expand(-1, planes.shape[1], -1, -1))
