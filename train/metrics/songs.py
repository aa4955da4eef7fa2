"""Measures over many songs: drift, confidence intervals and distances of distributions."""

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


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Measure the squared Fréchet distance of the Gaussians fitted to embeddings.

    After Dowson & Landau 1982; FID is the same. Of embeddings [N, D] and [M, D],
    |mean a - mean b|^2 + trace(A + B - 2 (A^1/2 B A^1/2)^1/2), A and B the unbiased covariances.
    """
    shift = a.mean(0) - b.mean(0)
    cov_a, cov_b = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    # Rounding makes zeros slightly negative.
    product = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0))
    return float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * product.sum())
