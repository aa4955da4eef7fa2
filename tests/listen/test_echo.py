"""An echo is heard; rooms and beats are none."""

import numpy as np
import pytest

from accomp.listen.echo import echo_in, echo_of, without_echo
from accomp.listen.notes import transcribe_notes
from accomp.sound.rates import LISTEN_RATE
from tests.listen.test_one_voice import sung
from train.data import voices


def with_echo(sound, delay, gain, repeats=False):
    heard, shift = sound.copy(), round(delay * LISTEN_RATE)
    for at in range(shift, len(sound), shift):
        before = (heard if repeats else sound)[at - shift : at]
        heard[at : at + shift] += gain * before[: len(sound) - at]
    return heard


@pytest.mark.parametrize("delay, gain", [(0.3, 0.25), (0.11, 0.5), (0.9, 0.4)])
def test_an_echo_is_heard(delay, gain):
    echo = echo_of(with_echo(sung(), delay, gain))
    assert echo.delay == pytest.approx(delay, abs=0.002)
    assert echo.gain == pytest.approx(gain, abs=0.1)


@pytest.mark.parametrize("reverb", [0.0, 0.3, 2.0])
def test_a_voice_in_a_room_has_none(reverb):
    assert echo_of(voices.record(sung(), np.random.default_rng(0), 30, reverb)) is None


def test_notes_that_repeat_exactly_have_none():
    time = np.arange(int(0.6 * LISTEN_RATE)) / LISTEN_RATE
    tone = np.sin(2 * np.pi * 330 * time) * np.exp(-8 * time)
    sound = np.tile(tone, 12)
    onsets = np.arange(12) * 0.6
    assert echo_of(sound).delay == pytest.approx(0.6, abs=0.01)
    assert not echo_in(sound, onsets)


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("delay, gain", [(0.3, 0.25), (0.15, 0.5), (0.5, 0.4)])
def test_it_is_taken_away(delay, gain, repeats):
    sound = sung()
    echoing = with_echo(sound, delay, gain, repeats)
    echo = echo_of(echoing)
    assert echo.repeats == repeats
    left = without_echo(echoing, echo) - sound
    assert np.square(left).sum() < 0.1 * np.square(echoing - sound).sum()  # 10 dB less of it


@pytest.mark.parametrize("repeats", [False, True])
def test_notes_are_those_of_the_sound_without_it(repeats):
    sound = sung()
    notes, notices = transcribe_notes(sound)
    assert not notices
    found, (notice,) = transcribe_notes(with_echo(sound, 0.3, 0.5, repeats))
    assert [note.pitch for note in found] == [note.pitch for note in notes]
    assert [n.onset for n in found] == pytest.approx([n.onset for n in notes], abs=0.04)
    assert "an echo 0.30 s after every note, which was taken away" in notice
