"""Where in the bar a player strikes: the onset profile, by which a waltz is told from a march.

Source: onset histograms over metric positions, as in Palmer & Krumhansl 1990, "Mental
representations for musical meter".
"""

import numpy as np

from accomp.roll.grid import BAR_STEPS


def onset_profile(struck: np.ndarray) -> np.ndarray:
    """Return the share of a player's strokes at each step of a bar.

    Args:
        struck: [S] bool, whether anything is struck at each step of whole model bars.

    Returns:
        [16], of sum 1; zeros where nothing is struck.
    """
    counts = np.asarray(struck, float).reshape(-1, BAR_STEPS).sum(0)
    return counts / max(counts.sum(), 1.0)


def profile_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of strokes that lie elsewhere: the total variation of two profiles."""
    return float(np.abs(a - b).sum() / 2)
