"""Onsets are placed by what the network, the level and the pitch say together."""

import numpy as np
import pytest

from accomp.listen.frames import Frames
from accomp.listen.onset import OnsetSettings, onset_of
from accomp.listen.segment import Segment

NOTE = Segment(50, 90, 60.0)
PLAIN = OnsetSettings(level=0.25, pitch=0.25, later=0)


def heard(loud_from=50, near_from=50):
    """Frames of one note whose level and pitch are there from some frame on."""
    frame = np.arange(120)
    level = np.where((frame >= loud_from) & (frame < 90), -20.0, -60.0)
    pitch = np.where(frame >= near_from, 60.0, 57.0)
    return Frames(np.zeros((120, 1)), pitch, np.ones(120), level)


def struck(at):
    return np.exp(-0.5 * ((np.arange(120) - at) / 1.5) ** 2)


def test_an_onset_on_which_all_agree_stays():
    assert onset_of(NOTE, heard(), struck(50), PLAIN) == pytest.approx(50, abs=0.01)
    assert onset_of(NOTE, heard(), struck(50.4), PLAIN) == pytest.approx(50.2, abs=0.02)


def test_each_measure_counts_its_share():
    assert onset_of(NOTE, heard(loud_from=54), struck(50), PLAIN) == pytest.approx(51, abs=0.01)
    assert onset_of(NOTE, heard(near_from=54), struck(50), PLAIN) == pytest.approx(51, abs=0.01)
    assert onset_of(NOTE, heard(), struck(54), PLAIN) == pytest.approx(52, abs=0.01)


def test_an_onset_is_moved_a_little_at_most_and_stays_in_the_recording():
    far = OnsetSettings(level=0.0, pitch=0.0, later=40)
    assert onset_of(NOTE, heard(), struck(50), far) == 50 + far.farthest
    first = Segment(0, 3, 60.0)
    assert 0 <= onset_of(first, heard(), struck(0), far) <= 3
