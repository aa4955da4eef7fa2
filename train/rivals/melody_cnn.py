"""Train the MelodyCNN of Tham & Kim 2021.

    python -m train rivals.melody_cnn --corpus CORPUS --run RUN

It is that of "MelodyCNN and Conditional HarmonyCNNs": a symmetric network of three convolutional,
three dense and three deconvolutional layers, from a block of the melody to the next. It makes up
melodies, to which the Conditional-HarmonyCNNs (train.rivals.cnn) play. RUN/variety.json says how
much its continuations of fifty melodies differ (train.rivals.variety), since the document found
them nearly the same. The widths are ours, as those of the HarmonyCNNs.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import MELODY
from train.data.corpus import Corpus
from train.fit.run_files import WEIGHTS, write_json
from train.fit.settings import Session, training_parser
from train.rivals import planes_of_sounding
from train.rivals.cnn import CNNSettings, RollTask, convolutions, deconvolutions, train_cnn
from train.rivals.training import add_epochs, rival_settings
from train.rivals.variety import continuation_variety

VARIETY = "variety.json"


class MelodyCNN(nn.Module):
    """From a block of the melody to the next one."""

    def __init__(self, settings: CNNSettings = CNNSettings()):
        super().__init__()
        self.shape, size, dense = settings.shape, settings.size, settings.dense
        self.convolutions, self.deconvolutions = convolutions(settings), deconvolutions(settings)
        self.dense = nn.Sequential(
            nn.Linear(size, dense),
            nn.ReLU(),
            nn.Linear(dense, dense),
            nn.ReLU(),
            nn.Linear(dense, size),
            nn.ReLU(),
        )
        self.register_buffer("threshold", torch.tensor(0.5))

    @classmethod
    def load(cls, run: Path) -> "MelodyCNN":
        """Load the trained network of a run."""
        network = cls()
        network.load_state_dict(load_file(run / WEIGHTS))
        return network.eval()

    def forward(self, block: Tensor) -> Tensor:
        """Return logits of what sounds in the next block, of what sounds in one; [N, 32, 128]."""
        dense = self.dense(self.convolutions(block[:, None].float()))
        return self.deconvolutions(dense.reshape(-1, *self.shape))[:, 0]

    @torch.no_grad()
    def generate(self, start: np.ndarray, blocks: int, seed: int | None = None) -> np.ndarray:
        """Continue a melody.

        Args:
            start: [2, 32, 128] a block.
            blocks: How many follow it.
            seed: None, as published: whatever is likelier than the threshold sounds, so that a
                start has one continuation. Else each cell of the roll is drawn by its probability.

        Returns:
            Planes [2, 32 blocks, 128] uint8.
        """
        random = None if seed is None else torch.Generator().manual_seed(seed)
        block, found = torch.from_numpy(np.ascontiguousarray(start[1]))[None], []
        for _ in range(blocks):
            probability = self(block).sigmoid()
            least = self.threshold
            if random is not None:
                least = torch.rand(probability.shape, generator=random)
            block = (probability > least).float()
            found.append(block[0])
        return planes_of_sounding(torch.cat(found).numpy())


def main(arguments: list[str] | None = None, settings: CNNSettings = CNNSettings()) -> None:
    """Train the network, and measure how much its melodies differ."""
    parser = training_parser("rivals.melody_cnn", __doc__)
    add_epochs(parser, rival_settings("melody_cnn")["epochs"])
    session = Session.open(parser.parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)

    def rolls(rows: np.ndarray) -> tuple[Tensor, Tensor]:
        return corpus.blocks(MELODY, rows)[:, 1], corpus.blocks(MELODY, rows + 1)[:, 1]

    places = {split: melody_pairs(corpus, session.songs(split)) for split in ("train", "val")}
    network = MelodyCNN(settings)
    train_cnn(session, RollTask(network, rolls, places, settings), options.run)
    played = {
        "threshold": lambda start, blocks, seed: network.generate(start, blocks),
        "drawn": network.generate,
    }
    variety = {how: continuation_variety(play, corpus) for how, play in played.items()}
    write_json(options.run / VARIETY, variety)


def melody_pairs(corpus: Corpus, songs: list[int]) -> np.ndarray:
    """Return the blocks in which the melody plays, and in the next one of the song too, [n]."""
    sounding, rows = corpus.active(MELODY), []
    for song in songs:
        own = corpus.own(song)
        rows += [
            block
            for block in range(own.start, own.stop - 1)
            if sounding[block] and sounding[block + 1]
        ]
    return np.array(rows, int)


if __name__ == "__main__":
    main()
