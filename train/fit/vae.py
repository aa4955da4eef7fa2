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
from accomp.roll.grid import BLOCK_STEPS, STEPS_PER_BEAT, TRACK_NAMES, TRACKS, Grid
from train.data.corpus import Corpus
from train.data.splits import SPLITS
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import Session, training_parser, vae_configs


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
    active = corpus.active(track)
    blocks = {}
    for split in SPLITS:
        index = corpus.block_index(session.songs(split))
        blocks[split] = index[active[index]]
    if not len(blocks["train"]):
        raise SystemExit(f"no song of the corpus has {name} to train on")
    if not len(blocks["val"]):
        raise SystemExit(
            f"no validation song has {name}; label some songs with split 'val', or add songs"
        )
    chosen = np.random.default_rng(0).permutation(blocks["val"])[: settings.validation_blocks]
    blocks["val"] = np.sort(chosen)
    # A VAE that is fine-tuned knows its latents already: the divergence has its full weight.
    task = VAETask(model, corpus, track, blocks, settings, warms_up=not options.init)
    fit(options.run / name, task, session.fit_settings("vae"), options.max_steps)
    fit_vae_thresholds(model, corpus, track, blocks["val"], settings)
    save_weights(options.run / name, model)
    figures = {
        split: evaluate_vae(model, corpus, track, blocks[split]) if len(blocks[split]) else {}
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
        corpus: Corpus,
        track: int,
        blocks: dict[str, np.ndarray],
        settings: VAETraining = VAETraining(),
        warms_up: bool = True,
    ):
        """Keep what is trained on what.

        Args:
            model: The VAE.
            corpus: The songs.
            track: Which instrument's.
            blocks: Numbers of the blocks of the splits train and val.
            settings: How it is trained.
            warms_up: Whether the divergence's weight rises from nearly 0.
        """
        super().__init__(model)
        self.corpus, self.track, self.blocks = corpus, track, blocks
        self.settings, self.warms_up = settings, warms_up

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give blocks [N, 2, 32, 128] and their chords [N, H], in random order."""
        train = self.blocks["train"]
        order = torch.randperm(len(train), generator=generator).numpy()
        for at in range(0, len(order), size):
            index = np.sort(train[order[at : at + size]])
            yield self.corpus.blocks(self.track, index), self.corpus.plan[index]

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the loss and its two parts, in nats a block."""
        warm = min(1.0, progress / self.settings.kl_warm_up) if self.warms_up else 1.0
        weight = self.model.config.kl_weight * max(warm, self.settings.kl_least)
        loss = self.model.loss(*batch, weight)
        return {"loss": loss.total, "reconstruction": loss.reconstruction, "kl": loss.kl}

    def validate(self) -> dict[str, float]:
        """Return the figures of `evaluate_vae`."""
        return evaluate_vae(self.model, self.corpus, self.track, self.blocks["val"])

    def sample(self, folder: Path) -> None:
        """Write real, reconstructed and random blocks as MIDI."""
        val = self.blocks["val"]
        index = val[np.linspace(0, len(val) - 1, self.settings.samples).astype(int)]
        write_blocks(self.model, self.corpus, self.track, index, folder)


@torch.no_grad()
def evaluate_vae(
    model: InstrumentVAE, corpus: Corpus, track: int, index: np.ndarray
) -> dict[str, float]:
    """Measure a VAE on blocks.

    Args:
        model: The VAE.
        corpus: The songs.
        track: Which instrument's.
        index: Numbers of the blocks.

    Returns:
        `loss`, with the full weight of the divergence; its parts `reconstruction` and `kl` in nats
        a block; and `onset_f1` of the reconstructed onsets.
    """
    device = model.thresholds.device
    sums, count, hits = np.zeros(3), 0, np.zeros(3)
    for at in range(0, len(index), 512):
        part = index[at : at + 512]
        planes, plan = corpus.blocks(track, part).to(device), corpus.plan[part].to(device)
        loss = model.loss(planes, plan, model.config.kl_weight)
        sums += np.array([float(value) for value in loss]) * len(part)
        count += len(part)
        played = model.binarise(model.decode(model.encode(planes, plan)[0], plan))[:, 0] > 0
        real = planes[:, 0] > 0
        hits += np.array([float((played & real).sum()), float(played.sum()), float(real.sum())])
    loss, reconstruction, kl = sums / max(count, 1)
    return {
        "loss": loss,
        "reconstruction": reconstruction,
        "kl": kl,
        "onset_f1": 2 * hits[0] / max(hits[1] + hits[2], 1),
    }


@torch.no_grad()
def fit_vae_thresholds(
    model: InstrumentVAE,
    corpus: Corpus,
    track: int,
    index: np.ndarray,
    settings: VAETraining = VAETraining(),
) -> None:
    """Set the probabilities from which a note counts as struck, and as sounding.

    They are those with the best F1 on the given blocks.

    Args:
        model: Gets the thresholds.
        corpus: The songs.
        track: Which instrument's.
        index: Numbers of the blocks.
        settings: Which thresholds are tried.
    """
    device = model.thresholds.device
    candidates = torch.arange(*settings.thresholds)
    hits = torch.zeros(2, len(candidates), 3)
    for at in range(0, len(index), 512):
        part = index[at : at + 512]
        planes, plan = corpus.blocks(track, part).to(device), corpus.plan[part].to(device)
        probability = model.decode(model.encode(planes, plan)[0], plan)
        for plane in range(2):
            real = planes[:, plane] > 0
            for i, threshold in enumerate(candidates):
                played = probability[:, plane] > threshold
                hits[plane, i] += torch.tensor([(played & real).sum(), played.sum(), real.sum()])
    best = (hits[..., 0] / (hits[..., 1] + hits[..., 2]).clamp(min=1)).argmax(1)
    model.thresholds.copy_(candidates[best])


@torch.no_grad()
def write_blocks(
    model: InstrumentVAE, corpus: Corpus, track: int, index: np.ndarray, folder: Path
) -> None:
    """Write blocks as MIDI: real, reconstructed, and decoded from random latents.

    Args:
        model: The VAE.
        corpus: The songs.
        track: Which instrument's.
        index: Numbers of the real blocks.
        folder: Gets the three files.
    """
    device = model.thresholds.device
    planes, plan = corpus.blocks(track, index).to(device), corpus.plan[index].to(device)
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(len(index), model.config.latent, generator=generator).to(device)
    music = {
        "real": planes,
        "reconstructed": model.binarise(model.decode(model.encode(planes, plan)[0], plan)),
        "random": model.binarise(model.decode(random, plan)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, blocks in music.items():
        notes = pianoroll.from_planes(pianoroll.from_blocks(blocks.cpu().numpy()))
        grid = Grid(np.arange(len(blocks) * BLOCK_STEPS + 1) / STEPS_PER_BEAT)
        tracks = [Track(spec.name, spec.program, spec.name == "drums") for spec in TRACKS]
        tracks[track].notes = pianoroll.in_beats(notes, grid)
        write_midi(Score(tracks), folder / f"{name}.mid")


if __name__ == "__main__":
    main()
