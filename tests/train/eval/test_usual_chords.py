"""The table of the examples' usual chords, and how plans are compared with it."""

import pytest

from accomp.music.chord_symbols import parse_symbol
from train.eval import usual_chords
from train.eval.usual_chords import EXAMPLES, cadences, differences, is_one_of, tune_of, usual
from train.metrics.chords import Count

TUNES = {tune.name: tune for tune in usual_chords.tunes()}


def test_every_example_has_its_chords():
    assert set(TUNES) == {path.stem for path in EXAMPLES.glob("*.mid")}
    assert all(tune.cadences for tune in TUNES.values())


@pytest.mark.parametrize("name", TUNES)
def test_the_melody_lies_in_its_usual_chords(name):
    """Most of the time the melody's note is a tone of one of them: no bar is out of place."""
    tune, inside, total = TUNES[name], 0.0, 0.0
    for start, end, known in zip(tune.units.onsets, tune.units.ends, tune.readings):
        tones = set().union(*(one.tones for one in known))
        for note in tune.melody.tracks[0].notes:
            shared = max(min(note.end, end) - max(note.onset, start), 0)
            total += shared
            inside += shared * (note.pitch % 12 in tones)
    assert inside / total > 0.75


def test_a_chord_is_usual_by_root_and_family():
    known = (parse_symbol("A7"), parse_symbol("Bm"))
    for name in ("A7", "A", "A9", "A7sus4", "Bm7", "Bm", "A7/C#"):
        assert is_one_of(parse_symbol(name), known), name
    for name in ("Am", "Bm7b5", "B7", "D", "C#dim"):
        assert not is_one_of(parse_symbol(name), known), name
    assert not is_one_of(parse_symbol("D7"), (parse_symbol("D"),)) and not is_one_of(None, known)


def test_units_before_the_melody_do_not_count_and_cadences_are_whole():
    saints = TUNES["when_the_saints"]  # its melody begins on the second beat of bar 0
    chords = [known[0] for known in saints.readings]
    assert usual(chords, saints) == Count(34, 34) and cadences(chords, saints) == Count(2, 2)
    assert differences(chords, saints) == "when_the_saints: all usual"
    late = [*chords]
    late[30] = parse_symbol("F7")  # the tonic of the last cadence, bar 15
    assert usual(late, saints) == Count(33, 34) and cadences(late, saints) == Count(1, 2)
    assert differences(late, saints) == "when_the_saints: bar 15 F7 for F"
    grace = TUNES["amazing_grace"]  # a pickup on the third beat
    assert usual([None] * len(grace.readings), grace).of == len(grace.readings) - 2


def test_a_table_that_does_not_fit_its_tune_is_refused():
    with pytest.raises(ValueError, match="ode_to_joy has 16 bars; its chords have 2"):
        tune_of("ode_to_joy", "D | A", EXAMPLES)
    with pytest.raises(ValueError, match="bar 1 of ode_to_joy has 2 units"):
        tune_of("ode_to_joy", " | ".join(["D", "D A D", *["D"] * 14]), EXAMPLES)
