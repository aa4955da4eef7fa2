"""Train the DCGAN of Tham & Kim 2021, "Bloopers: GANs".

    python -m train rivals.gan --corpus CORPUS --run RUN

A generator of six deconvolutions makes a block of all five instruments of 100 dimensions of noise;
a discriminator of six convolutions tells it from real ones. Both have batch normalisation, PReLU
and Adam. Against instability, each with a setting (`gan` in configs/rivals.yaml) and switched off
by `--without`: label smoothing, feature matching, and TTUR. Channels, batch size, learning rates
and the matching's weights are not published; these are ours. RUN/similarity.json says how alike a
hundred of its blocks are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, MELODY, TRACKS
from train.data.corpus import Corpus
from train.fit.loop import Descent, FitSettings, Task
from train.fit.run_files import WEIGHTS, write_json
from train.fit.settings import Session, training_parser
from train.rivals import planes_of_sounding
from train.rivals.dcgan import MEASURES, NOISE, Adversaries, GANSettings, Generator
from train.rivals.training import add_epochs, rival_settings, train_rival
from train.rivals.variety import variety

SIMILARITY = "similarity.json"


@dataclass(frozen=True)
class GANPlaying:
    """How the generator is used and measured."""

    candidates: int = 64  # blocks that are made for each of a melody's
    compared: int = 100  # blocks whose likeness is measured, as many as the document listened to
    threshold_blocks: int = 512  # of validation songs, as dense as which generated ones are made


class GAN:
    """The trained generator as an accompanist.

    It knows of no melody. For each block of one it makes 64 of its own by the seed, and plays the
    one whose piano is most like the melody (cosine of probabilities and of the notes that sound).
    """

    def __init__(
        self, run: Path, corpus: Corpus | None = None, settings: GANPlaying = GANPlaying()
    ):
        self.settings = settings
        self.generator = Generator()
        self.generator.load_state_dict(load_file(run / WEIGHTS))
        self.generator.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = torch.Generator().manual_seed(seed)
        blocks = []
        for melody in torch.from_numpy(pianoroll.to_blocks(planes)[:, 1]).float():
            made = self.generator(torch.randn(self.settings.candidates, NOISE, generator=random))
            likeness = F.cosine_similarity(made[:, MELODY].flatten(1), melody.flatten()[None])
            blocks.append(self.generator.binarise(made[likeness.argmax()][None])[0])
        band = torch.cat(blocks, dim=1).numpy()
        return {track: planes_of_sounding(band[track]) for track in ACCOMPANIMENT}


def main(arguments: list[str] | None = None, playing: GANPlaying = GANPlaying()) -> None:
    """Train both networks, and measure how alike the generated blocks are."""
    settings = rival_settings("gan")
    parser = training_parser("rivals.gan", __doc__)
    parser.add_argument(
        "--without", nargs="*", choices=MEASURES, default=[], help="measures that are switched off"
    )
    add_epochs(parser, settings.pop("epochs"))
    session = Session.open(parser.parse_args(arguments))
    options = session.options
    torch.manual_seed(options.seed)
    size, gan_settings = settings.pop("batch_size"), GANSettings(**settings)
    model = Adversaries(gan_settings, tuple(options.without))
    blocks = {split: melody_blocks(session, split) for split in ("train", "val")}
    task = GANTask(model, session.corpus, blocks, options.seed, playing)
    rate = gan_settings.learning_rate  # the task's optimizer has a rate for each network
    fit_settings = FitSettings(options.epochs, size, rate, sample_every=1000, seed=options.seed)
    train_rival(session, task, fit_settings, model.generator)
    write_json(options.run / SIMILARITY, similarity(model.generator, session, playing))


class GANTask(Task):
    """Two networks that work against each other, and the blocks that they learn from."""

    model: Adversaries

    def __init__(
        self,
        model: Adversaries,
        corpus: Corpus,
        blocks: dict[str, np.ndarray],
        seed: int,
        playing: GANPlaying = GANPlaying(),
    ):
        """Keep what is trained on what.

        Args:
            model: Both networks.
            corpus: The songs.
            blocks: Numbers of the blocks of the splits train and val.
            seed: Of the noise whose blocks are measured.
            playing: How many blocks are measured.
        """
        super().__init__(model)
        self.corpus, self.blocks, self.seed, self.playing = corpus, blocks, seed, playing

    def optimizer(self, settings: FitSettings) -> torch.optim.Optimizer:
        """Return what descends both losses, each at its own rate."""
        return self.model.optimizer()

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple]:
        """Give real rolls in random order, and what a step on them draws."""
        train = self.blocks["train"]
        order = torch.randperm(len(train), generator=generator).numpy()
        for at in range(0, len(order), size):
            index = order[at : at + size]
            if len(index) > 1:  # there is no variance to normalise by in a batch of one
                rolls = sounding_rolls(self.corpus, train[np.sort(index)]).float()
                yield rolls, self.model.draw(len(index), generator)

    def step(self, descent: Descent, progress: float, batch: tuple) -> dict[str, Tensor]:
        """Make a step of each network, at rates that stay the same."""
        rolls, drawn = batch
        return self.model.step(rolls, drawn, descent.optimizer)

    def validate(self) -> dict[str, float]:
        """Return how alike generated blocks are; sets the generator's thresholds before."""
        generator, count = self.model.generator, self.playing.compared
        most = self.playing.threshold_blocks
        fit_gan_thresholds(generator, self.corpus, self.blocks["val"], most)
        return {"similarity": 1 - variety(beginnings(made_by(generator, count, self.seed)))}


def melody_blocks(session: Session, split: str) -> np.ndarray:
    """Return the blocks of a split in which the melody plays; SystemExit says if there is none."""
    index = session.corpus.block_index(session.songs(split))
    index = index[session.corpus.active(MELODY)[index]]
    if not len(index):
        raise SystemExit(f"no {split} song has a melody")
    return index


def sounding_rolls(corpus: Corpus, index: np.ndarray) -> Tensor:
    """Return what sounds in blocks, [N, 5, 32, 128] uint8."""
    return torch.stack([corpus.blocks(track, index)[:, 1] for track in range(len(TRACKS))], dim=1)


def beginnings(sounding: np.ndarray) -> np.ndarray:
    """Tell where notes begin in blocks of what sounds, [N, 5, 32, 128] bool."""
    return np.diff(sounding.astype(np.int8), axis=2, prepend=0) == 1


@torch.no_grad()
def made_by(generator: Generator, count: int, seed: int) -> np.ndarray:
    """Return what sounds in blocks that are generated by a seed, [count, 5, 32, 128] uint8."""
    noise = torch.randn(count, NOISE, generator=torch.Generator().manual_seed(seed))
    return generator.binarise(generator(noise.to(generator.thresholds.device))).cpu().numpy()


@torch.no_grad()
def fit_gan_thresholds(
    generator: Generator, corpus: Corpus, index: np.ndarray, most: int = 512
) -> None:
    """Set the thresholds with which as much sounds, by track, in generated blocks as in real ones.

    Args:
        generator: Gets the thresholds.
        corpus: The songs.
        index: Numbers of the real blocks.
        most: So many of them are drawn.
    """
    index = np.sort(np.random.default_rng(0).permutation(index)[:most])
    density = sounding_rolls(corpus, index).float().mean((0, 2, 3))
    noise = torch.randn(len(index), NOISE, generator=torch.Generator().manual_seed(0))
    made = generator(noise.to(generator.thresholds.device))
    for track, values in enumerate(made.transpose(0, 1).flatten(1)):
        kept = int(density[track] * values.numel())
        generator.thresholds[track] = values.sort(descending=True).values[kept]


def similarity(
    generator: Generator, session: Session, playing: GANPlaying = GANPlaying()
) -> dict[str, dict[str, float]]:
    """Measure how alike generated blocks are, and as many real ones of test songs.

    Returns:
        For `generated` and `real` blocks the mean Jaccard similarity of the onsets of all pairs, of
        `all` tracks together and by track (of the blocks in which it plays), and the `onsets` of a
        block.
    """
    test = melody_blocks(session, "test" if session.songs("test") else "val")
    chosen = np.sort(np.random.default_rng(0).permutation(test)[: playing.compared])
    music = {
        "generated": made_by(generator, playing.compared, session.options.seed),
        "real": sounding_rolls(session.corpus, chosen).numpy(),
    }
    alike = {}
    for name, sounding in music.items():
        struck = beginnings(sounding)
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
