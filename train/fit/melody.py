"""Train the MelodyNN that invents melodies: `python -m train melody --corpus CORPUS [--also CORPUS ...] --init MODEL --run RUN`.

--init is a model whose piano VAE gives the latents (a genre's name, a folder, or a run that holds `piano`); --midi, the folder
of the corpus's MIDI files, tells of their tempi and keys. With --export it is written there (default: RUN/model), by itself: one
MelodyNN serves all models with that piano VAE. What came of it is measured by train.eval.melody_figures.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.invention.invent import fingerprint
from accomp.models import harmony_nn as harmony
from accomp.models.harmony_nn import Context, HarmonyConfig
from accomp.models.melody_nn import ANY, MelodyConfig, MelodyNN, melody_context
from accomp.music.keys import estimate_key
from accomp.music.score import Note
from accomp.roll import pianoroll
from accomp.roll.grid import MELODY
from train.data.corpus import Corpus
from train.data.melody_codes import fill_codebook
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.melody_habits import Melodies, count_habits, count_tempos
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import CONFIGS, genre_of, training_parser

ANY_GENRE = (
    0.15  # how often the genre is not told, for models of genres that the network doesn't know
)
NOISE = (
    0.5,
    1.0,
)  # how often the previous latents come with noise, and its largest standard deviation
FORGOTTEN = 0.1  # how often a network must do without the previous latent
FEWEST_BLOCKS = 4  # of a song's melody


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("melody", __doc__)
    options.add_argument(
        "--also", type=Path, nargs="*", default=[], help="other corpora, such as POP909"
    )
    options.add_argument(
        "--midi", type=Path, help="folder of the corpus's MIDI files, for tempi and keys"
    )
    options.add_argument(
        "--export",
        type=Path,
        help="folder for config.json and model.safetensors (default: RUN/model)",
    )
    options.add_argument(
        "--published",
        action="store_true",
        help="the published network: one hidden layer, squared error",
    )
    options = options.parse_args(arguments)
    if not options.init:
        raise SystemExit("--init must name the model whose piano VAE is to be used")
    config = read_config(options.config)
    voice = Accompanist.from_pretrained(options.init, device="cpu")
    corpora = [Corpus.load(folder) for folder in (options.corpus, *options.also)]
    genres = sorted(
        {genre_of(config, song["genre"]) for corpus in corpora for song in corpus.songs}
    ) + [ANY]
    data = {
        split: read_melodies(corpora, split, voice, config, genres) for split in ("train", "val")
    }
    for split, found in data.items():
        if not len(found.places):
            raise SystemExit(
                f"the corpora hold no {split} song whose melody has {FEWEST_BLOCKS} blocks"
            )
    settings = HarmonyConfig(**config["melody"], genres=genres)
    if options.published:
        settings = HarmonyConfig(
            head="regression",
            width=128,
            residual_blocks=0,
            shared_trunk=False,
            dropout=0.0,
            context=False,
            genres=genres,
        )
    torch.manual_seed(options.seed)
    model = MelodyNN(MelodyConfig(settings, data["train"].latents.shape[1] - 1, fingerprint(voice)))
    count_habits(model, data["train"])
    if options.midi:
        count_tempos(model, corpora[0], options.midi, config)
    if not options.published:
        fill_codebook(model, data["train"], voice, options.seed)
    history = train(
        model, data, options, FitSettings(**config["training"]["melody"], seed=options.seed)
    )
    model.save(options.export or options.run / "model")
    known = {
        "seed": options.seed,
        "data": [corpus.described() for corpus in corpora],
        "losses": history[-1] if history else {},
    }
    write_json(options.run / "melody" / FIGURES, known)


def read_config(path: Path) -> dict:
    config = yaml.safe_load(path.read_text())
    if "melody" not in config["training"]:
        raise SystemExit(
            f"{path.name} has no settings for melodies; accepted: {CONFIGS / 'accomp.yaml'}"
        )
    melody = dict(config["training"]["melody"])
    config["melody"] = melody.pop("network")
    config["training"]["melody"] = melody
    return config


@torch.no_grad()
def read_melodies(
    corpora: list[Corpus], split: str, voice: Accompanist, config: dict, genres: list[str]
) -> Melodies:
    """The melodies of a split's songs."""
    latents, plans, planes, places, minor = [], [], [], [], []
    total = 0
    for corpus in corpora:
        sounding = corpus.active(MELODY)
        for index in corpus.choose(split):
            song = corpus.songs[index]
            at = song["first"] + np.flatnonzero(
                sounding[song["first"] : song["first"] + song["blocks"]]
            )
            if len(at) < FEWEST_BLOCKS:
                continue
            inside = np.arange(at[0], at[-1] + 1)
            blocks, plan = corpus.blocks(MELODY, inside), corpus.plan[inside]
            latents.append(voice.encode(MELODY, blocks, plan))
            plans.append(plan)
            planes.append(blocks)
            genre = genres.index(genre_of(config, song["genre"]))
            places += [(total, block, len(inside), genre) for block in range(len(inside))]
            total += len(inside)
            rows = pianoroll.from_planes(pianoroll.from_blocks(blocks.numpy()))
            key = estimate_key([Note(int(p), s / 4, (e - s) / 4, 80) for p, s, e in rows])
            minor.append(key.is_minor)
    if not latents:
        empty = torch.zeros(0, 4, dtype=torch.int64)
        return Melodies(torch.zeros(0, 1), empty, torch.zeros(0), empty, np.zeros(0, bool))
    rows = torch.tensor(places, dtype=torch.int64)
    return Melodies(torch.cat(latents), torch.cat(plans), torch.cat(planes), rows, np.array(minor))


def train(model: MelodyNN, data: dict[str, Melodies], options, settings: FitSettings) -> list[dict]:
    network = model.network
    unknown = len(model.config.harmony.genres) - 1

    def hear(melodies: Melodies, rows: Tensor) -> tuple[Context, Tensor]:
        first, block, blocks, genre = rows.T
        heard = melody_context(block, blocks, melodies.latents, melodies.plan, genre, first)
        if model.is_published:
            heard.melody = torch.zeros_like(heard.melody)
        return heard, melodies.latents[first + block]

    def steps_of(melodies: Melodies) -> dict[str, Tensor]:
        rows = melodies.places
        _, block, blocks, _ = rows.T
        rows, block, blocks = (each[melodies.latents[:, -1] > 0] for each in (rows, block, blocks))
        return {
            "first": rows[block % 4 == 0],
            "middle": rows[block > 0],
            "last": rows[(block >= blocks - 2) & (block > 0)],
        }

    def batches(generator: torch.Generator, size: int) -> Iterator:
        order = []
        for step, rows in steps_of(data["train"]).items():
            rows = rows[torch.randperm(len(rows), generator=generator)].repeat(
                4 if step == "last" else 1, 1
            )
            order += [(step, rows[at : at + size]) for at in range(0, len(rows), size)]
        for index in torch.randperm(len(order), generator=generator).tolist():
            step, rows = order[index]
            heard, target = hear(data["train"], rows)
            if step == "first":  # a song's first block has none before it
                heard.melody = heard.melody * (
                    torch.rand(len(rows), 1, 1, generator=generator) < 0.5
                )
            if not model.is_published:
                disturb(heard, generator)
                heard.genre = torch.where(
                    torch.rand(len(rows), generator=generator) < ANY_GENRE, unknown, heard.genre
                )
            yield step, vars(heard), target

    def losses(progress: float, batch) -> dict[str, Tensor]:
        step, heard, target = batch
        return {"loss": network.loss(step, Context(**heard), target).mean()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        found = {}
        for step, rows in steps_of(data["val"]).items():
            device = next(network.parameters()).device
            parts = []
            for at in range(0, len(rows), 1024):
                heard, target = hear(data["val"], rows[at : at + 1024])
                heard = Context(**{key: value.to(device) for key, value in vars(heard).items()})
                parts.append(network.loss(step, heard, target.to(device)))
            if parts:
                found[step] = float(torch.cat(parts).mean())
        return {"loss": found.get("middle", float("nan")), **found}

    folder = options.run / "melody"
    history = fit(
        folder, FunctionTask(network, losses, batches, validate), settings, options.max_steps
    )
    save_weights(folder, model)
    return history


def disturb(heard: Context, generator: torch.Generator) -> None:
    """Noise on the previous latents, in place, as they will have it; some are forgotten."""
    count = len(heard.previous)
    size = (
        torch.rand(count, 1, generator=generator)
        * NOISE[1]
        * (torch.rand(count, 1, generator=generator) < NOISE[0])
    )
    noise = size * torch.randn(heard.previous[:, :-1].shape, generator=generator)
    known = heard.previous[:, -1:] > 0
    heard.previous = torch.cat(
        [heard.previous[:, :-1] + noise * known, heard.previous[:, -1:]], dim=1
    )
    heard.previous = harmony.forget(
        heard.previous, torch.rand(count, generator=generator) < FORGOTTEN
    )


if __name__ == "__main__":
    main()
