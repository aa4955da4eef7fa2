"""Singers sing what they are given, and make the sounds that real ones make besides."""

import numpy as np
import pytest

from accomp.listen.frames import frames_of
from accomp.sound.rates import LISTEN_RATE
from train.data import phones, singers
from train.data.syllables import CLUSTERS, CODAS, CONSONANTS, SAME, SOLFEGE, VOWELS, words

NOTES = [(55 + 2 * (step % 4), 0.4 + 0.6 * step, 0.85 + 0.6 * step, 90) for step in range(8)]
STEADY = singers.Singer(scoop=0, vibrato=0, waver=0.01, wrong=0.0, swell=0.1, slurs=0, noisy=0)


def test_pitches_are_sung_from_where_their_vowels_begin():
    sound, sung = singers.sing(NOTES, STEADY, np.random.default_rng(0))
    frames = frames_of(sound)
    for (pitch, onset, offset, _), (_, given, *_) in zip(sung, NOTES):
        assert onset == given and offset > onset
        middle = slice(round(100 * (onset + 0.1)), round(100 * (offset - 0.06)))
        assert abs(np.median(frames.pitch[middle]) - pitch) < 0.4
    # Notes end before the consonants of the next.
    assert all(a[2] <= b[1] for a, b in zip(sung, sung[1:]))


@pytest.mark.parametrize("tract", [0.95, 1.35])
def test_any_singer_sings_within_full_scale(tract):
    rng = np.random.default_rng(1)
    sound, sung = singers.sing(NOTES, singers.random_singer(rng, tract), rng)
    assert len(sung) == len(NOTES) and sound.dtype == np.float32
    assert np.isfinite(sound).all() and 0.4 < np.abs(sound).max() <= 0.51


def test_pauses_have_breaths_which_steady_singers_lack():
    apart = [(57, 0.5, 1.0, 90), (57, 3.0, 3.5, 90)]
    pause = slice(LISTEN_RATE * 3 // 2, LISTEN_RATE * 27 // 10)
    levels = [
        np.abs(singers.sing(apart, who, np.random.default_rng(3))[0][pause]).max()
        for who in (STEADY, singers.Singer(noisy=1.0))
    ]
    assert levels[0] < 1e-3 < levels[1]


def test_syllables_are_of_known_sounds():
    rng = np.random.default_rng(0)
    chosen = [one for _ in range(40) for one in words(6, rng)]
    assert all(set(before) <= set(CONSONANTS) for before, _, _ in chosen)
    assert all(vowel in VOWELS or vowel == "m" for _, vowel, _ in chosen)
    assert all(coda in CODAS or not coda for _, _, coda in chosen)
    assert {len(before) for before, _, _ in chosen} == {1, 2}
    assert all(one[0] in CONSONANTS and one[1] in (*VOWELS, "m") for one in (*SAME, *SOLFEGE))
    assert all(set(cluster) <= set(CONSONANTS) for cluster in CLUSTERS)


def test_a_recording_by_chance_keeps_its_length_and_time():
    sound = np.zeros(2 * LISTEN_RATE, np.float32)
    sound[LISTEN_RATE : LISTEN_RATE * 3 // 2] = 0.3 * np.sin(np.arange(LISTEN_RATE // 2) / 5)
    for seed in range(12):
        heard = phones.by_chance(sound, np.random.default_rng(seed))
        assert heard.shape == sound.shape and np.abs(heard).max() <= 1
        power = np.convolve(heard.astype(float) ** 2, np.ones(400), "same")
        # Where it gets louder most.
        assert abs((power[800:] - power[:-800]).argmax() + 400 - LISTEN_RATE) < 0.03 * LISTEN_RATE
