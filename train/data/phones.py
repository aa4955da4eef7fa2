"""Send sounds through what recordings of voices go through: phones, levels and rooms.

Sounds are mono float32 at LISTEN_RATE.
"""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from scipy.signal import butter, fftconvolve, istft, lfilter, sosfilt, stft

from accomp.sound.rates import LISTEN_RATE
from train.data.voices import PINK


@dataclass(frozen=True)
class Codec:
    """A codec of speech, as phones and calls use."""

    name: str  # of FFmpeg
    container: str
    rate: int  # Hz
    bits: int  # a second


CODECS = {
    "phone call": Codec("libopencore_amrnb", "amr", 8_000, 12_200),
    "voice message": Codec("libopus", "ogg", 16_000, 12_000),
}
TAIL = 6.9  # of a room, natural logarithm of how far it has decayed at its end: 60 dB
PEAK = 0.9  # of what is encoded


def coded(sound: np.ndarray, codec: Codec) -> np.ndarray:
    """Encode and decode a sound; what comes back is as long and in step with it."""
    file = io.BytesIO()
    scaled = sound / max(float(np.abs(sound).max()), 1e-9) * PEAK
    with av.open(file, "w", format=codec.container) as out:
        stream: Any = out.add_stream(codec.name, rate=codec.rate)
        stream.bit_rate, stream.layout = codec.bits, "mono"
        resampler = av.AudioResampler("s16", "mono", codec.rate, codec.rate // 50)
        frame = av.AudioFrame.from_ndarray(
            (scaled * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.time_base, frame.pts = LISTEN_RATE, Fraction(1, LISTEN_RATE), 0
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    file.seek(0)
    resampler = av.AudioResampler("flt", "mono", LISTEN_RATE)
    parts = []
    with av.open(file, "r") as back:
        for frame in back.decode(audio=0):
            parts += resampler.resample(frame)
    parts += resampler.resample(None)
    heard = np.concatenate([part.to_ndarray()[0] for part in parts])
    heard = in_step(sound, heard)
    return (heard * np.abs(sound).max() / PEAK).astype(np.float32)


def in_step(sound: np.ndarray, heard: np.ndarray, most: float = 0.1) -> np.ndarray:
    """Take away a delay of at most `most` seconds, and cut or pad to the sound's length."""
    reach = int(most * LISTEN_RATE)
    size = min(len(sound), len(heard))
    both = fftconvolve(heard[:size], sound[:size][::-1])[size - 1 - reach : size + reach]
    delay = int(np.abs(both).argmax()) - reach
    moved = heard[max(delay, 0) :] if delay >= 0 else np.pad(heard, (-delay, 0))
    return np.pad(moved[: len(sound)], (0, max(len(sound) - len(moved), 0)))


def by_chance(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Record a sound somewhere by some phone or computer, and send it in some way.

    Rooms, noise, microphones, automatic gain, suppression of noise, codecs and clipping are chosen
    by chance; where the sound's parts begin stays the same.
    """
    sound = sound / max(float(np.abs(sound).max()), 1e-9)
    if rng.random() < 0.7:
        sound = echoing(sound, rng, rng.uniform(0.1, 1.0), rng.uniform(0.05, 0.8))
    sound = noisy(sound, rng, rng.uniform(12, 55))
    if rng.random() < 0.5:
        sound = through_microphone(sound, rng)
    if rng.random() < 0.3:
        sound = even_gain(sound, rng.uniform(0.2, 0.8))
    if rng.random() < 0.3:
        sound = suppressed(sound, rng.uniform(8, 25), rng.uniform(1.5, 4))
    if rng.random() < 0.1:
        sound = clipped(sound, rng.uniform(1, 4))
    if rng.random() < 0.25:
        sound = coded(sound, list(CODECS.values())[rng.integers(len(CODECS))])
    loud = 10 ** rng.uniform(-1.5, -0.05)
    return (sound / max(float(np.abs(sound).max()), 1e-9) * loud).astype(np.float32)


def noisy(sound: np.ndarray, rng: np.random.Generator, snr: float) -> np.ndarray:
    """Add a room's noise, `snr` dB below the sound: a hiss, a rumble, or a hum."""
    white = rng.normal(size=len(sound))
    kinds = [white, lfilter(*PINK, white), lfilter([1], [1, -0.98], white)]
    noise = kinds[rng.integers(len(kinds))]
    noise = noise / noise.std()
    if rng.random() < 0.2:
        turns = np.arange(len(sound)) * rng.choice([50, 60]) / LISTEN_RATE
        noise = noise + sum(np.sin(2 * np.pi * k * turns) / k for k in (1, 2, 3))
    loud = sound[np.abs(sound) > 0.05 * np.abs(sound).max()]
    return sound + noise * np.sqrt((loud**2).mean()) * 10 ** (-snr / 20)


def through_microphone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take away low and high frequencies, and lift some."""
    low, high = rng.uniform(50, 350), rng.uniform(3300, 7600)
    band = butter(int(rng.integers(1, 4)), [low, high], "bandpass", fs=LISTEN_RATE, output="sos")
    lift = rng.uniform(-0.6, 0.6)
    return np.asarray(lfilter([1, -lift], [1], sosfilt(band, sound)))


def even_gain(sound: np.ndarray, how: float, release: float = 0.15) -> np.ndarray:
    """Make loud and soft parts more alike: 0 leaves them, 1 makes them the same."""
    forget = np.exp(-1 / (release * LISTEN_RATE))
    level = np.sqrt(lfilter([1 - forget], [1, -forget], sound**2))
    return sound / np.maximum(level, 0.1 * level.max() + 1e-9) ** how


def suppressed(sound: np.ndarray, depth: float, over: float) -> np.ndarray:
    """Suppress noise, as calls do: `depth` dB where a band is not `over` times above its noise."""
    frequencies = stft(sound, LISTEN_RATE, nperseg=320)[2]
    size = np.abs(frequencies)
    floor = np.quantile(size, 0.1, axis=1, keepdims=True) * over
    gain = np.where(size > floor, 1.0, 10 ** (-depth / 20))
    gain = np.maximum(gain, lfilter([0.5, 0.5], [1], gain, axis=1))
    back = istft(frequencies * gain, LISTEN_RATE, nperseg=320)[1]
    return np.pad(back, (0, max(len(sound) - len(back), 0)))[: len(sound)]


def clipped(sound: np.ndarray, gain: float = 8.0) -> np.ndarray:
    """Return a sound that is `gain` times too loud for full scale."""
    return np.clip(sound / max(float(np.abs(sound).max()), 1e-9) * gain, -1, 1).astype(np.float32)


def soft(
    sound: np.ndarray, rng: np.random.Generator, level: float = -36, floor: float = -66
) -> np.ndarray:
    """Return a sound whose peak is at `level` dBFS, over a microphone's noise at `floor` dBFS."""
    scaled = sound / max(float(np.abs(sound).max()), 1e-9) * 10 ** (level / 20)
    return (scaled + rng.normal(0, 10 ** (floor / 20), len(sound))).astype(np.float32)


def echoing(
    sound: np.ndarray, rng: np.random.Generator, seconds: float = 1.2, wet: float = 0.7
) -> np.ndarray:
    """Return a sound in a hall that decays by 60 dB in `seconds`.

    wet: amplitude of the hall beside the sound itself.
    """
    length = int(seconds * LISTEN_RATE)
    tail = rng.normal(size=length) * np.exp(-TAIL * np.arange(length) / length)
    hall = np.concatenate([[1], wet * tail / np.sqrt((tail**2).sum())])
    heard = fftconvolve(sound, hall)[: len(sound)]
    return (heard / max(float(np.abs(heard).max()), 1e-9) * 0.5).astype(np.float32)
