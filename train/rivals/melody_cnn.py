"""The MelodyCNN of Tham & Kim 2021, "MelodyCNN and Conditional HarmonyCNNs":
`python -m train rivals.melody_cnn --corpus CORPUS --run RUN`.

A symmetric network of three convolutional, three dense and three deconvolutional layers, from a block of the melody to the
next. It makes up melodies, to which the Conditional-HarmonyCNNs (train.rivals.cnn) play. RUN/variety.json says how much its
continuations of fifty melodies differ (train.eval.variety), since the document found them nearly the same. The widths are ours, as
those of the HarmonyCNNs.
"""

from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import MELODY
from train.eval.variety import continuation_variety
from train.fit.run_files import WEIGHTS, write_json
from train.fit.settings import Session, training_parser
from train.rivals.cnn import DENSE, SHAPE, SIZE, convolutions, deconvolutions, fit_rolls, planes_of
from train.rivals.latent_sizes import SETTINGS

VARIETY = "variety.json"


class MelodyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions, self.deconvolutions = convolutions(), deconvolutions()
        self.dense = nn.Sequential(
            nn.Linear(SIZE, DENSE),
            nn.ReLU(),
            nn.Linear(DENSE, DENSE),
            nn.ReLU(),
            nn.Linear(DENSE, SIZE),
            nn.ReLU(),
        )
        self.register_buffer("threshold", torch.tensor(0.5))

    @classmethod
    def load(cls, run: Path) -> "MelodyCNN":
        """The trained one of a run."""
        network = cls()
        network.load_state_dict(load_file(run / WEIGHTS))
        return network.eval()

    def forward(self, block: Tensor) -> Tensor:
        """Logits [N, 32, 128] of what sounds in the next block, of what sounds in this one, [N, 32, 128]."""
        return self.deconvolutions(
            self.dense(self.convolutions(block[:, None].float())).reshape(-1, *SHAPE)
        )[:, 0]

    @torch.no_grad()
    def generate(self, start: np.ndarray, blocks: int, seed: int | None = None) -> np.ndarray:
        """Planes [2, 32 blocks, 128] uint8 that go on from `start` [2, 32, 128].

        seed: None: as published, whatever is likelier than the threshold sounds, so that a start has one continuation; else
        each cell of the roll is drawn by its probability.
        """
        random = None if seed is None else torch.Generator().manual_seed(seed)
        block, found = torch.from_numpy(np.ascontiguousarray(start[1]))[None], []
        for _ in range(blocks):
            probability = self(block).sigmoid()
            from_here = (
                self.threshold
                if random is None
                else torch.rand(probability.shape, generator=random)
            )
            block = (probability > from_here).float()
            found.append(block[0])
        return planes_of(torch.cat(found).numpy())


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.melody_cnn", __doc__)
    options.add_argument("--epochs", type=int, help="instead of the config's")
    session = Session.open(options.parse_args(arguments))
    options, corpus = session.options, session.corpus
    options.epochs = options.epochs or yaml.safe_load(SETTINGS.read_text())["melody_cnn"]["epochs"]
    torch.manual_seed(options.seed)

    def rolls(rows: np.ndarray) -> tuple[Tensor, Tensor]:
        return corpus.blocks(MELODY, rows)[:, 1], corpus.blocks(MELODY, rows + 1)[:, 1]

    places = {split: _places(corpus, session.songs(split)) for split in ("train", "val")}
    fit_rolls(session, MelodyCNN(), options.run, rolls, places)
    network = MelodyCNN.load(options.run)
    played = {
        "threshold": lambda start, blocks, seed: network.generate(start, blocks),
        "drawn": network.generate,
    }
    write_json(
        options.run / VARIETY,
        {how: continuation_variety(play, corpus) for how, play in played.items()},
    )


def _places(corpus, songs: list[int]) -> np.ndarray:
    """[n]: blocks in which the melody plays, and in the next one too."""
    sounding, rows = corpus.active(MELODY), []
    for song in songs:
        first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
        rows += [
            block
            for block in range(first, first + count - 1)
            if sounding[block] and sounding[block + 1]
        ]
    return np.array(rows, int)


if __name__ == "__main__":
    main()
