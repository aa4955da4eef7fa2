"""Sections of a melody in other keys are found where they begin, and only those."""

import numpy as np
import pytest

from accomp.music.key_sections import key_sections
from accomp.music.keys import Key
from accomp.music.score import Note

# Eight bars in C that begin and end on the tonic, and not evenly.
PHRASE = [(60, 2), (64, 1), (67, 1), (69, 1.5), (67, 0.5), (64, 2), (65, 1), (64, 1), (62, 2)]
PHRASE += [(67, 3), (65, 1), (64, 2), (62, 1), (59, 1), (60, 1), (64, 1), (67, 2), (72, 1.5)]
PHRASE += [(71, 0.5), (69, 1), (67, 1), (62, 1), (59, 1), (60, 2)]


def song(*shifts):
    notes, at = [], 0.0
    for shift in shifts:
        for pitch, beats in PHRASE:
            notes.append(Note(pitch + shift, at, float(beats), 80))
            at += beats
    return notes, np.arange(0, at + 0.1, 4.0).tolist()


def test_a_last_verse_a_tone_higher_is_a_section():
    notes, bars = song(0, 0, 2, 2)
    first, second = key_sections(notes, bars, Key(0, False))
    assert first == (0.0, Key(0, False)) and second.key == Key(2, False)
    assert second.onset == pytest.approx(64.0, abs=4.0)


def test_a_song_that_comes_home_has_three_sections():
    notes, bars = song(0, 0, 5, 5, 0, 0)
    assert [section.key.tonic for section in key_sections(notes, bars, Key(0, False))] == [0, 5, 0]
    moved, bars = song(3, 3, 8, 8, 3, 3)
    assert [section.key.tonic for section in key_sections(moved, bars, Key(3, False))] == [3, 8, 3]


def test_what_is_short_or_in_passing_is_no_section():
    notes, bars = song(0, 0, 0)
    assert key_sections(notes, bars, Key(0, False)) == [(0.0, Key(0, False))]
    passing = [n._replace(pitch=n.pitch + 2) if 32 <= n.onset < 44 else n for n in notes]
    assert len(key_sections(passing, bars, Key(0, False))) == 1
    notes, bars = song(0)  # too short for two
    assert key_sections(notes, bars, Key(7, False)) == [(0.0, Key(7, False))]


def test_the_songs_own_mode_stays_in_sections_of_its_scale():
    notes, bars = song(0, 0, 2, 2)
    first, second = key_sections(notes, bars, Key(9, True))
    assert first.key == Key(9, True) and second.key == Key(2, False)
