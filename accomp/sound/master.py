"""Master a song: compress it gently, bring it to one loudness, limit its peaks.

All of it is one gain that changes in time, read from the mix and put on every stem, so that the
stems go on adding up to the mix. The gain is set once a frame and is a straight line from one
frame's middle to the next. libavfilter compresses, since its compressor has a side chain. No
limiter at hand has one: the limiter's gain is the least that is needed near by, smoothed by scipy.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from accomp.extras import extra
from accomp.music.loudness import HOP
from accomp.sound.meter import by_frame, gated_loudness, pieces, true_peaks, weighted_power


@dataclass(frozen=True)
class CompressorSettings:
    """Settings of libavfilter's compressor, by its names.

    It takes a third of what the sound (both channels' mean power) rises above the mean of a song.
    """

    threshold: float = 10 ** (-18 / 20)
    ratio: float = 1.5
    attack: float = 80  # milliseconds; FFmpeg's time constant is a fourth of it
    release: float = 600  # milliseconds, likewise
    knee: float = 4
    detection: str = "rms"


@dataclass(frozen=True)
class MasterSettings:
    """What all songs are brought to, and how far their dynamics are changed for it."""

    loudness: float = -16.0  # LUFS integrated: the level of podcasts and of music on the web
    peak: float = 10 ** (-1 / 20)  # -1 dBTP: room for what a codec adds
    margin: float = 10 ** (-0.1 / 20)  # for what the changes of the gain add between samples
    max_gain: float = 10 ** (80 / 20)  # upper limit, so that noise is not amplified
    most_limited: float = 10 ** (12 / 20)  # of a peak: a single stroke would become a knock
    reach: float = 0.025  # seconds around a peak in which the limiter's gain goes down and up
    near: float = 0.03  # LU from `loudness` that are near enough
    rounds: int = 12  # at most, of raising the gain for what was limited
    frame: int = 32  # samples
    compressor: CompressorSettings = CompressorSettings()


def master(
    stems: list[np.ndarray],
    sample_rate: int,
    compress: bool = True,
    settings: MasterSettings = MasterSettings(),
) -> np.ndarray:
    """Bring stems to one loudness in place, so that their sum has no peak above the limit.

    The sum ends at -16 LUFS with true peaks below -1 dBTP; each stem's samples stay below it, too.
    Softer is only what would have to be limited by more than 12 dB, and silence.

    Args:
        stems: Each [samples, 2] float32; they are changed.
        sample_rate: In Hz.
        compress: Whether dynamics are compressed, too; else there is only level and limiter.
        settings: Loudness, peak and how they are reached.

    Returns:
        The gain, [frames].
    """
    gain = _gain(stems, sample_rate, compress, settings)
    for stem in stems:
        apply_gain(stem, gain, settings)
    return gain


def apply_gain(
    stem: np.ndarray, gain: np.ndarray, settings: MasterSettings = MasterSettings()
) -> None:
    """Change a stem, [samples, 2] float32, in place by the gain of `master`, [frames]."""
    for at, piece in pieces(stem, 500_000):
        # A frame's gain is that of its middle.
        places = np.arange(at, at + len(piece)) / settings.frame - 0.5
        piece *= np.interp(places, np.arange(len(gain)), gain)[:, None].astype(np.float32)


def _gain(
    stems: list[np.ndarray], sample_rate: int, compress: bool, settings: MasterSettings
) -> np.ndarray:
    """Find the gain that masters the stems: [frames]."""
    frame = settings.frame
    whole = _sum(stems)
    power = weighted_power(whole, sample_rate)
    peaks = true_peaks(whole, sample_rate, frame)
    levels = np.sqrt(_frames(whole, frame, np.mean, np.square))  # of both channels
    for stem in stems if len(stems) > 1 else []:
        np.maximum(peaks, _frames(stem, frame, np.max, np.abs), out=peaks)
    del whole
    overall = _factor_to(settings.loudness, gated_loudness(power))
    shape = np.ones(len(peaks))
    if compress:
        shape = compressed(levels * overall, sample_rate / frame, settings.compressor)
    energy = np.square(levels) + 1e-12
    hops = np.arange(len(power)) * round(HOP * sample_rate) // frame  # the frames of their begins
    most = settings.most_limited * settings.peak / max(float((peaks * shape).max()), 1e-9)
    most, gain = min(most, settings.max_gain), shape
    # What is limited is softer, so more gain is needed, which has to be limited.
    for _ in range(settings.rounds):
        overall = min(overall, most)
        gain = overall * shape
        gain *= limited(peaks * maximum_filter1d(gain, 3), sample_rate / frame, settings)
        squares = np.add.reduceat(energy * gain**2, hops) / np.add.reduceat(energy, hops)
        factor = _factor_to(settings.loudness, gated_loudness(power * squares))
        if abs(20 * np.log10(factor)) < settings.near or (factor > 1 and overall >= most):
            break
        overall *= factor
    return gain


def compressed(
    levels: np.ndarray, rate: float, settings: CompressorSettings = CompressorSettings()
) -> np.ndarray:
    """Return the compressor's gain for a sound of these levels: [frames].

    The compressor works on a constant, with the levels as its side chain.

    Args:
        levels: Root mean squares, [frames].
        rate: Frames per second.
        settings: The compressor's.
    """
    with extra("sound"):
        from av import AudioFrame
        from av.error import BlockingIOError, EOFError
        from av.filter import Graph

    rate, graph = round(rate), Graph()
    base = {"sample_rate": rate, "format": "dbl", "layout": "mono"}
    constant, chain = (graph.add_abuffer(**base, time_base=Fraction(1, rate)) for _ in range(2))
    options = ":".join(f"{name}={value}" for name, value in vars(settings).items())
    compressor = graph.add("sidechaincompress", options)
    sink = graph.add("abuffersink")
    constant.link_to(compressor, 0, 0)
    chain.link_to(compressor, 0, 1)
    compressor.link_to(sink)
    graph.configure()

    def made() -> Iterator[np.ndarray]:
        while True:
            try:
                yield cast(AudioFrame, sink.pull()).to_ndarray()[0]
            except (BlockingIOError, EOFError):
                return

    gains = []
    for at in range(0, len(levels), 4096):
        level = np.ascontiguousarray(levels[None, at : at + 4096], np.float64)
        for source, values in ((constant, np.ones_like(level)), (chain, level)):
            frame = AudioFrame.from_ndarray(values, format="dbl", layout="mono")
            frame.sample_rate, frame.pts = rate, at
            source.push(frame)
        gains += made()
    for source in (constant, chain):
        source.push(None)
    gains += made()
    return np.concatenate(gains)


def limited(
    peaks: np.ndarray, rate: float, settings: MasterSettings = MasterSettings()
) -> np.ndarray:
    """Return the limiter's gain [frames] for these peaks, `rate` frames a second.

    It is never above what the frame itself and its neighbours need, since it is a mean of minima
    that all reach to them.
    """
    reach = 2 * round(settings.reach * rate / 2)
    need = np.minimum(1.0, settings.peak * settings.margin / np.maximum(peaks, 1e-9))
    need = minimum_filter1d(need, 2 * reach + 3, mode="nearest")
    for _ in range(2):
        need = uniform_filter1d(need, reach + 1, mode="nearest")
    return np.minimum(need, 1.0)


def _sum(stems: list[np.ndarray]) -> np.ndarray:
    """Return the sum of stems; of a single one the stem itself."""
    first, *others = stems
    whole = first.copy() if others else first
    for stem in others:
        whole += stem  # in place: ten minutes take 200 MB
    return whole


def _factor_to(loudness: float, found: float) -> float:
    """Return the factor from a loudness that was found to another, in LUFS; 1 for silence."""
    return 1.0 if np.isinf(found) else 10 ** ((loudness - found) / 20)


Reduce = Callable[..., np.ndarray]


def _frames(sound: np.ndarray, frame: int, reduce: Reduce, magnitude: Reduce) -> np.ndarray:
    """Reduce the magnitudes of each `frame` samples of both channels to one value: [frames]."""
    found = (reduce(magnitude(piece), axis=1) for _, piece in pieces(sound, frame * 10_000))
    return np.concatenate([by_frame(values, frame, reduce) for values in found])
