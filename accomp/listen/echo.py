"""Hear whether a recording has an echo, such as a delay effect or a speaker in the room.

An echo adds a wave to the logarithm of the spectrum, and the spectrum of that, the cepstrum, has a
peak at its delay (Bogert, Healy & Tukey 1963). Reverberation has none. A filter that undoes the
echo takes it away before notes are looked for.
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
    notes: int = 3  # at least: one tone alone has every peak in its cepstrum
    # Share of the notes that another one follows after the delay: from so many on, it is the beat.
    in_time: float = 0.4
    near: float = 0.015  # s; so exactly
    once: float = 0.2  # of the peak's square, that there is less at twice the delay without repeats
    most: float = 0.9  # of the sound's amplitude: more is not taken away, as the filter would ring
    floor: float = 0.1  # of the median power, that is added: what is below it is noise


class Echo(NamedTuple):
    """An echo: its delay, how loud it is, and whether it has echoes of its own."""

    delay: float  # s
    gain: float  # a share of the sound's amplitude
    repeats: bool = False  # again and again, as those of delay effects with feedback do


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
    # The logarithm of 1 + g z has -g^2 / 2 at twice the delay, that of 1 / (1 - g z) has g^2 / 2.
    # Notes that repeat in time have a wider peak there.
    before, twice, after = cepstrum[2 * at - 1 : 2 * at + 2]
    repeats = bool(twice - (before + after) / 2 > -settings.once * cepstrum[at] ** 2)
    return Echo(at / LISTEN_RATE, float(cepstrum[at]) / 0.8, repeats)


def echo_in(
    sound: np.ndarray, onsets: np.ndarray, settings: EchoSettings = EchoSettings()
) -> Echo | None:
    """Return the echo of a sound, unless it is notes that repeat exactly on a beat.

    Args:
        sound: [samples] at LISTEN_RATE.
        onsets: [n] seconds of its notes.
        settings: Which echoes are heard.
    """
    echo = echo_of(sound, settings) if len(onsets) >= settings.notes else None
    if echo is None:
        return None
    apart = np.abs(onsets[:, None] + echo.delay - onsets)
    is_beat = np.mean(apart.min(axis=1) < settings.near) > settings.in_time
    return None if is_beat else echo


def without_echo(
    sound: np.ndarray, echo: Echo, settings: EchoSettings = EchoSettings()
) -> np.ndarray:
    """Return a sound [samples] at LISTEN_RATE with its echo taken away, by the inverse filter."""
    delay = round(echo.delay * LISTEN_RATE)
    gain = min(echo.gain, settings.most)
    dry = sound.astype(np.float32)
    if echo.repeats:
        dry[delay:] -= gain * sound[:-delay]
        return dry
    for at in range(delay, len(dry), delay):  # each piece has the echo of the one before
        piece = dry[at : at + delay]
        piece -= gain * dry[at - delay :][: len(piece)]
    return dry


def echo_notice(echo: Echo) -> str:
    """Say in words that an echo was taken away."""
    return (
        f"there is an echo {echo.delay:.2f} s after every note, which was taken away; "
        "if notes are wrong, switch the delay effect off, or record away from hard walls"
    )
