"""Random number streams of a song: each purpose draws from its own, in a fixed order."""

from zlib import crc32

import numpy as np
import torch

from accomp.roll.grid import TRACK_NAMES

STYLE = 3  # what tells the streams of one seed apart
SONG_FORM = len(TRACK_NAMES)
LINE_UP = SONG_FORM + 1


class Streams:
    """Hold the random generators that a seed gives.

    Because the streams are separate, one more note in a track changes no other track, and
    a style changes no chord. Same seed, same music.

    Attributes:
        latents: chooses the latents, then the fills, then the noise of `variation`.
        plan: draws the chords of the plan.
        style: draws the passages of a style.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.latents = torch.Generator().manual_seed(seed)
        self.plan = np.random.default_rng(seed)
        self.style = np.random.default_rng([seed, STYLE])

    def song_form(self, blocks: np.ndarray) -> np.random.Generator:
        """Return the stream of a melody's density and dynamics, from its beginning."""
        return np.random.default_rng([self.seed, SONG_FORM, _digest(blocks)])

    def line_up(self, blocks: np.ndarray, genre: str) -> np.random.Generator:
        """Return the stream of who rests with a melody in a genre, from its beginning.

        A seed means something else with each melody and genre, or with the default seed the same
        player would be missing in every song.

        Args:
            blocks: [B, 2, 32, 128] of the melody in its normal key. Silence around it does not
                count.
            genre: its name.
        """
        return np.random.default_rng([self.seed, LINE_UP, _digest(blocks), crc32(genre.encode())])

    def velocities(self, track: int) -> np.random.Generator:
        """Return the stream of a track's velocities, from its beginning."""
        return np.random.default_rng([self.seed, track, 0])

    def offsets(self, track: int) -> np.random.Generator:
        """Return the stream of a track's timing, from its beginning."""
        return np.random.default_rng([self.seed, track, 1])

    def blend(self, other: int) -> np.random.Generator:
        """Return the stream that chooses between this song and the one of another seed."""
        return np.random.default_rng([self.seed, other])


def _digest(blocks: np.ndarray) -> int:
    """Return a number that tells melodies [B, 2, 32, 128] apart."""
    sounding = np.flatnonzero(blocks.any((1, 2, 3)))
    melody = blocks[sounding[0] : sounding[-1] + 1] if len(sounding) else blocks[:0]
    return crc32(np.packbits(melody.astype(bool)).tobytes())
