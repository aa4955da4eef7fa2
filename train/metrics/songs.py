"""Measures over many songs: drift and confidence intervals."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from train.metrics.spans import mean

RESAMPLES = 9999  # of bootstrap and permutation test; with the sample itself 10,000
EXACT_UP_TO = 13  # songs, whose 8,192 signs are fewer than RESAMPLES


class Drift(NamedTuple):
    """Change along songs.

    Attributes:
        slope: Change per block, the mean over songs.
        p: Two-sided p value of that mean being 0.
    """

    slope: float
    p: float


def drift(values: Sequence[np.ndarray], seed: int = 0) -> Drift:
    """Test whether a figure rises or falls along songs.

    A song's slope is the least-squares slope of its values [B] over its blocks, nan left out; songs
    with fewer than two values don't count. The p value of the mean slope is that of a sign-flip
    permutation test (Fisher 1935): under the null hypothesis each slope could as well have had the
    other sign. All 2^n signs are tried for up to 13 songs, else 9,999 seeded draws and the sample
    itself (Phipson & Smyth 2010).
    """
    slopes = []
    for song in values:
        block = np.flatnonzero(np.isfinite(song))
        if len(block) > 1:
            centred = block - block.mean()
            slopes.append(centred @ np.asarray(song, float)[block] / (centred @ centred))
    if not slopes:
        return Drift(np.nan, np.nan)
    slopes = np.array(slopes)
    count = len(slopes)
    if count <= EXACT_UP_TO:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], (RESAMPLES + 1, count))
        signs[0] = 1
    flipped = np.abs(signs @ slopes)
    return Drift(float(slopes.mean()), float((flipped >= flipped[0] * (1 - 1e-9)).mean()))


def confidence_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Estimate the mean over songs and the half-width of its 95 % interval.

    The half-width is half the distance between the 2.5th and 97.5th percentile of the means of
    9,999 seeded bootstrap samples (Efron 1979). nan are left out; of fewer than two values the
    half-width is nan.
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return mean(values), np.nan
    drawn = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(1), [2.5, 97.5])
    return float(values.mean()), float(high - low) / 2
