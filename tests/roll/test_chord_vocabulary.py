import numpy as np
import pytest

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import parse_symbol
from accomp.roll.chord_vocabulary import (
    CLASS_COUNT,
    CLASS_TONES,
    CLASS_TRIADS,
    DENYING,
    PLANNED,
    bass_interval,
    class_of,
    nearest_quality,
    symbol_of,
    transpose_classes,
)


def test_every_planned_chord_is_read_back():
    for chord in range(CLASS_COUNT):
        for bass in (0, 4, 10):
            symbol = symbol_of(chord, bass)
            assert class_of(symbol) == chord and bass_interval(symbol) == bass
            assert parse_symbol(str(symbol)) == symbol
            assert symbol.triad == CLASS_TRIADS[chord]
        assert set(np.flatnonzero(CLASS_TONES[chord])) == symbol_of(chord).tones


@pytest.mark.parametrize(
    "written, read",
    [
        ("C9#11", "9"),
        ("Dm9", "m7"),
        ("G13b9", "7b9"),
        ("G7#9", "7b9"),
        ("Fmaj7#11", "maj7"),
        ("A7b5", "7"),
        ("E5", ""),
        ("Bbsus2", ""),
        ("D9sus4", "7sus4"),
        ("Cm(maj7)", "m"),
        ("Eaug9", "aug7"),
        ("C69", "6"),
    ],
)
def test_what_people_write_beyond_them_becomes_the_nearest(written, read):
    assert PLANNED[class_of(parse_symbol(written)) // 12] == read


def test_qualities_that_are_planned_are_their_own_nearest():
    assert [nearest_quality(QUALITIES[name]) for name in PLANNED] == list(PLANNED)


def test_classes_are_transposed_and_no_chord_stays_none():
    moved = transpose_classes(np.array([class_of(parse_symbol("Bm7")), -1]), 3)
    assert str(symbol_of(moved[0])) == "Dm7" and moved[1] == -1


@pytest.mark.parametrize(
    "chord, denied", [("Am", [4]), ("C", [3]), ("G7", [3]), ("Bdim", [4]), ("Gsus4", [])]
)
def test_the_other_third_is_no_bass(chord, denied):
    assert np.flatnonzero(DENYING[class_of(parse_symbol(chord))]).tolist() == denied
