"""Measure a recording every 10 ms: its pitch, by the tracker SwiftF0, and its level.

SwiftF0's weights come with its package. It hears up to 2,094 Hz; whistling that is higher is found
by its spectrum, of which it is the only peak. Pitches are in semitones, 69 is A4.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from accomp.extras import extra
from accomp.listen.note_net import FRAME, HOP, NotesNetConfig, log_mel, network_inputs
from accomp.sound.rates import LISTEN_RATE

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

A4 = 440.0  # Hz
Pitch = TypeVar("Pitch", float, np.ndarray)
BATCH = 4096  # frames whose spectra are held at once
LOWEST = 20.0  # Hz: the tracker says 0 where there is no pitch


@dataclass(frozen=True)
class WhistleSettings:
    """Which sounds are whistling that is too high for the tracker."""

    lowest: float = 2000.0  # Hz
    highest: float = 4500.0  # no whistling is higher
    # Of a frame's power, at least, in the bins around its highest peak: hissing has less.
    share: float = 0.6
    bins: int = 2  # to each side of the peak


@dataclass
class Frames:
    """What a sound is in frames of 10 ms.

    Attributes:
        inputs: [T, channels] for the network (accomp.listen.note_net).
        pitch: [T] semitones.
        confidence: [T] of the pitch tracker, 0 to 1.
        level: [T] dB.
    """

    inputs: np.ndarray
    pitch: np.ndarray
    confidence: np.ndarray
    level: np.ndarray


@cache
def _tracker() -> "SwiftF0":
    with extra("listen"):
        from swift_f0 import SwiftF0

    return SwiftF0(threads=1)


def frames_of(sound: np.ndarray, config: NotesNetConfig = NotesNetConfig()) -> Frames:
    """Measure a mono float32 sound at LISTEN_RATE. config: of the network that takes it."""
    tracked = _tracker().detect(sound, LISTEN_RATE)
    mel = log_mel(sound, config)
    times = np.arange(len(mel)) * FRAME
    semitones = 69 + 12 * np.log2(np.maximum(tracked.pitch_hz, LOWEST) / A4)
    pitch = np.interp(times, tracked.timestamps, semitones)
    confidence = np.interp(times, tracked.timestamps, tracked.confidence)
    _add_whistling(sound, pitch, confidence, config.window)
    power = sound[: len(mel) * HOP].astype(np.float64) ** 2
    energy = np.add.reduceat(power, np.arange(0, len(mel) * HOP, HOP)) / HOP
    inputs = network_inputs(mel, pitch, confidence, config)
    return Frames(inputs, pitch, confidence, 10 * np.log10(energy + 1e-10))


def _add_whistling(
    sound: np.ndarray,
    pitch: np.ndarray,
    confidence: np.ndarray,
    size: int,
    settings: WhistleSettings = WhistleSettings(),
) -> None:
    """Put in the pitch of high whistling.

    Args:
        sound: [samples] at LISTEN_RATE.
        pitch: [T] semitones, changed.
        confidence: [T], changed.
        size: Samples of a spectrum.
        settings: What is whistling.
    """
    padded = np.pad(sound, (size // 2, size))
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP][: len(pitch)]
    window = np.hanning(size).astype(np.float32)
    lowest, highest = (
        int(limit * size / LISTEN_RATE) for limit in (settings.lowest, settings.highest)
    )
    for at in range(0, len(pitch), BATCH):
        power = np.abs(np.fft.rfft(cut[at : at + BATCH] * window)) ** 2
        peak = power.argmax(axis=1)
        rows = np.flatnonzero((peak >= lowest) & (peak <= highest))
        around = peak[rows, None] + np.arange(-settings.bins, settings.bins + 1)
        share = power[rows[:, None], around].sum(axis=1) / (power[rows].sum(axis=1) + 1e-12)
        rows, share = rows[share >= settings.share], share[share >= settings.share]
        left, top, right = (np.log(power[rows, peak[rows] + shift] + 1e-12) for shift in (-1, 0, 1))
        # To the top of a parabola.
        bent = np.clip(0.5 * (left - right) / (left - 2 * top + right - 1e-9), -0.5, 0.5)
        frequency = (peak[rows] + bent) * LISTEN_RATE / size
        pitch[at + rows] = 69 + 12 * np.log2(frequency / A4)
        confidence[at + rows] = share


def hertz(pitch: Pitch) -> Pitch:
    """Return the frequency of a pitch in semitones."""
    return A4 * 2 ** ((pitch - 69) / 12)
