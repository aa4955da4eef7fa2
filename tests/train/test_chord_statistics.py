"""Statistics of chords by hand, and their distances."""

import numpy as np
import pytest

from accomp.music.chord_symbols import parse_symbol
from train.eval.genre_chords import portraits, table
from train.metrics.chord_statistics import Statistics, distance, jensen_shannon, kind


def symbols(text):
    return [None if name == "-" else parse_symbol(name) for name in text.split()]


def test_kinds_leave_out_what_lies_above_the_seventh():
    pairs = "C: C9:7 Am9:m7 Bm7b5:m7b5 Bdim7:dim F6:6 Fmaj9:maj7 E7#9:7 G7b5:7 Gsus4:sus4 Caug:aug"
    for pair in pairs.split():
        name, expected = pair.split(":")
        assert kind(parse_symbol(name)) == expected, name


def test_statistics_weigh_each_song_alike():
    one = symbols("C C C F G7 G7 - C")
    other = symbols("Am Am Dm Am")
    own = Statistics.of([one, other, symbols("C C C")])  # the third never changes
    assert own.songs == 2
    # C C C F C of seven units, and no minor; then minor alone.
    assert own.shares["qualities"] == pytest.approx({"": 5 / 7, "7": 2 / 7, "m": 1.0})
    # C to F, F to G7, and, after nothing, G7 to C; a fourth up and down again.
    assert own.shares["steps"][(5, "", "")] == pytest.approx(1 / 3)
    assert own.shares["steps"][(2, "", "7")] == pytest.approx(1 / 3)
    assert own.shares["steps"][(5, "m", "m")] == own.shares["steps"][(7, "m", "m")] == 0.5
    assert own.shares["lengths"] == pytest.approx({2: 1 / 4, 0: 2 / 4 + 2 / 3, 1: 1 / 4 + 1 / 3})


def test_distances_are_zero_for_the_same_and_one_for_nothing_in_common():
    jazz, folk = Statistics.of([symbols("Dm7 G7 Cmaj7 Cmaj7")]), Statistics.of([symbols("C F C G")])
    assert distance(jazz, jazz) == 0 and 0.5 < distance(jazz, folk) < 1
    assert jensen_shannon({"a": 2}, {"b": 0.5}) == pytest.approx(1)
    assert jensen_shannon({"a": 1, "b": 1}, {"a": 1}) == pytest.approx(
        np.sqrt((0.5 * np.log2(0.5 / 0.75) + 0.5 * np.log2(2) + np.log2(1 / 0.75)) / 2)
    )


def test_the_table_says_whose_songs_are_nearest():
    real = {"jazz": Statistics.of([symbols("Dm7 G7 Cmaj7 A7")])}
    real["folk"] = Statistics.of([symbols("C F C G"), symbols("D A D D")])
    ours = {name: Statistics.of([symbols("C C F G C")]) for name in real}
    text = table(ours, real)
    assert "own genre nearest: 1 of 2; songs: jazz 1, folk 2" in text
    assert text.splitlines()[2].endswith("| folk |")
    assert "| folk | 100 |" in portraits({"folk": real["folk"]}, "real")
