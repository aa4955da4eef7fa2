"""Train the Multi-instrument RNN of Tham & Kim 2021.

    python -m train rivals.rnn --corpus CORPUS --run RUN

A step is the sounding notes of the five instruments, 5 x 128, as one vector of 640. From the 32
steps before, an RNN (a GRU, as their first baseline) predicts the next. A fixed number of notes of
each instrument is drawn from the multinomial over the softmax of its own 128 scores, each
instrument for itself. Here the piano of every step is the given melody, the others what was drawn.
It is trained on all steps of a window of 32 at once, each predicted from those before it. Sizes,
the loss and most numbers of notes are not published; these are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, DRUMS, MELODY, PITCHES, TRACKS
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, Task
from train.fit.run_files import WEIGHTS
from train.fit.settings import Session
from train.rivals import planes_of_sounding
from train.rivals.training import rival_parser, train_rival

WINDOW = BLOCK_STEPS
SIZE = len(TRACKS) * PITCHES


@dataclass(frozen=True)
class RNNSettings:
    """The size of the network, and what it learns and plays."""

    width: int = 256
    # Notes drawn at a step, in the order of ACCOMPANIMENT; 3 for the guitar is theirs. All are the
    # corpus' means.
    drawn: tuple[int, ...] = (2, 1, 3, 3)
    epoch_share: int = 4  # one place in so many is learned from in an epoch, at another offset
    validation_windows: int = 1024


class MultiRNN(nn.Module):
    """From steps to what follows each of them."""

    def __init__(self, width: int = RNNSettings().width):
        super().__init__()
        self.gru = nn.GRU(SIZE, width, batch_first=True)
        self.next = nn.Linear(width, SIZE)

    def forward(self, steps: Tensor) -> Tensor:
        """Return scores [B, N, 5, 128] of what follows each of the steps [B, N, 640]."""
        return self.next(self.gru(steps)[0]).unflatten(-1, (len(TRACKS), PITCHES))


def multinomial_loss(scores: Tensor, following: Tensor) -> Tensor:
    """Return the cross-entropy of a step, summed over instruments.

    It is that of the softmax of the scores with the notes that sounded, each an equal share. A
    silent instrument has none. scores, following: [..., 5, 128], the latter 0 or 1.
    """
    share = following / following.sum(-1, keepdim=True).clamp(min=1)
    return -(share * scores.log_softmax(-1)).sum((-1, -2)).mean()


def followed(corpus: Corpus, songs: list[int]) -> np.ndarray:
    """Return the blocks that another one of the same song follows."""
    return np.concatenate([np.zeros(0, int), *(corpus.block_index([song])[:-1] for song in songs)])


def step_windows(corpus: Corpus, blocks: np.ndarray, offsets: np.ndarray) -> Tensor:
    """Return the sounding notes from steps `offsets` of `blocks` on, [n, WINDOW + 1, 5, 128]."""
    both = [
        torch.cat([corpus.blocks(track, blocks + i)[:, 1] for i in (0, 1)], dim=1)
        for track in range(len(TRACKS))
    ]
    steps = torch.from_numpy(offsets)[:, None] + torch.arange(WINDOW + 1)
    return torch.stack(both, dim=2)[torch.arange(len(blocks))[:, None], steps]


class MultiRNNs:
    """The trained network of a run, as an accompanist."""

    def __init__(
        self, run: Path, corpus: Corpus | None = None, settings: RNNSettings = RNNSettings()
    ):
        self.settings = settings
        self.network = MultiRNN(settings.width)
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals. Notes that go on from step to step are one; drums are struck again."""
        random = np.random.default_rng(seed)
        count = planes.shape[1]
        steps = torch.zeros(count + 1, len(TRACKS), PITCHES)  # the first step is silence
        steps[1:, MELODY] = torch.from_numpy(planes[1]).float()
        for step in range(1, count + 1):
            before = steps[max(0, step - WINDOW) : step].flatten(1)[None]
            scores = self.network(before)[0, -1].double()
            for track, notes in zip(ACCOMPANIMENT, self.settings.drawn):
                low, high = TRACKS[track].low, TRACKS[track].high
                chances = scores[track, low : high + 1].softmax(0).numpy()
                drawn = random.choice(len(chances), notes, replace=False, p=chances / chances.sum())
                steps[step, track, low + drawn] = 1
        roll = steps[1:].numpy().astype(np.uint8)
        band = {track: planes_of_sounding(roll[:, track]) for track in ACCOMPANIMENT}
        band[DRUMS][0] = band[DRUMS][1]
        return band


def main(arguments: list[str] | None = None, settings: RNNSettings = RNNSettings()) -> None:
    """Train the network."""
    session = Session.open(rival_parser("rnn", __doc__).parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    network = MultiRNN(settings.width)
    places = {split: followed(corpus, session.songs(split)) for split in ("train", "val")}
    task = MultiRNNTask(network, corpus, places, settings)
    train_rival(session, task, FitSettings(**session.config["rnn"], seed=options.seed), network)


class MultiRNNTask(Task):
    """The network and the blocks that it learns from."""

    model: MultiRNN

    def __init__(
        self,
        model: MultiRNN,
        corpus: Corpus,
        places: dict[str, np.ndarray],
        settings: RNNSettings = RNNSettings(),
    ):
        """Keep what is trained on what.

        Args:
            model: The network.
            corpus: The songs.
            places: Numbers of blocks that another follows, by split.
            settings: How many of them in an epoch.
        """
        super().__init__(model)
        self.corpus, self.train, self.settings = corpus, places["train"], settings
        random = np.random.default_rng(0)
        self.val = random.permutation(places["val"])[: settings.validation_windows]
        self.val_offsets = random.integers(BLOCK_STEPS, size=len(self.val))

    def batches(self, generator: torch.Generator, size: int) -> Iterator[Tensor]:
        """Give windows [N, WINDOW + 1, 5, 128] of a part of the places, at random offsets."""
        count = -(-len(self.train) // self.settings.epoch_share)
        order = torch.randperm(len(self.train), generator=generator).numpy()[:count]
        for at in range(0, len(order), size):
            chosen = self.train[order[at : at + size]]
            offsets = torch.randint(BLOCK_STEPS, (len(chosen),), generator=generator).numpy()
            yield step_windows(self.corpus, chosen, offsets)

    def losses(self, progress: float, batch: Tensor) -> dict[str, Tensor]:
        """Return the loss of a step."""
        steps = batch.float()
        return {"loss": multinomial_loss(self.model(steps[:, :-1].flatten(2)), steps[:, 1:])}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the loss of a step of validation songs."""
        total, device = 0.0, self.model.next.weight.device
        for at in range(0, len(self.val), 256):
            part = slice(at, at + 256)
            batch = step_windows(self.corpus, self.val[part], self.val_offsets[part]).to(device)
            total += float(self.losses(1.0, batch)["loss"]) * len(batch)
        return {"loss": total / max(len(self.val), 1)}


if __name__ == "__main__":
    main()
