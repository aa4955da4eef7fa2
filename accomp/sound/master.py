"""Master a song: compress it gently, bring it to one loudness, limit its peaks.

All of it is one gain that changes in time, read from the mix and put on every stem, so that the
stems go on adding up to the mix. The gain is set once a frame and is a straight line from one
frame's middle to the next. libavfilter compresses, since its compressor has a side chain. No
limiter at hand has one: the limiter's gain is the least that is needed near by, smoothed by scipy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import cast

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from accomp.extras import extra
from accomp.music.loudness import HOP
from accomp.sound.meter import (
    CONTEXT,
    OVERSAMPLING,
    PIECE,
    Weighting,
    by_frame,
    gated_loudness,
    oversampled,
    pieces,
)


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
        apply_gain_at(piece, at, gain, settings)


def apply_gain_at(
    piece: np.ndarray, at: int, gain: np.ndarray, settings: MasterSettings = MasterSettings()
) -> None:
    """Change a piece of a stem in place.

    Args:
        piece: [samples, 2] float32.
        at: The sample of the stem at which it begins.
        gain: As `master` returns it, [frames].
        settings: Those of the gain.
    """
    # A frame's gain is that of its middle.
    places = np.arange(at, at + len(piece)) / settings.frame - 0.5
    piece *= np.interp(places, np.arange(len(gain)), gain)[:, None].astype(np.float32)


@dataclass(frozen=True)
class Measured:
    """What the mastering of a song goes by.

    Attributes:
        power: K-weighted mean square of its mix, [hops].
        peaks: True peaks of its mix, and the stems' samples, [frames].
        levels: Root mean square of both channels of its mix, [frames].
    """

    power: np.ndarray
    peaks: np.ndarray
    levels: np.ndarray


def block_size(sample_rate: int, settings: MasterSettings = MasterSettings()) -> int:
    """Return samples of a block for `measured`: about PIECE, of whole hops and whole frames."""
    unit = lcm(round(HOP * sample_rate), settings.frame)
    return unit * max(round(PIECE * sample_rate / unit), 1)


def measured(
    blocks: Iterable[list[np.ndarray]],
    sample_rate: int,
    settings: MasterSettings = MasterSettings(),
) -> Measured:
    """Measure a song that comes in blocks, so that it need not be in memory at once.

    Args:
        blocks: At each step the next block of all stems, [samples, 2] float32 each. They are of
            `block_size`; only the last may be shorter.
        sample_rate: In Hz.
        settings: Whose frames are measured.
    """
    frame, weigh = settings.frame, Weighting(sample_rate)
    power, peaks, levels, before = [], [], [], np.zeros((0, 2), np.float32)
    for stems, following in _with_next(blocks):
        whole, after = _sum(stems), _sum([stem[:CONTEXT] for stem in following])
        power.append(weigh.power(whole))
        fine = oversampled(np.concatenate([before, whole, after]), len(before), len(whole))
        found = by_frame(fine, frame * OVERSAMPLING, np.max)
        for stem in stems if len(stems) > 1 else []:
            np.maximum(found, by_frame(np.abs(stem).max(axis=1), frame, np.max), out=found)
        peaks.append(found)
        levels.append(np.sqrt(by_frame(np.square(whole).mean(axis=1), frame, np.mean)))
        before = whole[-CONTEXT:].copy()
    return Measured(*map(np.concatenate, (power, peaks, levels)))


def _with_next(blocks: Iterable[list[np.ndarray]]) -> Iterator[tuple[list, list]]:
    """Yield each block with the one after it, which is empty at the end."""
    found = iter(blocks)
    now = next(found)
    for following in found:
        yield now, following
        now = following
    yield now, [stem[:0] for stem in now]


def _gain(
    stems: list[np.ndarray], sample_rate: int, compress: bool, settings: MasterSettings
) -> np.ndarray:
    """Find the gain that masters the stems: [frames]."""
    size = block_size(sample_rate, settings)
    blocks = ([stem[at : at + size] for stem in stems] for at in range(0, len(stems[0]), size))
    return gain_of(measured(blocks, sample_rate, settings), sample_rate, compress, settings)


def gain_of(
    found: Measured,
    sample_rate: int,
    compress: bool = True,
    settings: MasterSettings = MasterSettings(),
) -> np.ndarray:
    """Find the gain that masters a song.

    Args:
        found: What was measured of it.
        sample_rate: In Hz.
        compress: Whether dynamics are compressed, too; else there is only level and limiter.
        settings: Loudness, peak and how they are reached.

    Returns:
        [frames], for `apply_gain_at`.
    """
    frame, power, peaks, levels = settings.frame, found.power, found.peaks, found.levels
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
