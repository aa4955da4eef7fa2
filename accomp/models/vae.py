"""The instrument VAE: a block of one instrument's piano roll to a latent vector, and back.

Letters: N blocks of a batch, K latent size, P pitches (128), H half bars of a block (4).
Source: Tham & Kim 2021, "Using Variational Autoencoders": one VAE per instrument over 32 x 128 blocks. New here are the
onset plane, the Bernoulli likelihood, and the chord: the pitched rolls are moved by each half bar's chord root before
encoding and moved back after decoding, so that a latent is a playing pattern under any chord.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll import chord_plan as chords
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, HALF_BAR_STEPS, PITCHES, STEPS_PER_BEAT

OCTAVE = 12


@dataclass
class VAEConfig:
    low: int = 0  # lowest and highest pitch that the networks see; others are silent
    high: int = PITCHES - 1
    latent: int = 64  # K
    architecture: str = "hierarchical"  # or "convolutional", the paper's
    likelihood: str = "bernoulli"  # or "gaussian", the paper's
    planes: int = 2  # onset and sustain; 1 is sustain alone, the paper's
    chord_relative: bool = True  # see pitches from the chord's root and know the chord
    step: int = 48  # widths of the hierarchical network: a step, a beat, the block
    beat: int = 96
    block: int = 224
    kl_weight: float = 0.2

    def __post_init__(self):
        if self.architecture not in ("hierarchical", "convolutional"):
            raise ValueError(
                f"architecture {self.architecture!r} is unknown; available: hierarchical, convolutional"
            )
        if self.likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(
                f"likelihood {self.likelihood!r} is unknown; available: bernoulli, gaussian"
            )


class Loss(NamedTuple):
    total: Tensor
    reconstruction: Tensor  # nats a block
    kl: Tensor  # nats a block


class InstrumentVAE(nn.Module):
    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        # Relative to a root up to six semitones away, a pitch can lie six beyond the instrument's range.
        self.margin = OCTAVE // 2 if config.chord_relative else 0
        self.bottom = config.low - self.margin
        self.pitches = config.high + self.margin - self.bottom + 1
        network = _Hierarchical if config.architecture == "hierarchical" else _Convolutional
        self.network = network(config, self.pitches)
        # A note counts as struck, or as sounding, from this probability on; set on validation music after training.
        self.register_buffer("thresholds", torch.full((2,), 0.5))

    def encode(self, planes: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the latents, [N, K] each, of blocks [N, 2, 32, P] under chords [N, H] int."""
        return self.network.encode(self._seen(planes, plan), self._chord_input(plan))

    def decode(self, latents: Tensor, plan: Tensor) -> Tensor:
        """Probability that each pitch is struck and sounds, [N, 2, 32, P], of latents [N, K] under chords [N, H] int."""
        output = self.network.decode(latents, self._chord_input(plan))
        output = output.sigmoid() if self.config.likelihood == "bernoulli" else output.clamp(0, 1)
        if self.config.planes == 1:
            sounding = output[:, 0]
            before = F.pad(sounding, (0, 0, 1, 0))[:, :-1]
            output = torch.stack([(sounding - before).clamp(min=0), sounding], dim=1)
        return self._unseen(output, plan)

    def binarise(self, probabilities: Tensor, onsets: Tensor | None = None) -> Tensor:
        """Planes [N, 2, 32, P] uint8 by the fitted thresholds. A pitch that sounds already is struck again only where that is
        more likely than not: the low threshold that finds the beginnings of notes would chop held ones. onsets: [N] how many
        notes are struck in each block, the likeliest; where it is NaN the thresholds tell.
        """
        onset, sustain = probabilities[:, 0], probabilities[:, 1]
        thresholds = self.thresholds.expand(len(onset), 2)
        if onsets is not None:
            thresholds = thresholds * self._factor_for(onset, onsets)[:, None]
        struck = onset > thresholds[:, 0, None, None]
        sounding = struck | (sustain > thresholds[:, 1, None, None])
        before = F.pad(sounding, (0, 0, 1, 0))[:, :-1]
        struck = struck & (~before | (onset > 0.5))
        return torch.stack([struck, sounding], dim=1).to(torch.uint8)

    def _factor_for(self, onset: Tensor, onsets: Tensor) -> Tensor:
        """[N] by what to multiply the thresholds so that `onsets` [N] of the probabilities [N, 32, P] pass; 1 where it is NaN."""
        ordered = onset.flatten(1).sort(dim=1, descending=True).values
        count = onsets.nan_to_num().round().long().clamp(1, ordered.shape[1] - 1)[:, None]
        # Of all factors that let so many pass the one nearest to 1, so that a block that has them already stays as it is.
        lowest, highest = (
            ordered.gather(1, index)[:, 0] / self.thresholds[0] for index in (count, count - 1)
        )
        factor = torch.minimum(lowest.clamp(min=1.0), highest * (1 - 1e-6))
        factor = factor.clamp(0.02 / self.thresholds[0], 0.9 / self.thresholds[0])
        return torch.where(onsets.isnan(), torch.ones_like(factor), factor)

    def loss(self, planes: Tensor, plan: Tensor, kl_weight: float) -> Loss:
        """Negative evidence lower bound, nats a block, the divergence weighted by `kl_weight`."""
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
        return Loss(reconstruction + kl_weight * kl, reconstruction, kl)

    def _seen(self, planes: Tensor, plan: Tensor) -> Tensor:
        """[N, planes, 32, pitches]: what the networks see of [N, 2, 32, P]."""
        planes = planes.to(self.thresholds.dtype)
        if self.config.planes == 1:
            planes = planes[:, 1:]
        wide = F.pad(planes, (2 * OCTAVE, 2 * OCTAVE))
        return _gather_pitches(wide, self._window(plan) + 2 * OCTAVE)

    def _unseen(self, output: Tensor, plan: Tensor) -> Tensor:
        """Opposite of `_seen`: [N, 2, 32, pitches] to [N, 2, 32, P]."""
        wide = F.pad(output, (2 * PITCHES, 2 * PITCHES))
        everything = torch.arange(PITCHES, device=output.device)
        start = self._window(plan)[..., :1]
        return _gather_pitches(wide, everything - start + 2 * PITCHES)

    def _window(self, plan: Tensor) -> Tensor:
        """[N, 32, pitches] int: the absolute pitch that each seen pitch stands for, in each step."""
        window = torch.arange(self.pitches, device=plan.device) + self.bottom
        if not self.config.chord_relative:
            return window.expand(len(plan), BLOCK_STEPS, self.pitches)
        offset = chords.root_offset(plan).repeat_interleave(HALF_BAR_STEPS, dim=1)
        return window + offset[..., None]

    def _chord_input(self, plan: Tensor) -> Tensor:
        """[N, H, 24] one-hot; [N, H, 0] for a VAE that does not know chords."""
        if not self.config.chord_relative:
            return self.thresholds.new_zeros(len(plan), BLOCK_HALF_BARS, 0)
        return F.one_hot(plan, chords.CHORD_COUNT).to(self.thresholds.dtype)


def _gather_pitches(planes: Tensor, pitches: Tensor) -> Tensor:
    """[N, D, 32, Q] of [N, D, 32, wide]: at each step the pitches [N, 32, Q]."""
    return planes.gather(-1, pitches[:, None].expand(-1, planes.shape[1], -1, -1))


class _Hierarchical(nn.Module):
    """Steps into beats, beats into the block; the decoder goes back the same way and hears the chords at each beat."""

    def __init__(self, config: VAEConfig, pitches: int):
        super().__init__()
        self.depth, self.pitches = config.planes, pitches
        beats = BLOCK_STEPS // STEPS_PER_BEAT
        self.beats = beats
        chord = chords.CHORD_COUNT if config.chord_relative else 0
        step, beat, block = config.step, config.beat, config.block
        self.steps_in = nn.Sequential(nn.Linear(self.depth * pitches, step), nn.GELU())
        self.beats_in = nn.Sequential(nn.Linear(STEPS_PER_BEAT * step, beat), nn.GELU())
        self.block_in = nn.Sequential(
            nn.Linear(beats * beat + BLOCK_HALF_BARS * chord, block),
            nn.GELU(),
            _Residual(block),
            nn.Linear(block, 2 * config.latent),
        )
        self.block_out = nn.Sequential(
            nn.Linear(config.latent + BLOCK_HALF_BARS * chord, block),
            nn.GELU(),
            _Residual(block),
            nn.Linear(block, beats * beat),
        )
        self.beats_out = nn.Sequential(nn.GELU(), nn.Linear(beat + chord, STEPS_PER_BEAT * step))
        self.steps_out = nn.Sequential(nn.GELU(), nn.Linear(step, self.depth * pitches))
        # Music is sparse: begin with a low probability everywhere.
        nn.init.constant_(
            self.steps_out[-1].bias, -4.0 if config.likelihood == "bernoulli" else 0.0
        )

    def encode(self, seen: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        count = len(seen)
        steps = self.steps_in(seen.transpose(1, 2).reshape(count, BLOCK_STEPS, -1))
        beats = self.beats_in(steps.reshape(count, self.beats, -1))
        mean, log_variance = self.block_in(
            torch.cat([beats.flatten(1), chord.flatten(1)], dim=1)
        ).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 4)

    def decode(self, latents: Tensor, chord: Tensor) -> Tensor:
        count = len(latents)
        beats = self.block_out(torch.cat([latents, chord.flatten(1)], dim=1)).reshape(
            count, self.beats, -1
        )
        of_beat = chord.repeat_interleave(self.beats // BLOCK_HALF_BARS, dim=1)
        steps = self.beats_out(torch.cat([beats, of_beat], dim=2)).reshape(count, BLOCK_STEPS, -1)
        return (
            self.steps_out(steps)
            .reshape(count, BLOCK_STEPS, self.depth, self.pitches)
            .transpose(1, 2)
        )


class _Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.inner = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class _Convolutional(nn.Module):
    """The published network: three convolutions of 64, 128 and 256 channels, each halving time and pitch, and back."""

    def __init__(self, config: VAEConfig, pitches: int):
        super().__init__()
        if config.chord_relative:
            raise ValueError(
                "the convolutional architecture does not know chords; set chord_relative: false"
            )
        self.pitches = pitches
        self.padded = -(-pitches // 8) * 8
        self.shape = (256, BLOCK_STEPS // 8, self.padded // 8)
        size = self.shape[0] * self.shape[1] * self.shape[2]
        # Channels of 64, 128 and 256 (Tham & Kim) would make the dense layers alone 4 M weights at a full roll;
        # a 1 x 1 convolution to 16 channels before them keeps all five VAEs within one small file.
        self.narrow = 16
        down, up = (
            dict(kernel_size=3, stride=2, padding=1),
            dict(kernel_size=3, stride=2, padding=1, output_padding=1),
        )
        self.encoder = nn.Sequential(
            nn.Conv2d(config.planes, 64, **down),
            nn.ReLU(),
            nn.Conv2d(64, 128, **down),
            nn.ReLU(),
            nn.Conv2d(128, 256, **down),
            nn.ReLU(),
            nn.Conv2d(256, self.narrow, 1),
            nn.Flatten(),
            nn.Linear(size // 256 * self.narrow, 2 * config.latent),
        )
        self.dense = nn.Linear(config.latent, size // 256 * self.narrow)
        self.decoder = nn.Sequential(
            nn.Conv2d(self.narrow, 256, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(256, 128, **up),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, **up),
            nn.ReLU(),
            nn.ConvTranspose2d(64, config.planes, **up),
        )

    def encode(self, seen: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(F.pad(seen, (0, self.padded - self.pitches))).chunk(
            2, dim=1
        )
        return mean, log_variance.clamp(-10, 4)

    def decode(self, latents: Tensor, chord: Tensor) -> Tensor:
        hidden = self.dense(latents).reshape(-1, self.narrow, *self.shape[1:])
        return self.decoder(hidden)[..., : self.pitches]
