"""The Multi-instrument RNN of Tham & Kim 2021: `python -m train rivals.rnn --corpus CORPUS --run RUN`.

A step is the sounding notes of the five instruments, 5 x 128, as one vector of 640; from the 32 steps before, an RNN (a GRU, as
their first baseline) predicts the next. A fixed number of notes of each instrument is drawn from the multinomial over the
softmax of its own 128 scores, each instrument for itself. Here the piano of every step is the given melody, the others what was
drawn. Trained on all steps of a window of 32 at once, each predicted from those before it. Sizes, the loss and most numbers of
notes are not published; these are ours.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import (
    ACCOMPANIMENT,
    BASS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    PITCHES,
    STRINGS,
    TRACKS,
)
from accomp.roll.grid import MELODY as PIANO
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import WEIGHTS, save_weights
from train.fit.settings import CONFIGS, Session, training_parser
from train.rivals import write_figures

WINDOW = BLOCK_STEPS
WIDTH = 256
SIZE = len(TRACKS) * PITCHES
DRAWN = {
    DRUMS: 2,
    BASS: 1,
    GUITAR: 3,
    STRINGS: 3,
}  # notes a step; 3 for the guitar is theirs, all are the corpus' means
EPOCH_SHARE = 4  # one in so many of the places is seen in an epoch, at another offset each time
VALIDATION_WINDOWS = 1024


class MultiRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(SIZE, WIDTH, batch_first=True)
        self.next = nn.Linear(WIDTH, SIZE)

    def forward(self, steps: Tensor) -> Tensor:
        """Scores [B, N, 5, 128] of what follows each of the steps [B, N, 640]."""
        return self.next(self.gru(steps)[0]).unflatten(-1, (len(TRACKS), PITCHES))


def loss_of(scores: Tensor, following: Tensor) -> Tensor:
    """Cross-entropy a step, summed over instruments, of their softmax (scores [..., 5, 128]) with the notes that sounded
    (following, of the same shape, 0 or 1), each an equal share; a silent instrument has none.
    """
    share = following / following.sum(-1, keepdim=True).clamp(min=1)
    return -(share * scores.log_softmax(-1)).sum((-1, -2)).mean()


class MultiRNNs:
    """The trained network of a run, as an accompanist."""

    def __init__(self, run: Path, corpus: Corpus | None = None):
        self.network = MultiRNN()
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals. Notes that go on from step to step are one; drums are struck anew."""
        random = np.random.default_rng(seed)
        count = planes.shape[1]
        heard = torch.zeros(count + 1, len(TRACKS), PITCHES)  # the first step is silence
        heard[1:, PIANO] = torch.from_numpy(planes[1]).float()
        for step in range(1, count + 1):
            scores = self.network(heard[max(0, step - WINDOW) : step].flatten(1)[None])[
                0, -1
            ].double()
            for track, notes in DRAWN.items():
                low, high = TRACKS[track].low, TRACKS[track].high
                chances = scores[track, low : high + 1].softmax(0).numpy()
                drawn = random.choice(len(chances), notes, replace=False, p=chances / chances.sum())
                heard[step, track, low + drawn] = 1
        roll = heard[1:].numpy().astype(np.uint8)
        band = {}
        for track in ACCOMPANIMENT:
            sounding = roll[:, track]
            struck = (
                sounding
                if track == DRUMS
                else (np.diff(sounding.astype(int), axis=0, prepend=0) == 1).astype(np.uint8)
            )
            band[track] = np.stack([struck, sounding])
        return band


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.rnn", __doc__)
    options.set_defaults(config=CONFIGS / "rivals.yaml")
    session = Session.open(options.parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    network = MultiRNN()
    places = {split: followed(corpus, session.songs(split)) for split in ("train", "val")}
    random = np.random.default_rng(0)
    val = random.permutation(places["val"])[:VALIDATION_WINDOWS]
    val_offsets = random.integers(BLOCK_STEPS, size=len(val))

    def batches(generator: torch.Generator, size: int):
        order = torch.randperm(len(places["train"]), generator=generator).numpy()[
            : -(-len(places["train"]) // EPOCH_SHARE)
        ]
        for at in range(0, len(order), size):
            chosen = places["train"][order[at : at + size]]
            yield windows(
                corpus,
                chosen,
                torch.randint(BLOCK_STEPS, (len(chosen),), generator=generator).numpy(),
            )

    def losses(progress: float, batch: Tensor) -> dict[str, Tensor]:
        steps = batch.float()
        return {"loss": loss_of(network(steps[:, :-1].flatten(2)), steps[:, 1:])}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        total = 0.0
        for at in range(0, len(val), 256):
            batch = windows(corpus, val[at : at + 256], val_offsets[at : at + 256]).to(
                network.next.weight.device
            )
            total += float(losses(1.0, batch)["loss"]) * len(batch)
        return {"loss": total / max(len(val), 1)}

    settings = FitSettings(**session.config["rnn"], seed=options.seed)
    history = fit(
        options.run, FunctionTask(network, losses, batches, validate), settings, options.max_steps
    )
    save_weights(options.run, network)
    write_figures(session, network, history)


def followed(corpus: Corpus, songs: list[int]) -> np.ndarray:
    """The blocks that another one of the same song follows."""
    return np.concatenate([np.zeros(0, int), *(corpus.block_index([song])[:-1] for song in songs)])


def windows(corpus: Corpus, blocks: np.ndarray, offsets: np.ndarray) -> Tensor:
    """[n, WINDOW + 1, 5, 128] uint8: the sounding notes from step `offsets` of `blocks` on."""
    both = [
        torch.cat([corpus.blocks(track, blocks + i)[:, 1] for i in (0, 1)], dim=1)
        for track in range(len(TRACKS))
    ]
    steps = torch.from_numpy(offsets)[:, None] + torch.arange(WINDOW + 1)
    return torch.stack(both, dim=2)[torch.arange(len(blocks))[:, None], steps]


if __name__ == "__main__":
    main()
