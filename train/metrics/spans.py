"""Helpers of the measures: spans of steps, and means that may be of nothing."""

from collections.abc import Sized

import numpy as np

from accomp.roll.grid import PITCHES


def in_spans(steps: np.ndarray, length: int) -> np.ndarray:
    """Tell where pitches are on anywhere in a span of `length` steps, [S / length, P] of [S, P]."""
    return steps.reshape(-1, length, PITCHES).any(1)


def mean(values: Sized) -> float:
    """Return the mean of values; of none nan, without a warning."""
    return float(np.mean(values)) if len(values) else np.nan


def ratio(total: float, count: float) -> float:
    """`total` / `count`; nan if `count` is 0."""
    return float(total / count) if count else np.nan
