"""The two networks of the DCGAN, and how they learn from one another; see train.rivals.gan."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.grid import BLOCK_STEPS, PITCHES, TRACKS

NOISE = 100
CHANNELS = (128, 96, 64, 32, 16)  # from the noise to the roll
MEASURES = ("smoothing", "matching", "ttur")  # against instability
BETAS = (0.5, 0.999)  # of Adam, as is usual for DCGANs


class Generator(nn.Module):
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
        # A note counts as sounding from these probabilities on: as much sounds then as in validation songs, by track.
        self.register_buffer("thresholds", torch.full((len(TRACKS),), 0.5))

    def forward(self, noise: Tensor) -> Tensor:
        """Probabilities [N, 5, 32, 128] that a note sounds, of noise [N, 100]."""
        return self.layers(noise[:, :, None, None]).sigmoid()

    def binarise(self, probabilities: Tensor) -> Tensor:
        """[N, 5, 32, 128] uint8."""
        return (probabilities > self.thresholds[:, None, None]).to(torch.uint8)


class Discriminator(nn.Module):
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
        """Logits [N] that rolls [N, 5, 32, 128] are real, and the features of the first layer [N, 16, 16, 64]."""
        features = self.first(rolls)
        return self.others(features).flatten(), features


def smooth_labels(count: int, real: bool, width: float, generator: torch.Generator) -> Tensor:
    """[count] labels: 0 to `width` for generated and 1 - `width` to 1 for real blocks, evenly by chance."""
    noise = width * torch.rand(count, generator=generator)
    return 1 - noise if real else noise


class Adversaries(nn.Module):
    """Both networks and how they learn. settings: `gan` of rivals.yaml; without: of MEASURES, those that are off.

    Source of the measures, where the document only names them: label smoothing, Salimans et al. 2016; feature matching by two
    regularisers, Yang et al. 2017 (MidiNet), "CNN"; TTUR, Heusel et al. 2017.
    """

    def __init__(self, settings: dict, without: tuple[str, ...] = ()):
        super().__init__()
        self.generator, self.discriminator = Generator(), Discriminator()
        self.smoothing = 0.0 if "smoothing" in without else settings["smoothing"]
        self.matching = (0.0, 0.0) if "matching" in without else tuple(settings["matching"])
        self.rates = {
            "generator": settings["learning_rate"],
            "discriminator": settings["learning_rate"],
        }
        self.rates["discriminator"] *= 1.0 if "ttur" in without else settings["ttur"]

    def optimizer(self) -> torch.optim.Optimizer:
        """One Adam with the two networks as its groups; it leaves alone whatever has no gradient."""
        return torch.optim.Adam(
            [
                {"params": list(getattr(self, name).parameters()), "lr": rate, "betas": BETAS}
                for name, rate in self.rates.items()
            ]
        )

    def step(
        self, real: Tensor, optimizer: torch.optim.Optimizer, random: torch.Generator
    ) -> dict[str, Tensor]:
        """One step of the discriminator and one of the generator on real rolls [N, 5, 32, 128]; their losses: `loss` is what the
        generator descends and `told_apart` the share of blocks that the discriminator judged rightly.
        """
        count, device = len(real), real.device
        made = self.generator(torch.randn(count, NOISE, generator=random).to(device))
        labels = {
            kind: smooth_labels(count, kind, self.smoothing, random).to(device)
            for kind in (True, False)
        }
        on_real, on_made = self.discriminator(real)[0], self.discriminator(made.detach())[0]
        doubt = F.binary_cross_entropy_with_logits
        judging = doubt(on_real, labels[True]) + doubt(on_made, labels[False])
        optimizer.zero_grad(set_to_none=True)
        judging.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        verdict, features = self.discriminator(made)
        fooling = doubt(verdict, torch.ones_like(verdict))
        matching = torch.zeros((), device=device)
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
    """Squared distance of two batches' means."""
    return (real.mean(0) - made.mean(0)).square().sum()
