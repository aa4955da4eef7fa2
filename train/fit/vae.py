"""Train the VAEs of the five instruments.

    python -m train vae --corpus CORPUS --run RUN [--instrument bass]

RUN/<instrument> gets each one's weights, losses, curves and samples. An interrupted training goes
on where it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.models.vae import InstrumentVAE
from accomp.music.midi import write_midi
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.grid import BLOCK_STEPS, DRUMS, STEPS_PER_BEAT, TRACK_NAMES, TRACKS, Grid
from train.data.splits import SPLITS
from train.data.windows import Windows, in_other_octaves
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import Session, training_parser, vae_configs
from train.metrics.notes import NoteCount


@dataclass(frozen=True)
class VAETraining:
    """How a VAE is trained, beside the config's `vae` and `training`."""

    # Share of training over which the divergence's weight rises: too much of it at the start, and
    # the decoder learns to do without the latent.
    kl_warm_up: float = 0.3
    kl_least: float = 0.05  # factor of the weight at the start
    validation_blocks: int = 2048  # drawn from the validation songs
    # Probabilities that are tried as those from which a note counts: first, end and step.
    thresholds: tuple[float, float, float] = (0.1, 0.81, 0.05)
    # What is tried as bias of the onsets where the likeliest notes are played: likewise.
    biases: tuple[float, float, float] = (-2.0, 2.1, 0.25)
    any_bar: bool = True  # blocks to learn from may begin with any bar of a song
    # Whether products are in bfloat16: three fifths of the time on processors that have it.
    half_products: bool = True
    octaves: float = 0.5  # share of blocks that are moved by an octave, where they stay in range
    samples: int = 8  # blocks of each kind


def main(arguments: list[str] | None = None, settings: VAETraining = VAETraining()) -> None:
    """Train one instrument's VAE, or all."""
    parser = training_parser("vae", __doc__)
    parser.add_argument(
        "--instrument",
        choices=["all", *TRACK_NAMES],
        default="all",
        help="train this one only (default: %(default)s)",
    )
    session = Session.open(parser.parse_args(arguments))
    for track, name in enumerate(TRACK_NAMES):
        if session.options.instrument in ("all", name):
            train_vae(session, track, settings)


def train_vae(session: Session, track: int, settings: VAETraining = VAETraining()) -> None:
    """Train a track's VAE and write its weights and figures into the run."""
    name, corpus, options = TRACK_NAMES[track], session.corpus, session.options
    torch.manual_seed(options.seed)
    model = InstrumentVAE(vae_configs(session.config)[name])
    session.load_initial(name, model)
    # Blocks in which the instrument is silent teach nothing.
    blocks = {
        split: Windows(corpus, track, session.songs(split), settings.any_bar and split == "train")
        for split in SPLITS
    }
    if not len(blocks["train"]):
        raise SystemExit(f"no song of the corpus has {name} to train on")
    if not len(blocks["val"]):
        raise SystemExit(
            f"no validation song has {name}; label some songs with split 'val', or add songs"
        )
    chosen = np.random.default_rng(0).permutation(len(blocks["val"]))
    blocks["val"].places = blocks["val"].places[np.sort(chosen[: settings.validation_blocks])]
    # A VAE that is fine-tuned knows its latents already: the divergence has its full weight.
    task = VAETask(model, blocks, settings, warms_up=not options.init)
    fit(options.run / name, task, session.fit_settings("vae"), options.max_steps)
    fit_decision(model, blocks["val"], settings)
    save_weights(options.run / name, model)
    figures = {
        split: evaluate_vae(model, blocks[split]) if len(blocks[split]) else {}
        for split in ("val", "test")
    }
    known = {"seed": options.seed, "blocks": len(blocks["train"])}
    known["data"] = session.learned_from(name)
    write_json(options.run / name / FIGURES, known | figures)


class VAETask(Task):
    """A VAE and the blocks that it learns from."""

    model: InstrumentVAE

    def __init__(
        self,
        model: InstrumentVAE,
        blocks: dict[str, Windows],
        settings: VAETraining = VAETraining(),
        warms_up: bool = True,
    ):
        """Keep what is trained on what.

        Args:
            model: The VAE.
            blocks: Those of the splits train and val.
            settings: How it is trained.
            warms_up: Whether the divergence's weight rises from nearly 0.
        """
        super().__init__(model)
        self.blocks, self.settings, self.warms_up = blocks, settings, warms_up

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give blocks [N, 2, 32, 128] and their chords [N, H], in random order."""
        train, config = self.blocks["train"], self.model.config
        order = torch.randperm(len(train), generator=generator).numpy()
        for at in range(0, len(order), size):
            planes, plan = train.read(np.sort(order[at : at + size]))
            if train.track != DRUMS and self.settings.octaves:
                share, low, high = self.settings.octaves, config.low, config.high
                planes = in_other_octaves(planes, share, low, high, generator)
            yield planes, plan

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the loss and its two parts, in nats a block."""
        warm = min(1.0, progress / self.settings.kl_warm_up) if self.warms_up else 1.0
        weight = self.model.config.kl_weight * max(warm, self.settings.kl_least)
        with torch.autocast(
            self.model.device.type, torch.bfloat16, enabled=self.settings.half_products
        ):
            loss = self.model.loss(*batch, weight)
        return {"loss": loss.total, "reconstruction": loss.reconstruction, "kl": loss.kl}

    def validate(self) -> dict[str, float]:
        """Return the figures of `evaluate_vae`."""
        return evaluate_vae(self.model, self.blocks["val"])

    def sample(self, folder: Path) -> None:
        """Write real, reconstructed and random blocks as MIDI."""
        val = self.blocks["val"]
        write_blocks(
            self.model, val, np.linspace(0, len(val) - 1, self.settings.samples).astype(int), folder
        )


def _batches(blocks: Windows, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    for at in range(0, len(blocks), 512):
        planes, plan = blocks.read(np.arange(at, min(at + 512, len(blocks))))
        yield planes.to(device), plan.to(device)


@torch.no_grad()
def evaluate_vae(model: InstrumentVAE, blocks: Windows) -> dict[str, float]:
    """Measure a VAE on blocks.

    Returns:
        `loss`, with the full weight of the divergence; its parts `reconstruction` and `kl` in nats
        a block; and the figures of `NoteCount` of what is given back.
    """
    sums, count = np.zeros(3), NoteCount()
    for planes, plan in _batches(blocks, model.device):
        loss = model.loss(planes, plan, model.config.kl_weight)
        sums += np.array([float(value) for value in loss]) * len(planes)
        count.add(model.binarise(model.decode(model.encode(planes, plan)[0], plan)), planes)
    loss, reconstruction, kl = sums / max(len(blocks), 1)
    return {"loss": loss, "reconstruction": reconstruction, "kl": kl, **count.figures()}


@torch.no_grad()
def fit_decision(
    model: InstrumentVAE, blocks: Windows, settings: VAETraining = VAETraining()
) -> None:
    """Set what decides about notes: the thresholds, or the bias of onsets.

    It is what gives back most on the given blocks.

    Args:
        model: Gets it.
        blocks: Those to give back.
        settings: What is tried.
    """
    if model.is_categorical:
        _fit_bias(model, blocks, torch.arange(*settings.biases))
    else:
        _fit_thresholds(model, blocks, torch.arange(*settings.thresholds))


def _fit_bias(model: InstrumentVAE, blocks: Windows, candidates: Tensor) -> None:
    counts = [NoteCount() for _ in candidates]
    for planes, plan in _batches(blocks, model.device):
        probability = model.decode(model.encode(planes, plan)[0], plan)
        for bias, count in zip(candidates, counts):
            model.onset_bias.copy_(bias)
            count.add(model.binarise(probability), planes)
    found = [count.figures() for count in counts]
    best = max(range(len(found)), key=lambda i: found[i]["onset_f1"] + found[i]["note_f1"])
    model.onset_bias.copy_(candidates[best])


def _fit_thresholds(model: InstrumentVAE, blocks: Windows, candidates: Tensor) -> None:
    hits = torch.zeros(2, len(candidates), 3)
    for planes, plan in _batches(blocks, model.device):
        probability = model.decode(model.encode(planes, plan)[0], plan)
        for plane in range(2):
            real = planes[:, plane] > 0
            for i, threshold in enumerate(candidates):
                played = probability[:, plane] > threshold
                hits[plane, i] += torch.tensor([(played & real).sum(), played.sum(), real.sum()])
    best = (hits[..., 0] / (hits[..., 1] + hits[..., 2]).clamp(min=1)).argmax(1)
    model.thresholds.copy_(candidates[best])


@torch.no_grad()
def write_blocks(model: InstrumentVAE, blocks: Windows, index: np.ndarray, folder: Path) -> None:
    """Write blocks as MIDI: real, reconstructed, and decoded from random latents.

    Args:
        model: The VAE.
        blocks: Real ones.
        index: Which of them.
        folder: Gets the three files.
    """
    planes, plan = (part.to(model.device) for part in blocks.read(index))
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(len(index), model.config.latent, generator=generator).to(model.device)
    music = {
        "real": planes,
        "reconstructed": model.binarise(model.decode(model.encode(planes, plan)[0], plan)),
        "random": model.binarise(model.decode(random, plan)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, played in music.items():
        notes = pianoroll.from_planes(pianoroll.from_blocks(played.cpu().numpy()))
        grid = Grid(np.arange(len(played) * BLOCK_STEPS + 1) / STEPS_PER_BEAT)
        tracks = [Track(spec.name, spec.program, spec.name == "drums") for spec in TRACKS]
        tracks[blocks.track].notes = pianoroll.in_beats(notes, grid)
        write_midi(Score(tracks), folder / f"{name}.mid")


if __name__ == "__main__":
    main()
