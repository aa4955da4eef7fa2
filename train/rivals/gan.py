"""The DCGAN of Tham & Kim 2021, "Bloopers: GANs": `python -m train rivals.gan --corpus CORPUS --run RUN`.

A generator of six deconvolutions makes a block of all five instruments of 100 dimensions of noise, a discriminator of six
convolutions tells it from real ones; batch normalisation, PReLU and Adam in both. Against instability, each with a setting
(`gan` in configs/rivals.yaml) and switched off by `--without`: label smoothing, feature matching, and TTUR. Channels, batch
size, learning rates and the matching's weights are not published; these are ours. RUN/similarity.json says how alike a hundred
of its blocks are.
"""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from safetensors.torch import load_file
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, MELODY, TRACKS
from train.data.corpus import Corpus
from train.eval.variety import variety
from train.fit.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from train.fit.losses import log_epoch
from train.fit.run_files import WEIGHTS, save_weights, write_json
from train.fit.settings import Session, training_parser
from train.rivals import write_figures
from train.rivals.cnn import planes_of
from train.rivals.dcgan import MEASURES, NOISE, Adversaries, Generator
from train.rivals.latent_sizes import SETTINGS

CANDIDATES = 64  # blocks that are made for each of a melody's
SIMILARITY = "similarity.json"
COMPARED = 100  # blocks whose likeness is measured, as many as the document listened to


class GAN:
    """The trained generator as an accompanist. It knows of no melody: for each block of one, it makes 64 of its own by the seed,
    and plays the one whose piano is most like the melody (cosine of the probabilities and the notes that sound).
    """

    def __init__(self, run: Path, corpus: Corpus | None = None):
        self.generator = Generator()
        self.generator.load_state_dict(load_file(run / WEIGHTS))
        self.generator.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = torch.Generator().manual_seed(seed)
        blocks = []
        for melody in torch.from_numpy(pianoroll.to_blocks(planes)[:, 1]).float():
            made = self.generator(torch.randn(CANDIDATES, NOISE, generator=random))
            likeness = F.cosine_similarity(made[:, MELODY].flatten(1), melody.flatten()[None])
            best = likeness.argmax()
            blocks.append(self.generator.binarise(made[best][None])[0])
        band = torch.cat(blocks, dim=1).numpy()
        return {track: planes_of(band[track]) for track in ACCOMPANIMENT}


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.gan", __doc__)
    options.add_argument(
        "--without", nargs="*", choices=MEASURES, default=[], help="switch these off"
    )
    options.add_argument("--epochs", type=int, help="instead of the config's")
    options = options.parse_args(arguments)
    settings = yaml.safe_load(SETTINGS.read_text())["gan"]
    settings["epochs"] = options.epochs or settings["epochs"]
    train(Session.open(options), settings)


def train(session: Session, settings: dict) -> None:
    """The loop of train.fit.loop.fit for two networks that work against each other: same files, and it goes on where it was."""
    corpus, options = session.corpus, session.options
    folder, device = options.run, "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    model = Adversaries(settings, tuple(options.without)).to(device)
    optimizer = model.optimizer()
    blocks = {split: blocks_of(session, split) for split in ("train", "val")}
    history = (
        load_checkpoint(folder / CHECKPOINT, model, optimizer)
        if (folder / CHECKPOINT).is_file()
        else []
    )
    writer = SummaryWriter(folder)
    steps = 0
    for epoch in range(len(history), settings["epochs"]):
        started = time.perf_counter(), time.process_time()
        random = torch.Generator().manual_seed(options.seed * 1_000_003 + epoch)
        order = torch.randperm(len(blocks["train"]), generator=random).numpy()
        sums: dict[str, float] = {}
        count = 0
        model.train()
        for at in range(0, len(order), settings["batch_size"]):
            index = order[at : at + settings["batch_size"]]
            if len(index) < 2 or (options.max_steps is not None and steps >= options.max_steps):
                break
            losses = model.step(
                rolls(corpus, blocks["train"][np.sort(index)]).float().to(device), optimizer, random
            )
            sums = {
                name: sums.get(name, 0.0) + float(value.detach()) for name, value in losses.items()
            }
            steps, count = steps + 1, count + 1
        model.eval()
        fit_thresholds(model.generator, corpus, blocks["val"])
        alike = 1 - variety(onsets(made_by(model.generator, COMPARED, options.seed)))
        row = {
            "epoch": epoch + 1,
            **{f"train/{name}": value / max(count, 1) for name, value in sums.items()},
        }
        now = time.perf_counter(), time.process_time()
        spent = {
            name: round(b - a, 3) for name, a, b in zip(("seconds", "core_seconds"), started, now)
        }
        history.append(row | {"val/similarity": alike} | spent)
        log_epoch(folder, writer, history)
        save_checkpoint(folder / CHECKPOINT, model, optimizer, history)
    writer.close()
    model.eval().cpu()
    save_weights(folder, model.generator)
    write_figures(session, model.generator, history)
    write_json(folder / SIMILARITY, similarity(model.generator, session))


def blocks_of(session: Session, split: str) -> np.ndarray:
    """[n]: those of a split in which the melody plays."""
    index = session.corpus.block_index(session.songs(split))
    index = index[session.corpus.active(MELODY)[index]]
    if not len(index):
        raise SystemExit(f"no {split} song has a melody")
    return index


def rolls(corpus: Corpus, index: np.ndarray) -> Tensor:
    """[N, 5, 32, 128] uint8: what sounds in blocks."""
    return torch.stack([corpus.blocks(track, index)[:, 1] for track in range(len(TRACKS))], dim=1)


def onsets(sounding: np.ndarray) -> np.ndarray:
    """[N, 5, 32, 128] bool: where notes begin in blocks, of what sounds."""
    return np.diff(sounding.astype(np.int8), axis=2, prepend=0) == 1


@torch.no_grad()
def made_by(generator: Generator, count: int, seed: int) -> np.ndarray:
    """[count, 5, 32, 128] uint8: what sounds in blocks of as many noises."""
    noise = torch.randn(count, NOISE, generator=torch.Generator().manual_seed(seed))
    return generator.binarise(generator(noise.to(generator.thresholds.device))).cpu().numpy()


@torch.no_grad()
def fit_thresholds(generator: Generator, corpus: Corpus, index: np.ndarray) -> None:
    """Those with which as much sounds, by track, in generated as in the given blocks."""
    index = np.sort(np.random.default_rng(0).permutation(index)[:512])
    density = rolls(corpus, index).float().mean((0, 2, 3))
    noise = torch.randn(len(index), NOISE, generator=torch.Generator().manual_seed(0))
    made = generator(noise.to(generator.thresholds.device))
    for track, values in enumerate(made.transpose(0, 1).flatten(1)):
        kept = int(density[track] * values.numel())
        generator.thresholds[track] = values.sort(descending=True).values[kept]


def similarity(generator: Generator, session: Session) -> dict[str, dict[str, float]]:
    """How alike the onsets of a hundred generated blocks are, and those of as many real ones of test songs: the mean Jaccard
    similarity of all pairs, of all tracks together and by track (of the blocks in which it plays), and the onsets a block.
    """
    test = blocks_of(session, "test") if session.songs("test") else blocks_of(session, "val")
    real = rolls(
        session.corpus, np.sort(np.random.default_rng(0).permutation(test)[:COMPARED])
    ).numpy()
    alike = {}
    for name, sounding in (
        ("generated", made_by(generator, COMPARED, session.options.seed)),
        ("real", real),
    ):
        struck = onsets(sounding)
        by_track = {}
        for track, spec in enumerate(TRACKS):
            own = struck[:, track]
            by_track[spec.name] = 1 - variety(own[own.any((1, 2))])
        alike[name] = {
            "all": 1 - variety(struck),
            **by_track,
            "onsets": float(struck.sum() / len(struck)),
        }
    return alike


if __name__ == "__main__":
    main()
