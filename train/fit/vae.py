"""Train the instruments' VAEs: `python -m train vae --corpus CORPUS --run RUN [--instrument bass]`.

Each instrument's weights, losses, curves and samples go to RUN/<instrument>/. An interrupted run goes on where it was.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.models.vae import InstrumentVAE
from accomp.music.midi import write_midi
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.grid import BLOCK_STEPS, TRACK_NAMES, TRACKS, Grid
from train.fit.loop import FunctionTask, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import Session, training_parser, vae_configs

KL_WARM_UP = 0.3  # share of training over which the divergence's weight rises from 0
VALIDATION_BLOCKS = 2048


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("vae", __doc__)
    options.add_argument("--instrument", choices=["all", *TRACK_NAMES], default="all")
    session = Session.open(options.parse_args(arguments))
    chosen = session.options.instrument
    for track, name in enumerate(TRACK_NAMES):
        if chosen in ("all", name):
            train_vae(session, track)


def train_vae(session: Session, track: int) -> None:
    name, corpus, options = TRACK_NAMES[track], session.corpus, session.options
    config = vae_configs(session.config)[name]
    torch.manual_seed(options.seed)
    model = InstrumentVAE(config)
    session.load_initial(name, model)
    active = corpus.active(track)

    def blocks_of(split: str) -> np.ndarray:
        index = corpus.block_index(session.songs(split))
        return index[active[index]]

    train, val = blocks_of("train"), blocks_of("val")
    if not len(train):
        raise SystemExit(f"no song of the corpus has {name} to train on")
    if not len(val):
        raise SystemExit(
            f"no validation song has {name}; label some songs with split 'val', or add songs"
        )
    val = np.sort(np.random.default_rng(0).permutation(val)[:VALIDATION_BLOCKS])

    def batches(generator: torch.Generator, size: int):
        order = torch.randperm(len(train), generator=generator).numpy()
        for at in range(0, len(order), size):
            index = np.sort(train[order[at : at + size]])
            yield corpus.blocks(track, index), corpus.plan[index]

    def losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        warm = min(1.0, progress / KL_WARM_UP) if not options.init else 1.0
        loss = model.loss(*batch, config.kl_weight * max(warm, 0.05))
        return {"loss": loss.total, "reconstruction": loss.reconstruction, "kl": loss.kl}

    def validate() -> dict[str, float]:
        return evaluate(model, corpus, track, val)

    def sample(folder: Path) -> None:
        write_samples(model, corpus, track, val, folder)

    fit(
        options.run / name,
        FunctionTask(model, losses, batches, validate, sample),
        session.fit_settings("vae"),
        options.max_steps,
    )
    fit_thresholds(model, corpus, track, val)
    save_weights(options.run / name, model)
    test = blocks_of("test")
    figures = {
        "val": evaluate(model, corpus, track, val),
        "test": evaluate(model, corpus, track, test) if len(test) else {},
    }
    known = {"seed": options.seed, "blocks": len(train), "data": session.learned_from(name)}
    write_json(options.run / name / FIGURES, known | figures)


@torch.no_grad()
def evaluate(model: InstrumentVAE, corpus, track: int, index: np.ndarray) -> dict[str, float]:
    """Loss (with the full weight of the divergence), its parts in nats a block, and the F1 of reconstructed onsets."""
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
def fit_thresholds(model: InstrumentVAE, corpus, track: int, index: np.ndarray) -> None:
    """The probabilities from which a note counts as struck and as sounding: those with the best F1 on the given blocks."""
    device = model.thresholds.device
    candidates = torch.arange(0.1, 0.81, 0.05)
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
def write_samples(
    model: InstrumentVAE, corpus, track: int, index: np.ndarray, folder: Path
) -> None:
    """Eight real blocks, the same as the VAE gives them back, and eight blocks decoded from random latents, as MIDI."""
    index = index[np.linspace(0, len(index) - 1, 8).astype(int)]
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
        grid = Grid(np.arange(len(blocks) * BLOCK_STEPS + 1) / 4)
        tracks = [Track(spec.name, spec.program, spec.name == "drums") for spec in TRACKS]
        tracks[track].notes = pianoroll.in_beats(notes, grid)
        write_midi(Score(tracks), folder / f"{name}.mid")


if __name__ == "__main__":
    main()
