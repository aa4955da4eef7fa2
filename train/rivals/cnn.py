"""Train the Conditional-HarmonyCNN of Tham & Kim 2021.

    python -m train rivals.cnn --corpus CORPUS --run RUN

It is that of "MelodyCNN and Conditional HarmonyCNNs". For each instrument, three convolutional
layers take in the melody's block and three the instrument's previous block. Their outputs are
concatenated; dense layers and three deconvolutional layers give the instrument's block directly,
without latents. Their MelodyCNN makes up the melody; here the melody is given. Channels, likelihood
and the size of the dense layer are not published; these are ours. A threshold turns probabilities
into notes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, MELODY, PITCHES, TRACK_NAMES
from train.data.corpus import Corpus
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, WEIGHTS, save_weights, write_json
from train.fit.settings import Session, training_parser
from train.rivals import planes_of_sounding
from train.rivals.training import add_epochs


@dataclass(frozen=True)
class CNNSettings:
    """Sizes of the networks, and how they are trained."""

    channels: tuple[int, int, int] = (32, 64, 128)
    dense: int = 256
    # Thresholds that are tried: first, end and step.
    thresholds: tuple[float, float, float] = (0.05, 0.75, 0.05)
    validation_blocks: int = 1024  # drawn from the validation songs
    epochs: int = 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of what the three convolutions give: channels, steps, pitches."""
        return self.channels[-1], BLOCK_STEPS // 8, PITCHES // 8

    @property
    def size(self) -> int:
        """Of the same."""
        channels, steps, pitches = self.shape
        return channels * steps * pitches


def convolutions(settings: CNNSettings) -> nn.Sequential:
    """Return three layers that each halve steps and pitches: [N, 1, 32, 128] to [N, size]."""
    a, b, c = settings.channels
    down = {"kernel_size": 3, "stride": 2, "padding": 1}
    return nn.Sequential(
        nn.Conv2d(1, a, **down),
        nn.ReLU(),
        nn.Conv2d(a, b, **down),
        nn.ReLU(),
        nn.Conv2d(b, c, **down),
        nn.ReLU(),
        nn.Flatten(),
    )


def deconvolutions(settings: CNNSettings) -> nn.Sequential:
    """Return three layers that go back: [N, *shape] to logits [N, 1, 32, 128]."""
    a, b, c = settings.channels
    up = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
    layers = nn.Sequential(
        nn.ConvTranspose2d(c, b, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(b, a, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(a, 1, **up),
    )
    nn.init.constant_(layers[-1].bias, -4.0)  # music is sparse
    return layers


class HarmonyCNN(nn.Module):
    """From the melody's block and an instrument's previous block to its next one."""

    def __init__(self, settings: CNNSettings = CNNSettings()):
        super().__init__()
        self.shape = settings.shape
        self.melody, self.previous = convolutions(settings), convolutions(settings)
        self.dense = nn.Sequential(
            nn.Linear(2 * settings.size, settings.dense),
            nn.ReLU(),
            nn.Linear(settings.dense, settings.size),
            nn.ReLU(),
        )
        self.deconvolutions = deconvolutions(settings)
        self.register_buffer("threshold", torch.tensor(0.5))

    def forward(self, melody: Tensor, previous: Tensor) -> Tensor:
        """Return logits [N, 32, 128] of what sounds, of what sounds in two blocks [N, 32, 128]."""
        parts = [
            self.melody(melody[:, None].float()),
            self.previous(previous[:, None].float()),
        ]
        dense = self.dense(torch.cat(parts, dim=1))
        return self.deconvolutions(dense.reshape(-1, *self.shape))[:, 0]


class CNNs:
    """The trained networks of a run, as an accompanist.

    As published, each instrument needs a sequence to start from: a block of a training song in
    which it plays, drawn by the seed. From silence, silence is all that follows.
    """

    def __init__(self, run: Path, corpus: Corpus, settings: CNNSettings = CNNSettings()):
        self.corpus = corpus
        train = corpus.block_index(corpus.choose("train"))
        self.starts = {track: train[corpus.active(track)[train]] for track in ACCOMPANIMENT}
        self.networks = {track: HarmonyCNN(settings) for track in ACCOMPANIMENT}
        for track, network in self.networks.items():
            network.load_state_dict(load_file(run / f"cnn_{TRACK_NAMES[track]}" / WEIGHTS))
            network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = np.random.default_rng(seed)
        melody = torch.from_numpy(pianoroll.to_blocks(planes)[:, 1])
        band = {}
        for track, network in self.networks.items():
            sounding = [torch.zeros(BLOCK_STEPS, PITCHES)]
            if len(self.starts[track]):
                start = int(random.choice(self.starts[track]))
                sounding = [self.corpus.blocks(track, slice(start, start + 1))[0, 1].float()]
            for block in melody:
                probability = network(block[None], sounding[-1][None]).sigmoid()[0]
                sounding.append((probability > network.threshold).float())
            band[track] = planes_of_sounding(torch.cat(sounding[1:]).numpy())
        return band


def main(arguments: list[str] | None = None, settings: CNNSettings = CNNSettings()) -> None:
    """Train one instrument's network after another."""
    parser = training_parser("rivals.cnn", __doc__)
    add_epochs(parser, settings.epochs)
    session = Session.open(parser.parse_args(arguments))
    corpus = session.corpus
    songs = {split: session.songs(split) for split in ("train", "val")}
    places = {split: blocks_with_melody(corpus, own) for split, own in songs.items()}
    for track in ACCOMPANIMENT:
        torch.manual_seed(session.options.seed)

        def rolls(rows: np.ndarray, track: int = track) -> tuple[Tensor, Tensor, Tensor]:
            block, has_previous = rows[:, 0], torch.from_numpy(rows[:, 1])[:, None, None]
            previous = corpus.blocks(track, np.maximum(block - 1, 0))[:, 1] * has_previous
            return corpus.blocks(MELODY, block)[:, 1], previous, corpus.blocks(track, block)[:, 1]

        task = RollTask(HarmonyCNN(settings), rolls, places, settings)
        train_cnn(session, task, session.options.run / f"cnn_{TRACK_NAMES[track]}")


def blocks_with_melody(corpus: Corpus, songs: list[int]) -> np.ndarray:
    """Return the blocks in which the melody plays, and whether the song has one before, [n, 2]."""
    sounding = corpus.active(MELODY)
    rows = []
    for song in songs:
        own = corpus.own(song)
        rows += [
            (block, block > own.start) for block in range(own.start, own.stop) if sounding[block]
        ]
    return np.array(rows, int).reshape(-1, 2)


class RollTask(Task):
    """A network that maps rolls to logits of a roll, and the rolls that it learns from."""

    def __init__(
        self,
        model: nn.Module,
        rolls: Callable[[np.ndarray], tuple[Tensor, ...]],
        places: dict[str, np.ndarray],
        settings: CNNSettings = CNNSettings(),
    ):
        """Keep what is trained on what.

        Args:
            model: Has a buffer `threshold`.
            rolls: From rows of places to the network's inputs and, last, what it should give,
                [N, 32, 128] each.
            places: By split, train and val.
            settings: How many places are validated, by which thresholds.
        """
        super().__init__(model)
        self.rolls, self.train, self.settings = rolls, places["train"], settings
        order = np.random.default_rng(0).permutation(len(places["val"]))
        self.val = places["val"][np.sort(order[: settings.validation_blocks])]

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, ...]]:
        """Give rolls in random order."""
        order = torch.randperm(len(self.train), generator=generator).numpy()
        for at in range(0, len(order), size):
            yield self.rolls(self.train[np.sort(order[at : at + size])])

    def losses(self, progress: float, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Return the cross-entropy of a block."""
        *inputs, target = batch
        loss = F.binary_cross_entropy_with_logits(
            self.model(*inputs), target.float(), reduction="sum"
        )
        return {"loss": loss / len(target)}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the loss, and the best F1 of sounding cells, whose threshold is kept."""
        device, candidates = self.model.threshold.device, np.arange(*self.settings.thresholds)
        total, hits = 0.0, np.zeros((len(candidates), 3))
        for at in range(0, len(self.val), 128):
            *inputs, target = (roll.to(device) for roll in self.rolls(self.val[at : at + 128]))
            logits = self.model(*inputs).float()
            total += float(
                F.binary_cross_entropy_with_logits(logits, target.float(), reduction="sum")
            )
            probability = logits.sigmoid()
            for i, threshold in enumerate(candidates):
                played = probability > threshold
                common = float((played & (target > 0)).sum())
                hits[i] += [common, float(played.sum()), float(target.sum())]
        f1 = 2 * hits[:, 0] / np.maximum(hits[:, 1] + hits[:, 2], 1)
        self.model.threshold.fill_(float(candidates[f1.argmax()]))
        return {"loss": total / len(self.val), "f1": float(f1.max())}


def train_cnn(session: Session, task: RollTask, folder: Path) -> None:
    """Train a network for `--epochs`, as fast as the config's VAEs, into a folder."""
    options, network = session.options, task.model
    settings = replace(session.fit_settings("vae"), epochs=options.epochs)
    history = fit(folder, task, settings, options.max_steps)
    save_weights(folder, network)
    figures = {
        "seed": options.seed,
        "blocks": len(task.train),
        "seconds": round(sum(row["seconds"] for row in history), 1),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "val": history[-1],
    }
    write_json(folder / FIGURES, figures)


if __name__ == "__main__":
    main()
