"""An echo is heard; rooms and beats are none."""

import numpy as np
import pytest

from accomp.listen.echo import echo_notices, echo_of
from accomp.sound.rates import LISTEN_RATE
from tests.listen.test_one_voice import sung
from train.data import voices


def with_echo(sound, delay, gain):
    late = np.zeros_like(sound)
    shift = round(delay * LISTEN_RATE)
    late[shift:] = gain * sound[:-shift]
    return sound + late


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
    assert not echo_notices(sound, onsets)
    (notice,) = echo_notices(with_echo(sung(), 0.3, 0.3), np.arange(9) * 0.55)
    assert "an echo 0.30 s after every note" in notice
