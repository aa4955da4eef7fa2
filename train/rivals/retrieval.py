"""Give each block the accompaniment of the training block whose melody is nearest.

Nothing is learned, so any learned model must do better.
"""

from pathlib import Path

import numpy as np

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, MELODY
from train.data.corpus import Corpus


class Retrieval:
    """An accompanist that plays what training songs play."""

    def __init__(self, corpus: Path, nearest: int = 3):
        """Index the melodies of the training songs.

        nearest: of so many blocks, the seed chooses one; 1 gives the same music for every seed.
        """
        self.corpus, self.nearest = Corpus.load(corpus), nearest
        index = self.corpus.block_index(self.corpus.choose("train"))
        self.index = index[self.corpus.active(MELODY)[index]]
        self.packed = (
            np.ascontiguousarray(self.corpus.packed[MELODY][self.index])
            .reshape(len(self.index), -1)
            .view(np.uint64)
        )

    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals. A block without melody is silent.

        The distance of blocks is the Hamming distance of their rolls, onsets and sustained notes
        alike.
        """
        random = np.random.default_rng(seed)
        blocks = pianoroll.to_blocks(planes)
        band = {track: np.zeros_like(blocks) for track in ACCOMPANIMENT}
        for at, block in enumerate(blocks):
            if not block.any():
                continue
            query = np.packbits(block, axis=-1).reshape(-1).view(np.uint64)
            distance = np.bitwise_count(self.packed ^ query).sum(1, dtype=np.int32)
            nearest = np.argpartition(distance, self.nearest)[: self.nearest]
            chosen = self.index[random.choice(nearest)]
            for track in ACCOMPANIMENT:
                band[track][at] = self.corpus.blocks(track, slice(chosen, chosen + 1)).numpy()[0]
        return {track: pianoroll.from_blocks(rolls) for track, rolls in band.items()}
