"""Random number streams of a song: each purpose draws from its own, in a fixed order."""

import numpy as np
import torch

from accomp.roll.grid import TRACK_NAMES

STYLE = 3  # what tells the streams of one seed apart
SONG_FORM = len(TRACK_NAMES)


class Streams:
    """Hold the random generators that a seed gives.

    Because the streams are separate, one more note in a track changes no other track, and
    a style changes no chord. Same seed, same music.

    Attributes:
        latents: chooses the latents, then the fills, then the noise of `variation`.
        plan: draws which player rests, then the seventh of each chord of the plan.
        song_form: draws rests and dynamics from the song VAE.
        style: draws the passages of a style.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.latents = torch.Generator().manual_seed(seed)
        self.plan = np.random.default_rng(seed)
        self.song_form = np.random.default_rng([seed, SONG_FORM])
        self.style = np.random.default_rng([seed, STYLE])

    def velocities(self, track: int) -> np.random.Generator:
        """Return the stream of a track's velocities, from its beginning."""
        return np.random.default_rng([self.seed, track, 0])

    def offsets(self, track: int) -> np.random.Generator:
        """Return the stream of a track's timing, from its beginning."""
        return np.random.default_rng([self.seed, track, 1])

    def blend(self, other: int) -> np.random.Generator:
        """Return the stream that chooses between this song and the one of another seed."""
        return np.random.default_rng([self.seed, other])
