"""Where a melody returns."""

import pytest

from accomp import Note, Score, Track
from accomp.errors import MusicError
from tests.support.tiny import tiny

MODEL = tiny()
FIRST, SECOND = (60, 64, 67, 72), (74, 62, 71, 65)


def song(*phrases) -> Score:
    """Four bars of 4/4 a phrase, a note each beat."""
    pitches = [phrase[(beat * (beat // 4 + 1)) % 4] for phrase in phrases for beat in range(16)]
    notes = [Note(pitch, float(beat), 1.0, 80) for beat, pitch in enumerate(pitches)]
    return Score([Track("tune", notes=notes)])


def test_a_phrase_returns_half_bar_by_half_bar():
    melody = song(FIRST, SECOND, FIRST)
    assert MODEL.returns(melody, 2.0) == [34.0]
    assert MODEL.returns(melody, 35.0) == [2.0]
    assert MODEL.returns(melody, 2.0, form=False) == []
    with pytest.raises(MusicError, match="the beat is 48; accepted: 0 to 48"):
        MODEL.returns(melody, 48.0)
