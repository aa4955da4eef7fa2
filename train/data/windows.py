"""Blocks of an instrument that begin at any bar of a song, and in any octave, to learn from."""

import numpy as np
import torch
from torch import Tensor

from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS
from train.data.corpus import Corpus

OCTAVE = 12


class Windows:
    """The windows of two bars in which an instrument plays.

    Attributes:
        corpus: The songs.
        track: Index of the instrument.
        places: [n, 2] number of the block in which a window begins, and whether it begins with that
            block's second bar.
    """

    def __init__(self, corpus: Corpus, track: int, songs: list[int], any_bar: bool = False):
        """Find the windows of songs.

        Args:
            corpus: The songs.
            track: Index of the instrument.
            songs: Numbers of those that are wanted.
            any_bar: Whether they also begin with second bars; else they are the blocks.
        """
        self.corpus, self.track = corpus, track
        found = [np.zeros((0, 2), int)]
        for song in songs:
            own = corpus.own(song)
            packed = corpus.packed[track][own]
            cells = packed.reshape(len(packed), -1, 2, BAR_STEPS, packed.shape[-1])
            bars: np.ndarray = np.any(cells, axis=(1, 3, 4))
            early = np.flatnonzero(bars[:, 0] | bars[:, 1])
            late = np.flatnonzero(bars[:-1, 1] | bars[1:, 0]) if any_bar else early[:0]
            for second, at in enumerate((early, late)):
                found.append(np.stack([at + own.start, np.full(len(at), second)], axis=1))
        self.places = np.concatenate(found)

    def __len__(self) -> int:
        return len(self.places)

    def read(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the windows with these numbers, [N, 2, 32, 128] uint8, and their plan [N, H]."""
        block, late = self.places[index].T
        planes, plan = self.corpus.blocks(self.track, block), self.corpus.plan[block]
        (late,) = np.nonzero(late)
        if len(late):
            after = block[late] + 1
            following = self.corpus.blocks(self.track, after)[:, :, :BAR_STEPS]
            planes[late] = torch.cat([planes[late][:, :, BAR_STEPS:], following], dim=2)
            half = BLOCK_HALF_BARS // 2
            chords = self.corpus.plan[after][:, :half]
            plan[late] = torch.cat([plan[late][:, half:], chords], dim=1)
        return planes, plan


def in_other_octaves(
    planes: Tensor, share: float, lowest: int, highest: int, generator: torch.Generator
) -> Tensor:
    """Move some blocks an octave up or down, where they stay within the instrument's range.

    Args:
        planes: [N, 2, 32, P].
        share: Of the blocks that are to be moved, half of them each way.
        lowest: Pitch of the instrument.
        highest: Likewise.
        generator: Draws them.

    Returns:
        [N, 2, 32, P].
    """
    used = planes.flatten(1, 2).bool().any(1)
    drawn = torch.rand(len(planes), generator=generator)
    fits_up = ~used[:, highest - OCTAVE + 1 :].any(1)
    fits_down = ~used[:, : lowest + OCTAVE].any(1)
    up = fits_up & (drawn < share / 2)
    down = fits_down & (drawn > 1 - share / 2)
    moved = planes.clone()
    moved[up] = planes[up].roll(OCTAVE, -1)
    moved[down] = planes[down].roll(-OCTAVE, -1)
    return moved
