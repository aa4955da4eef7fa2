"""Measure a recording every 10 ms: its pitch, by the tracker SwiftF0, and its level.

SwiftF0's weights come with its package. Pitches are in semitones, 69 is A4.
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
LOWEST = 20.0  # Hz: the tracker says 0 where there is no pitch


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
    power = sound[: len(mel) * HOP].astype(np.float64) ** 2
    energy = np.add.reduceat(power, np.arange(0, len(mel) * HOP, HOP)) / HOP
    inputs = network_inputs(mel, pitch, confidence, config)
    return Frames(inputs, pitch, confidence, 10 * np.log10(energy + 1e-10))


def hertz(pitch: Pitch) -> Pitch:
    """Return the frequency of a pitch in semitones."""
    return A4 * 2 ** ((pitch - 69) / 12)
