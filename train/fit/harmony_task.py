"""Train the HarmonyNN of one instrument: what it learns from, and how it is measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.models.harmony_nn import (
    Context,
    HarmonyNN,
    Sampling,
    SongLatents,
    forget,
    harmony_context,
)
from accomp.roll.grid import MELODY
from train.fit.player_task import CorpusLatents, PlayerTask, device_of


@dataclass(frozen=True)
class HarmonyTraining:
    """How often a network learns from what."""

    # Share of steps without the previous latent, so that the network heeds the rest too.
    previous_dropped: float = 0.2
    # Share of steps from what the network would itself have played before (Bengio et al. 2015,
    # scheduled sampling, of one step), so that it learns to go on from its own steps.
    own_previous: float = 0.3
    # How often each network sees each of its steps in an epoch. One middle step in three is also a
    # lesson for the first network; closings are few and come around often.
    middle: float = 1.0
    first: float = 0.34
    last: float = 4.0
    validated_first: int = 8  # of so many blocks, one validates the first network: all cost much


class HarmonyTask(PlayerTask):
    """The first, middle and last network of one instrument, and the songs they learn from."""

    model: HarmonyNN

    def __init__(
        self,
        band: Accompanist,
        track: int,
        latents: CorpusLatents,
        places: dict[str, Tensor],
        settings: HarmonyTraining = HarmonyTraining(),
        write_examples: Callable[[Path], None] | None = None,
    ):
        """Keep what is trained on what.

        Args:
            band: The models of which the network is one.
            track: Whose network.
            latents: All blocks of the corpus.
            places: By split, as of `places_of`.
            settings: How often it learns from what.
            write_examples: Writes music that the band plays.
        """
        super().__init__(band, track, latents, write_examples)
        self.places, self.settings = places, settings

    def context(self, step: str, rows: Tensor) -> tuple[Context, Tensor]:
        """Return what a network takes as input at places [n, 4], and the latents [n, K + 1]."""
        first, block, blocks, genre = rows.T
        tracks = self.latents.by_track
        melody = tracks[MELODY][:, :-1]
        songs = SongLatents(melody, tracks, self.latents.plan, blocks, genre, first)
        context = harmony_context(step, self.track, block, songs)
        return context, tracks[self.track][first + block]

    def steps_of(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the places from which each of the three networks learns.

        The first one learns from any block where the instrument plays, since the openings of real
        songs teach silence; the last one from the last two blocks.
        """
        first, block, blocks = rows[:, 0], rows[:, 1], rows[:, 2]
        active = self.latents.by_track[self.track][first + block, -1] > 0
        inner = (block > 0) & (block < blocks - 1)
        return {
            "first": rows[active],
            "middle": rows[inner],
            "last": rows[(block >= blocks - 2) & (block > 0)],
        }

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple]:
        """Give batches of one network each: its name, its input as a dict, and the latents."""
        order = []
        for step, rows in self.steps_of(self.places["train"]).items():
            chosen = rows[torch.randperm(len(rows), generator=generator)]
            times = getattr(self.settings, step)
            if times < 1:
                chosen = chosen[: max(size, int(len(chosen) * times))]
            chosen = chosen.repeat(int(max(times, 1)), 1)
            order += [(step, chosen[at : at + size]) for at in range(0, len(chosen), size)]
        for index in torch.randperm(len(order), generator=generator).tolist():
            step, rows = order[index]
            context, target = self.context(step, rows)
            if self.config.harmony.head == "codebook":
                if step != "first":
                    context.previous = self._own_previous(rows, context.previous, generator)
                dropped = torch.rand(len(rows), generator=generator)
                context.previous = forget(
                    context.previous, dropped < self.settings.previous_dropped
                )
            yield step, vars(context), target

    @torch.no_grad()
    def _own_previous(self, rows: Tensor, real: Tensor, generator: torch.Generator) -> Tensor:
        """Return the previous latents, some of them as the network would have chosen them.

        Args:
            rows: [n, 4] places.
            real: [n, K + 1] the latents that precede them.
            generator: Draws which, and what.
        """
        drawn = torch.rand(len(rows), generator=generator) < self.settings.own_previous
        own = torch.nonzero(drawn & (rows[:, 1] > 0))[:, 0]
        if not len(own):
            return real
        before = rows[own].clone()
        before[:, 1] -= 1
        context = on_device(self.context("middle", before)[0], device_of(self.model))
        self.model.eval()
        sampling = Sampling(self.config.temperature, self.config.top_p)
        chosen = self.model.choose("middle", context, generator, sampling).cpu()
        self.model.train()
        previous = real.clone()
        previous[own] = chosen
        return previous

    def losses(self, progress: float, batch: tuple) -> dict[str, Tensor]:
        """Return the mean loss of a batch of one network."""
        step, context, target = batch
        return {"loss": self.model.loss(step, Context(**context), target).mean()}

    @torch.no_grad()
    def evaluate(self, split: str) -> dict[str, float]:
        """Return the mean losses on a split: of each network, and of all steps."""
        device = device_of(self.model)
        found = {}
        for step, rows in self.steps_of(self.places[split]).items():
            if step == "first":
                rows = rows[rows[:, 1] % self.settings.validated_first == 0]
            if not len(rows):
                continue
            values = []
            for at in range(0, len(rows), 1024):
                context, target = self.context(step, rows[at : at + 1024])
                context = on_device(context, device)
                values.append(self.model.loss(step, context, target.to(device)).cpu())
            found[step] = torch.cat(values)
        return {
            "loss": float(torch.cat(list(found.values())).mean()),
            **{step: float(values.mean()) for step, values in found.items()},
        }


def on_device(context: Context, device: torch.device) -> Context:
    """Return a context whose tensors are on a device."""
    return Context(**{name: value.to(device) for name, value in vars(context).items()})
