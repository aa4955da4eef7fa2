"""Measures of chords, each on a little lopsided music with answers by hand."""

import numpy as np
import pytest

from accomp.music.chord_symbols import parse_symbol
from accomp.music.keys import Key
from accomp.music.score import Bar, TimeSignature
from train.metrics import chords
from train.metrics.chord_naming import heard, readings
from train.metrics.chord_places import Units, on_units
from train.metrics.chords import Count, Sheet, family

FOUR = TimeSignature(0.0, 4, 4)


def bars(meter, count):
    return [Bar(i * meter.bar_beats, meter) for i in range(count)]


def symbols(text):
    return [None if name == "-" else parse_symbol(name) for name in text.split()]


def sheet(text, key="C", phrase_ends=(), meter=FOUR):
    """A sheet of one chord a unit; "C6|Am7" are two readings, "-" is none."""
    known = [
        () if name == "-" else tuple(map(parse_symbol, name.split("|"))) for name in text.split()
    ]
    per_bar = len(Units.of(bars(meter, 1), 0, meter.bar_beats))
    count = -(-len(known) // per_bar)
    units = Units.of(bars(meter, count), 0, len(known) / per_bar * meter.bar_beats)
    tonic = parse_symbol(key)
    return Sheet(known, units, Key(tonic.root, tonic.quality == "m"), frozenset(phrase_ends))


@pytest.mark.parametrize(
    "meter, lengths",
    [
        ((4, 4), [2, 2]),
        ((3, 4), [1, 1, 1]),
        ((2, 4), [2]),
        ((2, 2), [2, 2]),
        ((6, 8), [1.5, 1.5]),
        ((9, 8), [1.5, 1.5, 1.5]),
        ((6, 4), [3, 3]),
        ((5, 4), [1] * 5),
    ],
)
def test_each_meter_has_its_own_units(meter, lengths):
    units = Units.of(bars(TimeSignature(0.0, *meter), 3), 0, 100)
    assert (units.ends - units.onsets).tolist() == lengths * 3
    assert units.bars.tolist() == sorted([0, 1, 2] * len(lengths))
    assert units.ends_bar.sum() == 3 and units.places[0] == 0


def test_units_begin_and_end_with_the_melody():
    units = Units.of(bars(FOUR, 4), 3.0, 9.0)  # a pickup on the fourth beat
    assert units.onsets.tolist() == [2, 4, 6, 8] and units.places.tolist() == [0.5, 0, 0.5, 0]
    # A grid's half bars of no length, and those after the end, are left out.
    between = Units.between(np.array([4.0, 4, 4, 6, 8, 10]), 9.0, 4.0)
    assert between.onsets.tolist() == [4, 6, 8] and between.ends.tolist() == [6, 8, 9]
    assert between.bars.tolist() == [1, 1, 2]


def test_a_unit_has_the_chord_that_sounds_longest():
    c, g, d = ((parse_symbol(name),) for name in "CGD")
    spans = [(0.0, 2.5, c), (2.5, 3.0, g), (3.0, 4.25, d), (5.5, 6.0, g)]
    assert on_units(spans, Units.of(bars(FOUR, 2), 0, 8)) == [c, d, (), ()]


def test_families():
    names = {
        "major": "C F6 Bbmaj7 Cadd9",
        "minor": "Cm Em7 F#m6 Am9",
        "dominant": "G7 D9 A7sus4 E7#9 Baug7 C7b5",
        "other": "Bdim Am7b5 Fdim7 Caug Gsus4 C5",
    }
    for kind, text in names.items():
        assert {family(symbol) for symbol in symbols(text)} == {kind}


def test_agreement_takes_any_reading_and_leaves_out_what_has_none():
    own = symbols("C Am7 Dm7 G - F Bdim")
    known = sheet("C6|Am7 C6|Am7 Dm G7 C - Bm7b5").readings
    assert chords.agreement(own, known) == {
        "triad": Count(5, 6),
        "root": Count(5, 6),
        "family": Count(4, 6),  # G is no dominant of four tones
    }


def test_movement_counts_changes_long_chords_and_those_over_the_bar_line():
    #              bar 0  1     2   3   4   5    6     7
    own = symbols("C C   C F   F F F F F F F F  G C7  C C")
    of = sheet("C F   G G   C C C C A A A A  D7 G C C")
    found = chords.movement(own, of)
    assert found["changes"] == Count(3, 7)
    assert found["held_long"] == Count(18, 32)  # F for nine halves of bars
    assert found["sheet_held_long"] == Count(0, 32)
    assert found["over_bar"] == Count(2, 3)  # F in bar 1 and C in bar 6
    assert found["sheet_over_bar"] == Count(0, 7)
    assert found["bars"] == Count(8, 1)
    waltz = sheet("C C C C F F F F F G G C", meter=TimeSignature(0.0, 3, 4))
    own = [one[0] for one in waltz.readings]
    assert chords.movement(own, waltz)["over_bar"] == Count(1, 3)  # F, but not C on the last beat


def test_functions_are_those_of_the_key():
    of = sheet("D D7 G E7 Am Bb Bdim F", key="C")
    found = chords.functions(symbols("D G G E C C Bdim F"), of)
    assert found["fifth_of_fifth"] == Count(1, 2)
    assert found["fifth_of_relative"] == Count(1, 1)
    assert found["chromatic"] == Count(2, 4)  # D D7 E7 Bb, not the diminished leading chord
    minor = chords.functions(symbols("Em B7 A F#"), sheet("Em B7 G F#7", key="Em"))
    assert minor["fifth_of_fifth"] == Count(1, 1) and minor["chromatic"] == Count(1, 1)
    assert minor["fifth_of_relative"] == Count(0, 0)
    assert chords.functions(symbols("C"), sheet("C")._replace(key=None)) == {}


def test_cadences_are_found_where_both_sides_are_right():
    of = sheet("C C Am D7  G G C F  Dm7 G7 C C  Am Dm G7 C", phrase_ends=(2, 3, 5, 7))
    assert chords.functions([one[0] for one in of.readings], of)["half"] == Count(1, 1)
    halves = chords.functions(symbols("C C Am D7  F G G F  Dm7 G7 C C  Dm Dm G C"), of)
    assert halves["half"] == Count(1, 1)
    assert halves["full"] == Count(2, 2)
    # Am D G, Dm G C and Dm G C; the first lacks its G's beginning.
    assert halves["two_five_one"] == Count(2, 3)
    late = chords.functions(symbols("C C Am D7  G G C F  Dm7 Dm7 C C  Am Dm C C"), of)
    assert late["full"] == Count(0, 2) and late["two_five_one"] == Count(1, 3)


def test_block_chords_are_read_with_all_their_names():
    assert readings([50, 55, 59]) == tuple(symbols("G"))
    assert readings([50, 52, 56, 59]) == tuple(symbols("E7"))
    assert set(readings([52, 55, 57, 60])) == set(symbols("Am7 C6"))
    assert len(readings([48, 51, 54, 57])) == 4 and readings([60, 61, 62]) == ()


def test_a_band_is_heard_with_its_passing_notes():
    chroma = np.zeros((3, 12))
    chroma[0, [7, 11, 2, 5, 9]] = 8, 6, 7, 6, 1  # G7 with a passing A
    chroma[1, [9, 0, 4, 2]] = 5, 5, 6, 1
    assert [str(one) for one in heard(chroma, np.zeros((3, 12)))] == ["G7", "Am", "None"]
    sixth = np.zeros((1, 12))
    sixth[0, [0, 4, 7, 9]] = 1
    bass = np.eye(12)[[9]]
    assert str(heard(sixth, bass)[0]) == "Am7"
