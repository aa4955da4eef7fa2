"""Rhythms of blocks, as the song network hears them."""

import torch
from torch import Tensor

from accomp.music.percussion import keys_of
from accomp.roll.grid import DRUMS


def rhythm_of(planes: Tensor, track: int) -> Tensor:
    """Return the rhythms of blocks.

    Args:
        planes: [n, 2, 32, 128].
        track: Index in TRACKS.

    Returns:
        [n, 64] bool (`harmony_network.RHYTHM`): at which steps anything is struck, and anything
        sounds; of drums at which the bass drum is struck, and anything.
    """
    struck = planes[:, 0].any(-1)
    if track == DRUMS:
        return torch.cat([planes[:, 0][..., sorted(keys_of("kick"))].any(-1), struck], dim=1)
    return torch.cat([struck, planes[:, 1].any(-1)], dim=1)
