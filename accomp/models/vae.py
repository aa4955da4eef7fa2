"""The instrument VAE: from a block of piano roll to a latent, and back.

Letters: N blocks of a batch, K latent size, P pitches (128), H half bars of a block (4).
Source: Tham & Kim 2021, "Using Variational Autoencoders": one VAE per instrument over 32 x 128
blocks.
New here are the onset plane, the likelihood (each cell is off, an onset or held), and the chord:
the pitched rolls are moved by each half bar's chord root before encoding and moved back after
decoding, so that a latent is a playing pattern under any chord.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.note_states import OFF, ONSET, likeliest_line, likeliest_states
from accomp.models.vae_networks import BLOCK_BEATS, Beatwise, Convolutional
from accomp.roll.chord_plan import CHORD_COUNT, root_offset
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, HALF_BAR_STEPS, PITCHES

OCTAVE = 12
NETWORKS = {"beatwise": Beatwise, "convolutional": Convolutional}
LIKELIHOODS = ("categorical", "gaussian")


@dataclass
class VAEConfig:
    """What an InstrumentVAE is made of.

    Attributes:
        low, high: Lowest and highest pitch that the networks see; others are silent.
        latent: K.
        architecture: "beatwise", or "convolutional" as published.
        likelihood: "categorical" (off, onset or hold), or "gaussian" as published.
        planes: 2 for onset and sustain; 1 for sustain alone, as published.
        chord_relative: Whether pitches are seen from the chord's root, and the chord is known.
        single: Whether at most one note sounds at a time; only a categorical VAE heeds it.
        step, beat: Widths of a step and of a beat in the beat-wise network.
        layers: In which the beats of the beat-wise network hear each other.
        dropout: Of the beat-wise network, in training.
        kl_weight: Of the divergence in the loss.
    """

    low: int = 0
    high: int = PITCHES - 1
    latent: int = 128
    architecture: str = "beatwise"
    likelihood: str = "categorical"
    planes: int = 2
    chord_relative: bool = True
    single: bool = False
    step: int = 96
    beat: int = 256
    layers: int = 1
    dropout: float = 0.0
    kl_weight: float = 0.08

    def __post_init__(self):
        if self.architecture not in NETWORKS:
            raise ValueError(
                f"architecture {self.architecture!r} is unknown; available: {', '.join(NETWORKS)}"
            )
        if self.likelihood not in LIKELIHOODS:
            raise ValueError(
                f"likelihood {self.likelihood!r} is unknown; available: {', '.join(LIKELIHOODS)}"
            )
        if self.architecture == "beatwise" and self.latent % BLOCK_BEATS:
            raise ValueError(f"latent is {self.latent}; accepted: multiples of {BLOCK_BEATS} beats")
        if self.likelihood == "categorical" and self.planes != 2:
            raise ValueError(f"planes is {self.planes}; the categorical likelihood needs 2")


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

    # With thresholds, a pitch that sounds already is struck again from this probability on: the low
    # threshold that finds the beginnings of notes would chop held ones.
    again: float = 0.5
    # Where a block shall have a number of onsets, their log odds change by at most this much, and
    # the range is halved so often to find by how much.
    push: float = 6.0
    halvings: int = 10


class InstrumentVAE(nn.Module):
    """The VAE of one instrument.

    Attributes:
        config: What it is made of.
        thresholds: [2] probabilities from which on a note counts as struck, or as sounding; set on
            validation music after training. None with the categorical likelihood.
        onset_bias: What is added to the log odds of onsets with the categorical likelihood; set
            likewise.
    """

    thresholds: Tensor
    onset_bias: Tensor

    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        # Relative to a root up to six semitones away, a pitch can lie six beyond the instrument's
        # range.
        self.margin = OCTAVE // 2 if config.chord_relative else 0
        self.bottom = config.low - self.margin
        self.pitches = config.high + self.margin - self.bottom + 1
        self.network = NETWORKS[config.architecture](config, self.pitches)
        if self.is_categorical:
            self.register_buffer("onset_bias", torch.zeros(()))
        else:
            self.register_buffer("thresholds", torch.full((2,), 0.5))

    @property
    def is_categorical(self) -> bool:
        """Whether each cell is off, an onset or held, rather than two numbers."""
        return self.config.likelihood == "categorical"

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

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
        if self.is_categorical:
            onset, hold = F.pad(output, (0, 0, 0, 0, 1, 0)).softmax(1)[:, 1:].unbind(1)
            output = torch.stack([onset, onset + hold], dim=1)
        else:
            output = output.clamp(0, 1)
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
        """Make notes of probabilities.

        With the categorical likelihood they are the likeliest ones, else those that pass the fitted
        thresholds.

        Args:
            probabilities: [N, 2, 32, P].
            onsets: [N] how many notes are struck in each block: onsets become likelier or less
                likely until there are about so many. NaN where that is not asked for.
            settings: Limits.

        Returns:
            Planes [N, 2, 32, P] uint8.
        """
        push = probabilities.new_zeros(len(probabilities))
        if onsets is not None and not onsets.isnan().all():
            push = self._push_for(probabilities, onsets, settings)
        return self._notes(probabilities, push, settings)

    def _push_for(
        self, probabilities: Tensor, onsets: Tensor, settings: BinariseSettings
    ) -> Tensor:
        """Return what must be added to log odds of onsets for there to be a number of them.

        Of all such numbers it is the one nearest to 0, so that a block that has them already stays
        as it is.

        Args:
            probabilities: [N, 2, 32, P].
            onsets: [N] numbers; where it is NaN nothing is added.
            settings: Limits.

        Returns:
            [N].
        """

        def count(push: Tensor) -> Tensor:
            return self._notes(probabilities, push, settings)[:, 0].flatten(1).sum(1)

        nothing = torch.zeros_like(onsets)
        played, most = count(nothing), torch.full_like(onsets, settings.push)
        too_many = played > onsets
        low, high = torch.where(too_many, -most, nothing), torch.where(too_many, nothing, most)
        for _ in range(settings.halvings):
            middle = (low + high) / 2
            found = count(middle)
            is_high = torch.where(too_many, found > onsets, found >= onsets)
            low, high = torch.where(is_high, low, middle), torch.where(is_high, middle, high)
        stays = onsets.isnan() | (played == onsets)
        return torch.where(stays, nothing, torch.where(too_many, low, high))

    def _notes(self, probabilities: Tensor, push: Tensor, settings: BinariseSettings) -> Tensor:
        """Make notes of probabilities [N, 2, 32, P].

        push: [N] is added to the log odds of onsets.
        """
        push = push[:, None, None]
        onset, sounding = probabilities[:, 0], probabilities[:, 1]
        if self.is_categorical:
            least = torch.finfo(probabilities.dtype).eps
            silent = (1 - sounding).clamp(min=least).log()
            struck = onset.clamp(min=least).log() - silent + self.onset_bias + push
            held = (sounding - onset).clamp(min=least).log() - silent
            find = likeliest_line if self.config.single else likeliest_states
            states = find(struck, held)
            return torch.stack([states == ONSET, states != OFF], dim=1).to(torch.uint8)
        onset = onset.where(push == 0, (onset.logit(eps=1e-6) + push).sigmoid())
        struck = onset > self.thresholds[0]
        sounds = struck | (sounding > self.thresholds[1])
        before = F.pad(sounds, (0, 0, 1, 0))[:, :-1]
        struck = struck & (~before | (onset > settings.again))
        return torch.stack([struck, sounds], dim=1).to(torch.uint8)

    def count_onsets(self, probabilities: Tensor) -> Tensor:
        """Count the notes [N] that are struck in what [N, 2, 32, P] is made into."""
        return self.binarise(probabilities)[:, 0].flatten(1).sum(1).to(probabilities.dtype)

    def loss(self, planes: Tensor, plan: Tensor, kl_weight: float) -> VAELoss:
        """Return the negative evidence lower bound of blocks.

        Args:
            planes: [N, 2, 32, P].
            plan: [N, H] int chords.
            kl_weight: Of the divergence.
        """
        seen, chord = self._seen(planes, plan), self._chord_input(plan)
        mean, log_variance = (each.float() for each in self.network.encode(seen, chord))
        sample = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        output = self.network.decode(sample, chord).float()  # products may be in half precision
        if self.is_categorical:
            # Log odds against silence: the three probabilities' normaliser is 1 + e^onset + e^hold.
            onset, hold = output.unbind(1)
            struck, sounding = seen.unbind(1)
            normaliser = F.softplus(torch.logaddexp(onset, hold))
            fit = normaliser - onset * struck - hold * (sounding - struck)
            reconstruction = fit.sum() / len(seen)
        else:
            reconstruction = F.mse_loss(output, seen, reduction="sum") / len(seen)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return VAELoss(reconstruction + kl_weight * kl, reconstruction, kl)

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    def _seen(self, planes: Tensor, plan: Tensor) -> Tensor:
        """Return what the networks see of [N, 2, 32, P]: [N, planes, 32, pitches]."""
        planes = planes.to(self._dtype)
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
            return torch.zeros(len(plan), BLOCK_HALF_BARS, 0, dtype=self._dtype, device=plan.device)
        return F.one_hot(plan, CHORD_COUNT).to(self._dtype)


def _gather_pitches(planes: Tensor, pitches: Tensor) -> Tensor:
    """Pick at each step the pitches [N, 32, Q] of [N, D, 32, wide]: [N, D, 32, Q]."""
    return planes.gather(-1, pitches[:, None].expand(-1, planes.shape[1], -1, -1))
