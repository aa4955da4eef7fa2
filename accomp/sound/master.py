"""The last step of sound: gentle compression, one loudness for all songs, and no peak above -1 dBTP.

All of it is one gain that changes in time, read from the mix and put on every stem, so that the stems go on adding up to the
mix. The gain is set for every FRAME samples and is a straight line from one to the next. libavfilter compresses, since its
compressor has a side chain. No limiter at hand has one: the limiter's gain is the least that is needed near by, smoothed by
scipy.

Loudness is that of ITU-R BS.1770-4, by pyloudnorm's filters. They are run piece by piece, for its meter takes ten times the
memory of a sound.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pyloudnorm
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d
from scipy.signal import lfilter, resample_poly

from accomp.music.loudness import HOP

LOUDNESS = -16.0  # LUFS integrated: the level of podcasts and of music on the web
PEAK = 10 ** (-1 / 20)  # -1 dBTP: room for what a codec adds
MARGIN = 10 ** (-0.1 / 20)  # for what the changes of the gain add between samples
OVERSAMPLING = 4  # of a true peak (BS.1770-4 annex 2)
CONTEXT = 32  # samples before and after a piece that its true peaks depend on
MAX_GAIN = 10 ** (80 / 20)  # more would raise what is no music
MOST_LIMITED = 10 ** (
    12 / 20
)  # what a peak is taken down at most: a single stroke would be but a knock
FRAME = 32  # samples
REACH = 0.025  # seconds before and after a peak in which the limiter's gain goes down and up
PIECE = 10.0  # seconds worked on at once: the filters work in 64 bits
NEAR = 0.03  # LU: near enough to LOUDNESS
# It takes a third of what the sound (both channels' mean power) rises above the mean of a song. Times in milliseconds; of
# FFmpeg's, a fourth is the time constant.
COMPRESSOR = {
    "threshold": 10 ** (-18 / 20),
    "ratio": 1.5,
    "attack": 80,
    "release": 600,
    "knee": 4,
    "detection": "rms",
}


def master(stems: list[np.ndarray], sample_rate: int, compress: bool = True) -> np.ndarray:
    """Stems, each [samples, 2] float32, changed in place so that their sum is at -16 LUFS, with no peak above -1 dBTP: that of
    the sum true, those of the stems as sampled. Returns the gain, [frames].

    Softer is only what would have to be limited by more than 12 dB, and silence.
    """
    gain = _gain(stems, sample_rate, compress)
    for stem in stems:
        apply(stem, gain)
    return gain


def apply(stem: np.ndarray, gain: np.ndarray) -> None:
    """Changes a stem, [samples, 2] float32, in place by the gain of `master`, [frames], as those that it was made for."""
    for at, piece in _pieces(stem, 500_000):
        places = (
            np.arange(at, at + len(piece)) / FRAME - 0.5
        )  # a frame's gain is that of its middle
        piece *= np.interp(places, np.arange(len(gain)), gain)[:, None].astype(np.float32)


def loudness(sound: np.ndarray, sample_rate: int) -> float:
    """LUFS, integrated (ITU-R BS.1770-4); of silence minus infinity. sound: [samples, 2]."""
    return gated(weighted_power(sound, sample_rate))


def true_peak(sound: np.ndarray, sample_rate: int) -> float:
    """DBTP (ITU-R BS.1770-4 annex 2) of [samples, 2]; of silence minus 180 or so."""
    return float(20 * np.log10(_true_peaks(sound, sample_rate).max() + 1e-9))


def weighted_power(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """K-weighted mean square, both channels added, in each HOP: [hops]. What is left at the end counts as filled up with silence.
    sound: [samples, 2].
    """
    hop = round(HOP * sample_rate)
    filters = list(pyloudnorm.Meter(sample_rate)._filters.values())
    states = [np.zeros((2, 2)) for _ in filters]  # [what a filter remembers, channels]
    powers = []
    for _, piece in _pieces(sound, hop * round(PIECE / HOP)):
        for index, stage in enumerate(filters):
            piece, states[index] = lfilter(stage.b, stage.a, piece, axis=0, zi=states[index])
        power = np.einsum("ij,ij->i", piece, piece)
        powers.append(np.pad(power, (0, -len(power) % hop)).reshape(-1, hop).mean(1))
    return np.concatenate(powers)


def gated(power: np.ndarray) -> float:
    """LUFS of K-weighted power [hops]: blocks of 400 ms that are above -70 LUFS, and of those what is less than 10 LU below."""
    power = np.pad(power, (0, max(4 - len(power), 0)))
    blocks = np.convolve(power, np.full(4, 0.25), "valid")
    for gate in (10 ** ((-70 + 0.691) / 10), 0.1):
        blocks = blocks[blocks > (gate if gate < 0.1 else gate * blocks.mean())]
        if not len(blocks):
            return -np.inf
    return float(-0.691 + 10 * np.log10(blocks.mean()))


def _gain(stems: list[np.ndarray], sample_rate: int, compress: bool) -> np.ndarray:
    """The gain that masters the stems: [frames]."""
    whole = stems[0]
    if len(stems) > 1:
        whole = whole.copy()
        for stem in stems[1:]:
            whole += stem
    power, peaks, levels = (
        weighted_power(whole, sample_rate),
        _true_peaks(whole, sample_rate),
        _levels(whole, sample_rate),
    )
    for stem in stems if len(stems) > 1 else []:
        np.maximum(peaks, _frames(stem, np.max), out=peaks)
    del whole
    overall = _towards(gated(power))
    energy = np.square(levels) + 1e-12
    shape = np.ones(len(peaks))
    if compress:
        shape = compressed(levels * overall, sample_rate / FRAME)
    hops = (
        np.arange(len(power)) * round(HOP * sample_rate) // FRAME
    )  # the frames at which they begin
    most = MOST_LIMITED * PEAK / max(float((peaks * shape).max()), 1e-9)
    for _ in range(
        12
    ):  # what is limited is softer, so more gain is needed, which has to be limited
        overall = min(overall, most, MAX_GAIN)
        gain = overall * shape
        gain *= limited(peaks * maximum_filter1d(gain, 3), sample_rate / FRAME)
        squares = np.add.reduceat(energy * gain**2, hops) / np.add.reduceat(energy, hops)
        factor = _towards(gated(power * squares))
        if abs(20 * np.log10(factor)) < NEAR or (factor > 1 and overall >= min(most, MAX_GAIN)):
            break
        overall *= factor
    return gain


def compressed(levels: np.ndarray, rate: float) -> np.ndarray:
    """The compressor's gain for a sound of these `levels` (root mean squares), `rate` of them a second: [frames]. It compresses
    a constant, with the levels as its side chain.
    """
    rate, graph = round(rate), av.filter.Graph()
    constant, chain = (
        graph.add_abuffer(
            sample_rate=rate, format="dbl", layout="mono", time_base=Fraction(1, rate)
        )
        for _ in range(2)
    )
    compressor = graph.add(
        "sidechaincompress", ":".join(f"{name}={value}" for name, value in COMPRESSOR.items())
    )
    sink = graph.add("abuffersink")
    constant.link_to(compressor, 0, 0)
    chain.link_to(compressor, 0, 1)
    compressor.link_to(sink)
    graph.configure()
    gains = []

    def pull() -> None:
        while True:
            try:
                gains.append(sink.pull().to_ndarray()[0])
            except (av.BlockingIOError, av.EOFError):
                return

    for at in range(0, len(levels), 4096):
        level = np.ascontiguousarray(levels[None, at : at + 4096], np.float64)
        for source, values in ((constant, np.ones_like(level)), (chain, level)):
            frame = av.AudioFrame.from_ndarray(values, format="dbl", layout="mono")
            frame.sample_rate, frame.pts = rate, at
            source.push(frame)
        pull()
    for source in (constant, chain):
        source.push(None)
    pull()
    return np.concatenate(gains)


def limited(peaks: np.ndarray, rate: float) -> np.ndarray:
    """The limiter's gain for frames with these peaks, `rate` of them a second: [frames]. It is never above what the frame itself
    and its neighbours need, since it is a mean of minima that all reach to them.
    """
    reach = 2 * round(REACH * rate / 2)
    need = np.minimum(1.0, PEAK * MARGIN / np.maximum(peaks, 1e-9))
    need = minimum_filter1d(need, 2 * reach + 3, mode="nearest")
    for _ in range(2):
        need = uniform_filter1d(need, reach + 1, mode="nearest")
    return np.minimum(need, 1.0)


def _towards(found: float) -> float:
    """The factor from a loudness to LOUDNESS."""
    return 1.0 if np.isinf(found) else 10 ** ((LOUDNESS - found) / 20)


def _true_peaks(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    size = FRAME * round(PIECE * sample_rate / FRAME)
    found = (_oversampled(sound, at, len(piece)) for at, piece in _pieces(sound, size))
    return np.concatenate([_by_frame(piece, FRAME * OVERSAMPLING, np.max) for piece in found])


def _oversampled(sound: np.ndarray, at: int, length: int) -> np.ndarray:
    """The louder channel's magnitude of a piece of `sound`, between the samples too: [length * OVERSAMPLING]."""
    start = max(at - CONTEXT, 0)
    part = sound[start : at + length + CONTEXT]
    fine = [
        np.abs(resample_poly(np.ascontiguousarray(part[:, channel]), OVERSAMPLING, 1))
        for channel in (0, 1)
    ]
    return np.maximum(*fine)[(at - start) * OVERSAMPLING :][: length * OVERSAMPLING]


def _levels(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """Root mean square of both channels: [frames]."""
    return np.sqrt(_frames(sound, np.mean, np.square))


def _frames(sound: np.ndarray, of, magnitude=np.abs) -> np.ndarray:
    size = FRAME * 10_000
    return np.concatenate(
        [_by_frame(of(magnitude(piece), axis=1), FRAME, of) for _, piece in _pieces(sound, size)]
    )


def _by_frame(values: np.ndarray, size: int, of) -> np.ndarray:
    return of(np.pad(values, (0, -len(values) % size)).reshape(-1, size), axis=1)


def _pieces(sound: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Where each piece begins, and the piece itself."""
    for at in range(0, len(sound), size):
        yield at, sound[at : at + size]
