"""Define the two networks of the DCGAN, and how they learn from one another."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.grid import BLOCK_STEPS, PITCHES, TRACKS

NOISE = 100  # dimensions, as published
CHANNELS = (128, 96, 64, 32, 16)  # from the noise to the roll; ours
MEASURES = ("smoothing", "matching", "ttur")  # against instability


@dataclass(frozen=True)
class GANSettings:
    """How the networks learn: a part of `gan` in configs/rivals.yaml."""

    learning_rate: float  # of the generator
    ttur: float  # times that is the discriminator's
    smoothing: float  # width of the labels
    matching: tuple[float, float]  # weight of the means of the input and of the first layer
    betas: tuple[float, float] = (0.5, 0.999)  # of Adam, as is usual for DCGANs


class Generator(nn.Module):
    """From noise to a block of all instruments."""

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(NOISE, CHANNELS[0], (1, PITCHES // BLOCK_STEPS))
        ]
        for before, after in zip(CHANNELS, (*CHANNELS[1:], len(TRACKS))):
            layers += [
                nn.BatchNorm2d(before),
                nn.PReLU(),
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1),
            ]
        self.layers = nn.Sequential(*layers)
        nn.init.constant_(self.layers[-1].bias, -4.0)  # music is sparse
        # A note counts as sounding from these probabilities on: as much sounds then as in
        # validation songs, by track.
        self.register_buffer("thresholds", torch.full((len(TRACKS),), 0.5))

    def forward(self, noise: Tensor) -> Tensor:
        """Return the probability that each note sounds, [N, 5, 32, 128], of noise [N, 100]."""
        return self.layers(noise[:, :, None, None]).sigmoid()

    def binarise(self, probabilities: Tensor) -> Tensor:
        """Return what sounds, [N, 5, 32, 128] uint8."""
        return (probabilities > self.thresholds[:, None, None]).to(torch.uint8)


class Discriminator(nn.Module):
    """From blocks to whether they are real."""

    def __init__(self):
        super().__init__()
        channels = CHANNELS[::-1]
        self.first = nn.Sequential(
            nn.Conv2d(len(TRACKS), channels[0], 4, stride=2, padding=1), nn.PReLU()
        )
        layers: list[nn.Module] = []
        for before, after in zip(channels, channels[1:]):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1),
                nn.BatchNorm2d(after),
                nn.PReLU(),
            ]
        self.others = nn.Sequential(
            *layers, nn.Conv2d(channels[-1], 1, (1, PITCHES // BLOCK_STEPS))
        )

    def forward(self, rolls: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and the features of the first layer, of rolls [N, 5, 32, 128].

        The logits [N] say whether the rolls are real; the features are [N, 16, 16, 64].
        """
        features = self.first(rolls)
        return self.others(features).flatten(), features


def smooth_labels(count: int, real: bool, width: float, generator: torch.Generator) -> Tensor:
    """Draw labels evenly: 0 to `width` for generated blocks, 1 - `width` to 1 for real ones.

    Args:
        count: How many.
        real: Whether they are for real blocks.
        width: At most 0.5.
        generator: Draws them.
    """
    noise = width * torch.rand(count, generator=generator)
    return 1 - noise if real else noise


class Adversaries(nn.Module):
    """Both networks and how they learn.

    The document only names the measures against instability. They are taken from: label smoothing,
    Salimans et al. 2016; feature matching by two regularisers, Yang et al. 2017 (MidiNet), "CNN";
    TTUR, Heusel et al. 2017.
    """

    def __init__(self, settings: GANSettings, without: tuple[str, ...] = ()):
        """Make both networks. without: those of MEASURES that are off."""
        super().__init__()
        self.generator, self.discriminator = Generator(), Discriminator()
        self.smoothing = 0.0 if "smoothing" in without else settings.smoothing
        self.matching = (0.0, 0.0) if "matching" in without else tuple(settings.matching)
        self.betas = settings.betas
        self.rates = {
            "generator": settings.learning_rate,
            "discriminator": settings.learning_rate * (1.0 if "ttur" in without else settings.ttur),
        }

    def optimizer(self) -> torch.optim.Optimizer:
        """Return one Adam with the two networks as its groups.

        It does not change what has no gradient.
        """
        return torch.optim.Adam(
            [
                {"params": list(getattr(self, name).parameters()), "lr": rate, "betas": self.betas}
                for name, rate in self.rates.items()
            ]
        )

    def draw(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw what a step needs: noise [count, 100], labels of real and of generated blocks."""
        noise = torch.randn(count, NOISE, generator=random)
        real, made = (smooth_labels(count, kind, self.smoothing, random) for kind in (True, False))
        return noise, real, made

    def step(
        self, real: Tensor, drawn: tuple[Tensor, Tensor, Tensor], optimizer: torch.optim.Optimizer
    ) -> dict[str, Tensor]:
        """Make one step of the discriminator and one of the generator.

        Args:
            real: Rolls [N, 5, 32, 128].
            drawn: As of `draw`.
            optimizer: As of `optimizer`.

        Returns:
            The losses: `loss` is what the generator descends, and `told_apart` the share of blocks
            that the discriminator judged rightly.
        """
        noise, real_labels, made_labels = drawn
        made = self.generator(noise)
        on_real, on_made = self.discriminator(real)[0], self.discriminator(made.detach())[0]
        doubt = F.binary_cross_entropy_with_logits
        judging = doubt(on_real, real_labels) + doubt(on_made, made_labels)
        optimizer.zero_grad(set_to_none=True)
        judging.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        verdict, features = self.discriminator(made)
        fooling = doubt(verdict, torch.ones_like(verdict))
        matching = torch.zeros((), device=real.device)
        if any(self.matching):
            with torch.no_grad():
                real_features = self.discriminator(real)[1]
            of_input, of_features = self.matching
            matching = of_input * _apart(real, made) + of_features * _apart(real_features, features)
        (fooling + matching).backward()
        for parameter in self.discriminator.parameters():
            parameter.grad = None
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        found = (on_real > 0).float().mean() / 2 + (on_made < 0).float().mean() / 2
        return {
            "loss": fooling + matching,
            "fooling": fooling,
            "matching": matching,
            "discriminator": judging,
            "told_apart": found,
        }


def _apart(real: Tensor, made: Tensor) -> Tensor:
    """Return the squared distance of two batches' means."""
    return (real.mean(0) - made.mean(0)).square().sum()
