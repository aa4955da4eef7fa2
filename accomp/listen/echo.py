"""Hear whether a recording has an echo, such as a delay effect or a speaker in the room.

An echo adds a wave to the logarithm of the spectrum, and the spectrum of that, the cepstrum, has a
peak at its delay (Bogert, Healy & Tukey 1963). Reverberation has none.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accomp.sound.rates import LISTEN_RATE


@dataclass(frozen=True)
class EchoSettings:
    """Which echoes are heard."""

    size: int = 2**16  # samples of a spectrum, 4 s: several echoes fit in it
    delays: tuple[float, float] = (0.09, 1.2)  # s; less sounds like a room
    # Of the cepstrum's peak, about .8 of the echo's gain. Singers have .03 at most without an echo,
    # notes that repeat exactly in time, as machines play them, .11.
    heard: float = 0.13
    # Share of the notes that another one follows after the delay: from so many on, it is the beat.
    in_time: float = 0.4
    near: float = 0.015  # s; so exactly
    floor: float = 0.1  # of the median power, that is added: what is below it is noise


class Echo(NamedTuple):
    """An echo: its delay, and how loud it is, a share of the sound's amplitude."""

    delay: float  # s
    gain: float


def echo_of(sound: np.ndarray, settings: EchoSettings = EchoSettings()) -> Echo | None:
    """Return the loudest echo in a mono sound at LISTEN_RATE, if there is one."""
    size = settings.size
    padded = np.pad(sound - sound.mean(), (0, max(size - len(sound), 0)))
    starts = range(0, len(padded) - size + 1, size // 2)
    cepstrum = np.zeros(size)
    for start in starts:
        piece = padded[start : start + size] * np.hanning(size)
        power = np.abs(np.fft.rfft(piece)) ** 2
        power += settings.floor * np.median(power) + 1e-12
        cepstrum += np.fft.irfft(np.log(power)) / len(starts)
    low, high = (int(delay * LISTEN_RATE) for delay in settings.delays)
    at = low + int(cepstrum[low:high].argmax())
    if cepstrum[at] < settings.heard:
        return None
    return Echo(at / LISTEN_RATE, float(cepstrum[at]) / 0.8)


def echo_notices(
    sound: np.ndarray, onsets: np.ndarray, settings: EchoSettings = EchoSettings()
) -> list[str]:
    """Say in words that a sound has an echo, if it has one.

    Args:
        sound: [samples] at LISTEN_RATE.
        onsets: [n] seconds of its notes. Machines' notes that repeat exactly on a beat are no echo.
        settings: Which echoes are heard.
    """
    echo = echo_of(sound, settings)
    if echo is None:
        return []
    apart = np.abs(onsets[:, None] + echo.delay - onsets)
    if np.mean(apart.min(axis=1) < settings.near) > settings.in_time:
        return []
    return [
        f"there is an echo {echo.delay:.2f} s after every note, which may hide notes or add some; "
        "if notes are wrong, switch the delay effect off, or record away from hard walls"
    ]
