"""Measure loudness and true peak after ITU-R BS.1770-4.

The filters run piece by piece: pyloudnorm's meter takes ten times the memory of a sound.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.signal import lfilter, resample_poly

from accomp.music.loudness import HOP

OVERSAMPLING = 4  # of a true peak (BS.1770-4 annex 2)
CONTEXT = 32  # samples before and after a piece that its true peaks depend on
PIECE = 10.0  # seconds that are worked on at once: the filters work in 64 bits
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and LU below the blocks above the first gate
OFFSET = -0.691  # LUFS of a mean square of 1 (BS.1770-4)


def loudness(sound: np.ndarray, sample_rate: int) -> float:
    """Measure integrated loudness in LUFS; minus infinity for silence. sound: [samples, 2]."""
    return gated_loudness(weighted_power(sound, sample_rate))


def true_peak(sound: np.ndarray, sample_rate: int) -> float:
    """Measure the true peak of [samples, 2] in dBTP; about -180 for silence."""
    frames = true_peaks(sound, sample_rate, frame=32)
    return float(20 * np.log10(frames.max() + 1e-9))


def weighted_power(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """Measure the K-weighted mean square of each HOP, both channels added: [hops].

    The last hop is filled up with silence. sound: [samples, 2].
    """
    hop, weigh = round(HOP * sample_rate), Weighting(sample_rate)
    size = hop * round(PIECE / HOP)
    return np.concatenate([weigh.power(piece) for _, piece in pieces(sound, size)])


class Weighting:
    """K-weighting of a sound that comes in pieces of whole hops; only the last may be shorter."""

    def __init__(self, sample_rate: int):
        self.hop = round(HOP * sample_rate)
        self.filters = k_weighting(sample_rate)
        self.states = [
            np.zeros((2, 2)) for _ in self.filters
        ]  # [what a filter remembers, channels]

    def power(self, piece: np.ndarray) -> np.ndarray:
        """Return the mean square of each hop of the next piece, [samples, 2]: [hops]."""
        for index, (b, a) in enumerate(self.filters):
            piece, self.states[index] = lfilter(b, a, piece, axis=0, zi=self.states[index])
        return by_frame(np.einsum("ij,ij->i", piece, piece), self.hop, np.mean)


def k_weighting(sample_rate: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the two filters of K-weighting, each as numerator and denominator.

    BS.1770-4 gives their coefficients at 48 kHz only. For any rate they are a high shelf of
    4 dB at 1500 Hz and a high pass at 38 Hz (Steinmetz & Reiss, "pyloudnorm", AES 2021), by
    the formulas of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter
    coefficients".
    """
    gain = 10 ** (4.0 / 40)
    cosine, alpha = _cosine_and_alpha(1500.0, 1 / np.sqrt(2), sample_rate)
    slope = 2 * np.sqrt(gain) * alpha
    shelf = (
        gain * ((gain + 1) + (gain - 1) * cosine + slope),
        -2 * gain * ((gain - 1) + (gain + 1) * cosine),
        gain * ((gain + 1) + (gain - 1) * cosine - slope),
        (gain + 1) - (gain - 1) * cosine + slope,
        2 * ((gain - 1) - (gain + 1) * cosine),
        (gain + 1) - (gain - 1) * cosine - slope,
    )
    cosine, alpha = _cosine_and_alpha(38.0, 0.5, sample_rate)
    half = (1 + cosine) / 2
    high_pass = (half, -(1 + cosine), half, 1 + alpha, -2 * cosine, 1 - alpha)
    return [
        (np.array(filter[:3]) / filter[3], np.array(filter[3:]) / filter[3])
        for filter in (shelf, high_pass)
    ]


def _cosine_and_alpha(frequency: float, quality: float, sample_rate: int) -> tuple[float, float]:
    angle = 2.0 * np.pi * (frequency / sample_rate)
    return np.cos(angle), np.sin(angle) / (2.0 * quality)


def gated_loudness(power: np.ndarray) -> float:
    """Measure LUFS from K-weighted power [hops].

    Counted are blocks of 400 ms above -70 LUFS and, of those, the ones less than 10 LU below
    their mean.
    """
    power = np.pad(power, (0, max(4 - len(power), 0)))
    blocks = np.convolve(power, np.full(4, 0.25), "valid")
    blocks = blocks[blocks > 10 ** ((ABSOLUTE_GATE - OFFSET) / 10)]
    if len(blocks):
        blocks = blocks[blocks > 10 ** (RELATIVE_GATE / 10) * blocks.mean()]
    if not len(blocks):
        return -np.inf
    return float(OFFSET + 10 * np.log10(blocks.mean()))


def true_peaks(sound: np.ndarray, sample_rate: int, frame: int) -> np.ndarray:
    """Measure the true peak of each `frame` samples of [samples, 2]: [frames]."""
    size = frame * round(PIECE * sample_rate / frame)
    found = (_oversampled(sound, at, len(piece)) for at, piece in pieces(sound, size))
    return np.concatenate([by_frame(piece, frame * OVERSAMPLING, np.max) for piece in found])


def _oversampled(sound: np.ndarray, at: int, length: int) -> np.ndarray:
    """Return the louder channel's magnitude, between samples too: [length * OVERSAMPLING]."""
    start = max(at - CONTEXT, 0)
    return oversampled(sound[start : at + length + CONTEXT], at - start, length)


def oversampled(part: np.ndarray, at: int, length: int) -> np.ndarray:
    """Return the louder channel's magnitude, between samples too: [length * OVERSAMPLING].

    Args:
        part: [samples, 2] with CONTEXT samples before and after what is measured, where there are.
        at: The sample of it at which that begins.
        length: Its samples.
    """
    fine = [
        np.abs(resample_poly(np.ascontiguousarray(part[:, channel]), OVERSAMPLING, 1))
        for channel in (0, 1)
    ]
    return np.maximum(*fine)[at * OVERSAMPLING :][: length * OVERSAMPLING]


def by_frame(values: np.ndarray, size: int, of: Callable[..., np.ndarray]) -> np.ndarray:
    """Apply `of` (such as np.max) to each `size` values, the last ones filled up with zeros."""
    return of(np.pad(values, (0, -len(values) % size)).reshape(-1, size), axis=1)


def pieces(sound: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield where each piece of `size` samples begins, and the piece itself."""
    for at in range(0, len(sound), size):
        yield at, sound[at : at + size]
