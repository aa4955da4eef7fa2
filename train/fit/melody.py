"""Train the MelodyNN that invents melodies.

    python -m train melody --corpus CORPUS [--also CORPUS ...] --init MODEL --run RUN

--init is the model whose piano VAE gives the latents: a genre's name, a folder, or a run that holds
`piano`. One MelodyNN serves all models with that piano VAE. What came of the training is measured
by `train melody_figures`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.invention.invent import fingerprint
from accomp.models import harmony_nn
from accomp.models.harmony_nn import Context, HarmonyConfig
from accomp.models.melody_nn import ANY, MelodyConfig, MelodyNN, melody_context
from train.data.corpus import Corpus
from train.data.melodies import Melodies, MelodyReading, read_melodies
from train.data.melody_codes import MelodyCodeSettings, fill_melody_codebook
from train.fit.harmony_task import on_device
from train.fit.loop import FitSettings, Task, fit
from train.fit.melody_habits import HabitSettings, count_habits, count_tempos
from train.fit.player_task import device_of
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import CONFIGS, genre_of, training_parser

# The published network: one hidden layer, squared error.
PUBLISHED = {
    "head": "regression",
    "width": 128,
    "residual_blocks": 0,
    "shared_trunk": False,
    "dropout": 0.0,
    "context": False,
}


@dataclass(frozen=True)
class MelodyTraining:
    """How often the network learns from what."""

    # Share of the steps without their genre, for models of genres that the network doesn't know.
    any_genre: float = 0.15
    noisy: float = 0.5  # share of the previous latents with noise, as they will have it
    most_noise: float = 1.0  # its largest standard deviation
    forgotten: float = 0.1  # share of the steps without the previous latent
    opening: float = 0.5  # share of the first network's steps without the blocks before
    first_every: int = 4  # blocks; what the first network learns from begins a phrase
    last: int = 4  # times that the last network sees each of its few steps in an epoch


@dataclass(frozen=True)
class MelodySettings:
    """How a MelodyNN is made, beside the config's `training: melody`."""

    reading: MelodyReading = MelodyReading()
    codes: MelodyCodeSettings = MelodyCodeSettings()
    habits: HabitSettings = HabitSettings()
    training: MelodyTraining = MelodyTraining()


def main(arguments: list[str] | None = None, settings: MelodySettings = MelodySettings()) -> None:
    """Train the network on the melodies of all corpora, and count their habits."""
    parser = training_parser("melody", __doc__)
    parser.add_argument(
        "--also", type=Path, nargs="*", default=[], metavar="CORPUS", help="such as POP909"
    )
    parser.add_argument(
        "--midi",
        type=Path,
        metavar="FOLDER",
        help="the corpus's MIDI files, which tell of tempi and keys",
    )
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="for config.json and model.safetensors (default: RUN/model)",
    )
    parser.add_argument(
        "--published",
        action="store_true",
        help="train the published network: one hidden layer, squared error",
    )
    options = parser.parse_args(arguments)
    if not options.init:
        raise SystemExit("--init must name the model whose piano VAE is to be used")
    config = read_config(options.config)
    voice = Accompanist.from_pretrained(options.init, device="cpu")
    corpora = [Corpus.load(folder) for folder in (options.corpus, *options.also)]
    labels = {song["genre"] for corpus in corpora for song in corpus.songs}
    genre_by_label = {label: genre_of(config, label) for label in labels}
    genres = [*sorted(set(genre_by_label.values())), ANY]
    numbers = {label: genres.index(genre) for label, genre in genre_by_label.items()}
    melodies = {
        split: read_melodies(corpora, split, voice, numbers, settings.reading)
        for split in ("train", "val")
    }
    for split, found in melodies.items():
        if not len(found.places):
            fewest = settings.reading.fewest_blocks
            raise SystemExit(f"the corpora hold no {split} song whose melody has {fewest} blocks")
    network = PUBLISHED if options.published else config["training"]["melody"]["network"]
    torch.manual_seed(options.seed)
    latent = melodies["train"].latents.shape[1] - 1
    model = MelodyNN(
        MelodyConfig(HarmonyConfig(**network, genres=genres), latent, fingerprint(voice))
    )
    count_habits(model, melodies["train"], settings.habits)
    if options.midi:
        count_tempos(model, corpora[0], options.midi, genre_by_label, settings.habits)
    if not options.published:
        fill_melody_codebook(model, melodies["train"], voice, options.seed, settings.codes)
    folder = options.run / "melody"
    fit_settings = dict(config["training"]["melody"], seed=options.seed)
    del fit_settings["network"]
    task = MelodyTask(model, melodies, settings.training)
    history = fit(folder, task, FitSettings(**fit_settings), options.max_steps)
    save_weights(folder, model)
    model.save(options.export or options.run / "model")
    known = {
        "seed": options.seed,
        "data": [corpus.described() for corpus in corpora],
        "losses": history[-1] if history else {},
    }
    write_json(folder / FIGURES, known)


def read_config(path: Path) -> dict:
    """Read a config file; SystemExit says that it has no settings for melodies."""
    config = yaml.safe_load(path.read_text())
    if "melody" not in config["training"]:
        raise SystemExit(
            f"{path.name} has no settings for melodies; accepted: {CONFIGS / 'accomp.yaml'}"
        )
    return config


class MelodyTask(Task):
    """The three networks of a MelodyNN and the melodies that they learn from."""

    def __init__(
        self,
        melody_nn: MelodyNN,
        melodies: dict[str, Melodies],
        settings: MelodyTraining = MelodyTraining(),
    ):
        super().__init__(melody_nn.network)
        self.melodies, self.settings = melodies, settings
        self.is_published = melody_nn.is_published
        self.any_genre = len(melody_nn.config.harmony.genres) - 1

    def context(self, melodies: Melodies, rows: Tensor) -> tuple[Context, Tensor]:
        """Return what the network takes as input at places [n, 4], and the latents [n, Z + 1]."""
        first, block, blocks, genre = rows.T
        context = melody_context(block, blocks, melodies.latents, melodies.plan, genre, first)
        if self.is_published:
            context.melody = torch.zeros_like(context.melody)
        return context, melodies.latents[first + block]

    def steps_of(self, melodies: Melodies) -> dict[str, Tensor]:
        """Return the places [n, 4] from which each of the three networks learns."""
        rows = melodies.places[melodies.latents[:, -1] > 0]
        _, block, blocks, _ = rows.T
        return {
            "first": rows[block % self.settings.first_every == 0],
            "middle": rows[block > 0],
            "last": rows[(block >= blocks - 2) & (block > 0)],
        }

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple]:
        """Give batches of one network each: its name, its input as a dict, and the latents."""
        train, settings = self.melodies["train"], self.settings
        order = []
        for step, rows in self.steps_of(train).items():
            rows = rows[torch.randperm(len(rows), generator=generator)]
            rows = rows.repeat(settings.last if step == "last" else 1, 1)
            order += [(step, rows[at : at + size]) for at in range(0, len(rows), size)]
        for index in torch.randperm(len(order), generator=generator).tolist():
            step, rows = order[index]
            context, target = self.context(train, rows)
            count = len(rows)
            if step == "first":  # a song's first block has none before it
                drawn = torch.rand(count, 1, 1, generator=generator)
                context.melody = context.melody * (drawn < settings.opening)
            if not self.is_published:
                disturb(context, generator, settings)
                unknown = torch.rand(count, generator=generator) < settings.any_genre
                context.genre = torch.where(unknown, self.any_genre, context.genre)
            yield step, vars(context), target

    def losses(self, progress: float, batch: tuple) -> dict[str, Tensor]:
        """Return the mean loss of a batch of one network."""
        step, context, target = batch
        return {"loss": self.model.loss(step, Context(**context), target).mean()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the mean losses of each network; `loss` is that of the middle one."""
        device, val = device_of(self.model), self.melodies["val"]
        found = {}
        for step, rows in self.steps_of(val).items():
            parts = []
            for at in range(0, len(rows), 1024):
                context, target = self.context(val, rows[at : at + 1024])
                context = on_device(context, device)
                parts.append(self.model.loss(step, context, target.to(device)))
            if parts:
                found[step] = float(torch.cat(parts).mean())
        return {"loss": found.get("middle", float("nan")), **found}


def disturb(context: Context, generator: torch.Generator, settings: MelodyTraining) -> None:
    """Add noise to some of the previous latents, in place, and forget some."""
    count = len(context.previous)
    size = torch.rand(count, 1, generator=generator) * settings.most_noise
    size = size * (torch.rand(count, 1, generator=generator) < settings.noisy)
    latents, known = context.previous[:, :-1], context.previous[:, -1:] > 0
    noise = size * torch.randn(latents.shape, generator=generator)
    previous = torch.cat([latents + noise * known, context.previous[:, -1:]], dim=1)
    forgotten = torch.rand(count, generator=generator) < settings.forgotten
    context.previous = harmony_nn.forget(previous, forgotten)


if __name__ == "__main__":
    main()
