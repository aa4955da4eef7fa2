"""Bars are numbered as they are printed, and chords are changed bar by bar."""

import pytest

from accomp.errors import MusicError
from accomp.music.bar_numbers import numbered_bars, span_of_bars
from accomp.music.chord_text import with_chords_at
from accomp.music.score import Chord, Note, Score, TimeSignature, Track

PICKUP = Track(notes=[Note(60, 3.0, 1.0, 80), Note(62, 4.0, 12.0, 80)])
PLAIN = Track(notes=[Note(60, 0.0, 16.0, 80)])


def song(track, chords="C F G C"):
    return Score([track], chords=[Chord(4.0 * i, name) for i, name in enumerate(chords.split())])


def test_a_pickup_is_bar_0():
    assert list(numbered_bars(song(PICKUP), PICKUP)) == [0, 1, 2, 3]
    assert span_of_bars(song(PICKUP), PICKUP, (1, 2)) == (4.0, 12.0)
    assert span_of_bars(song(PLAIN), PLAIN, (1, 2)) == (0.0, 8.0)


def test_a_change_of_meter_is_counted():
    track = Track(notes=[Note(60, 0.0, 14.0, 80)])
    changing = Score([track], meters=[TimeSignature(0.0, 3, 4), TimeSignature(6.0, 4, 4)])
    assert span_of_bars(changing, track, (2, 3)) == (3.0, 10.0)


@pytest.mark.parametrize("bars", [(0, 1), (3, 5), (3, 2)])
def test_what_is_no_bar_is_refused(bars):
    with pytest.raises(MusicError, match="accepted: bars 1 to 4"):
        span_of_bars(song(PLAIN), PLAIN, bars)


def test_chords_of_a_bar_are_changed_and_the_next_bar_keeps_its_own():
    held = song(PLAIN, "C Am")
    found = with_chords_at(held, PLAIN, (3, 3), "Dm7 G7")
    assert found == [
        *(Chord(0.0, "C"), Chord(4.0, "Am")),
        *(Chord(8.0, "Dm7"), Chord(10.0, "G7"), Chord(12.0, "Am")),
    ]
    found = with_chords_at(song(PLAIN), PLAIN, (2, 3), "| Dm7 | G7 |")
    assert [chord.symbol for chord in found] == ["C", "Dm7", "G7", "C"]
    assert found[-1].onset == 12.0


def test_fewer_bars_are_repeated_and_more_are_refused():
    found = with_chords_at(song(PLAIN), PLAIN, (1, 4), "E | A")
    assert [chord.symbol for chord in found] == ["E", "A", "E", "A"]
    with pytest.raises(MusicError, match="have 2 bars, the place 1"):
        with_chords_at(song(PLAIN), PLAIN, (1, 1), "E | A")
    with pytest.raises(MusicError, match="H7"):
        with_chords_at(song(PLAIN), PLAIN, (1, 1), "H7")
