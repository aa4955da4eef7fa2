"""Loudness and true peaks are those of the standard."""

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import freqz

from accomp.sound.meter import k_weighting, loudness, true_peak
from tests.sound.test_master import RATE, noise, strokes


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_the_filters_are_those_of_pyloudnorm(rate):
    for (b, a), filter in zip(k_weighting(rate), pyloudnorm.Meter(rate)._filters.values()):
        assert np.allclose(b, filter.b, rtol=1e-12) and np.allclose(a, filter.a, rtol=1e-12)


def test_the_filters_are_those_of_the_standard():
    """At 48 kHz they are as loud as the coefficients that BS.1770-4 prints, within 0.05 dB."""
    shelf = (
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1.0, -1.69065929318241, 0.73248077421585],
    )
    high_pass = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    for ours, printed in zip(k_weighting(48_000), (shelf, high_pass)):
        _, one = freqz(*ours, worN=np.geomspace(50, 16_000, 50), fs=48_000)
        _, other = freqz(*printed, worN=np.geomspace(50, 16_000, 50), fs=48_000)
        assert np.abs(20 * np.log10(np.abs(one / other))).max() < 0.05


def test_loudness_is_that_of_the_standard():
    for sound in (
        noise(3),
        noise(25) * np.linspace(0, 1, len(noise(25)), dtype=np.float32)[:, None],
        strokes(12, 1.7),
    ):
        assert loudness(sound, RATE) == pytest.approx(
            pyloudnorm.Meter(RATE).integrated_loudness(sound), abs=0.1
        )
    assert loudness(np.zeros((RATE, 2), np.float32), RATE) == -np.inf


def test_a_true_peak_lies_between_the_samples():
    time = np.arange(RATE)
    sine = (
        np.sin(np.pi / 2 * time + np.pi / 4)[:, None].repeat(2, axis=1).astype(np.float32)
    )  # sampled at 0.71 only
    assert np.abs(sine).max() == pytest.approx(0.707, abs=0.001)
    assert true_peak(sine * np.hanning(RATE)[:, None], RATE) == pytest.approx(0.0, abs=0.2)
    long = np.zeros((25 * RATE, 2), np.float32)
    long[10 * RATE - 20 : 10 * RATE + 20] = sine[:40]  # where two pieces meet
    assert true_peak(long, RATE) > -0.5
