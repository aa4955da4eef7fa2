import numpy as np
import pyloudnorm
import pytest

from accomp.sound.master import compressed, limited, master
from accomp.sound.meter import loudness, true_peak

RATE = 22_050


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    """Low noise, as [samples, 2] float32: without what a peak between samples could hide in."""
    random = np.random.default_rng(seed)
    return (
        level * np.repeat(random.standard_normal((round(seconds * RATE / 4) + 1, 2)), 4, axis=0)
    ).astype(np.float32)


def strokes(seconds: float, every: float, level: float = 0.5) -> np.ndarray:
    """Tones that are struck every so many seconds and die away in a tenth of one."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = level * np.exp(-(time % every) / 0.1) * np.sin(2 * np.pi * 500 * time)
    return np.stack([tone, 0.8 * tone], axis=1).astype(np.float32)


def long() -> np.ndarray:
    """Longer than the pieces that are worked on: soft, then loud, with strokes."""
    sound = strokes(45, 0.9)
    sound[: 20 * RATE] *= 0.2
    return sound + noise(46, 0.02)[: len(sound)]


@pytest.mark.parametrize(
    "sound", [noise(2), noise(2, 1e-3), strokes(6, 0.5), strokes(30, 3.0), long()]
)
def test_every_sound_comes_out_as_loud_and_below_the_ceiling(sound):
    sound = sound.copy()
    master([sound], RATE)
    assert pyloudnorm.Meter(RATE).integrated_loudness(sound) == pytest.approx(-16, abs=0.3)
    assert true_peak(sound, RATE) <= -1


def test_stems_stay_parts_of_the_mix():
    stems = [noise(12, 0.05), strokes(12, 0.7)[: len(noise(12))], noise(12, 0.1, seed=1)]
    length = min(map(len, stems))
    stems = [stem[:length].copy() for stem in stems]
    stems[2] *= -0.5
    before = [stem.copy() for stem in stems]
    gain = master(stems, RATE)
    assert gain.max() / gain.min() > 1.05  # not a mere change of level
    ratios = [
        stem[np.abs(old) > 1e-3] / old[np.abs(old) > 1e-3] for stem, old in zip(stems, before)
    ]
    assert all(
        ratio.min() >= gain.min() - 1e-5 and ratio.max() <= gain.max() + 1e-5 for ratio in ratios
    )
    both = (np.abs(before[0]) > 1e-3) & (np.abs(before[2]) > 1e-3)
    assert np.allclose((stems[0] / before[0])[both], (stems[2] / before[2])[both], rtol=1e-4)
    assert loudness(sum(stems), RATE) == pytest.approx(-16, abs=0.3)
    assert true_peak(sum(stems), RATE) <= -1
    assert all(np.abs(stem).max() <= 10 ** (-1 / 20) for stem in stems)


def test_the_same_sound_gives_the_same_bytes():
    sounds = [strokes(5, 0.4) for _ in range(2)]
    for sound in sounds:
        master([sound], RATE)
    assert np.array_equal(*sounds)


def test_what_is_mastered_stays_as_it_is():
    sound = strokes(8, 0.5)
    master([sound], RATE)
    again = sound.copy()
    master([again], RATE, compress=False)
    assert np.abs(20 * np.log10(np.abs(again).max() / np.abs(sound).max())) < 0.2


def test_silence_and_a_mere_click():
    silence = np.zeros((RATE, 2), np.float32)
    master([silence], RATE)
    assert not silence.any()
    for length in (1, 40, 3000):
        click = np.zeros((length, 2), np.float32)
        click[0] = 0.25
        master([click], RATE)
        assert np.isfinite(click).all() and 0.1 < np.abs(click).max() <= 10 ** (-1 / 20)


def test_the_compressor_is_gentle_and_lets_go():
    rate = 1000
    levels = np.full(6 * rate, 0.05)
    levels[2 * rate : 3 * rate] = 0.5
    gain = 20 * np.log10(compressed(levels, rate))
    assert len(gain) == len(levels)
    assert (
        gain[: 2 * rate].min() > -0.1 and gain[4 * rate :].min() > -0.3
    )  # no change where it is soft
    assert -6 < gain[round(2.9 * rate)] < -2  # 12 dB above the threshold
    assert np.abs(np.diff(gain)).max() < 0.5  # no step


def test_the_limiter_never_lets_a_peak_through_and_bends_slowly():
    peaks = np.full(4000, 0.3)
    peaks[[700, 1500, 1503, 3999, 0]] = [2.0, 1.2, 3.0, 1.5, 1.1]
    gain = limited(peaks, 1378)
    for shift in (-1, 0, 1):  # the gain between two frames is one between theirs
        assert (gain * np.roll(peaks, shift))[1:-1].max() <= 10 ** (-1 / 20)
    assert (gain[:600] > 0).all() and gain[1000:1400].min() == 1.0
    assert np.abs(np.diff(gain)).max() < 0.05
