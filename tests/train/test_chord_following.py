"""How a band plays written chords, counted by hand."""

import pytest

from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Bar, Note, TimeSignature
from train.metrics.chord_following import following, kinds_of
from train.metrics.chord_places import Units
from train.metrics.chords import Count

UNITS = Units.of([Bar(4.0 * i, TimeSignature(0.0, 4, 4)) for i in range(2)], 0, 8)


def symbols(text):
    return [None if name == "-" else parse_symbol(name) for name in text.split()]


@pytest.mark.parametrize(
    "name, kinds",
    [
        ("C", ["others"]),
        ("G7", ["others"]),
        ("C/E", ["slash bass"]),
        ("F#dim7/A", ["slash bass", "diminished"]),
        ("Gsus4", ["sus"]),
        ("G7sus4", ["sus"]),
        ("Bm7b5", ["half-diminished"]),
        ("Eaug7", ["augmented"]),
        ("Am6", ["sixth"]),
        ("C5", ["others"]),
        ("G13", ["others"]),
    ],
)
def test_kinds_of_chords(name, kinds):
    assert kinds_of(parse_symbol(name)) == kinds


def test_bass_tones_and_thirds_are_counted_by_kind():
    bass = [Note(40, 0.05, 1.0, 80), Note(36, 1.0, 1.0, 80), Note(43, 2.0, 2.0, 80)]
    bass += [Note(43, 4.5, 1.0, 80), Note(47, 6.0, 1.0, 80)]
    chordal = [Note(60, 0.0, 1.5, 80), Note(62, 1.5, 0.5, 80)]  # C, then a passing D
    chordal += [Note(71, 2.0, 0.5, 80), Note(72, 2.5, 1.5, 80), Note(74, 5.0, 2.0, 80)]
    found = following(bass, chordal, symbols("C/E Gsus4 G Bdim"), UNITS)
    assert found["bass, slash bass"] == Count(1, 1)  # the E is struck a little late
    assert found["bass, sus"] == Count(1, 1) and found["bass, diminished"] == Count(1, 1)
    assert "bass, others" not in found  # in the G the bass begins off the beat
    assert found["tones, slash bass"] == Count(1.5, 2.0)
    assert found["tones, sus"] == Count(1.5, 2.0) and found["third, sus"] == Count(0.5, 2.0)
    assert found["telling, sus"] == Count(1, 1) and found["telling, diminished"] == Count(0, 1)
    assert found["tones, diminished"] == Count(1.0, 1.0)
    assert following(bass, chordal, symbols("- - - -"), UNITS) == {}
