"""Options are checked when they are made, and say what is accepted."""

import dataclasses
import math

import numpy as np
import pytest

from accomp.band.options import BAND, Options, Range, Redo
from accomp.errors import MusicError
from accomp.music.keys import Key
from accomp.music.score import Chord, Score


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"seed": -1}, "seed is -1; accepted: 0 to 2^63 - 1"),
        ({"seed": 2**63}, "seed is 9223372036854775808"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": "a"}, "seed is a; accepted"),
        ({"seed": True}, "seed is True"),
        ({"variation": math.nan}, "variation is nan; accepted: 0 to 4"),
        ({"variation": -0.1}, "variation is -0.1"),
        ({"variation": math.inf}, "variation is inf"),
        ({"style_factor": 1.01}, "style factor is 1.01; accepted: 0"),
        ({"intro": "fanfare"}, "'fanfare' is unknown; accepted: none, count-in, bars"),
        ({"melody_track": -1}, "melody track is -1"),
        ({"melody_track": "2"}, "melody track is '2'"),
        ({"instruments": ["bass", "tuba"]}, "no instrument 'tuba'; accepted: drums, "),
        ({"key": "H minor"}, "'H minor' is not a key"),
        ({"chords": "| C | Xy |"}, "bar 2 of the chords: chord 'Xy'"),
        ({"chords": ""}, "no chords were found"),
        ({"chords": []}, "no chords were found"),
        ({"chords": [Chord(0.0, "Q")]}, "chord 'Q' is not known"),
        ({"chords": ["C"]}, "chords hold 'C'"),
        ({"styles": "polka"}, "style 'polka' is unknown; available: bossa_nova"),
        ({"styles": [("swing", -1.0)]}, "weights of styles"),
        ({"styles": [("swing",)]}, "is not a style and its weight"),
    ],
)
def test_what_is_out_of_range_is_refused_at_once(settings, message):
    with pytest.raises(MusicError) as refused:
        Options(**settings)
    assert message in str(refused.value)


def test_options_are_normal_frozen_and_equal():
    options = Options(
        seed=np.int64(3),
        key="F# minor",
        instruments=["bass", "drums"],
        styles="swing",
        chords="| C |",
    )
    assert options.key == Key(6, True) and options.styles == (("swing", 1.0),)
    assert options == Options(
        seed=3,
        key=Key(6, True),
        instruments={"drums", "bass"},
        styles=[("swing", 1.0)],
        chords="| C |",
    )
    assert dataclasses.replace(options, seed=4).styles == options.styles
    assert options.instruments < BAND and len(options.silent) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.seed = 4


def test_ranges_say_themselves():
    assert str(Range("x", 0, 4)) == "0 to 4" and str(Range("x", -0.5, 1)) == "-0.5 to 1"
    Range("x", 0, 4).check(np.float32(2.5))
    with pytest.raises(MusicError, match="y is 5; accepted: 0 to 4"):
        Range("x", 0, 4).check(5, "y")


def test_what_is_redone_names_known_tracks():
    assert Redo(Score([]), ["bass"]).keep == frozenset({"bass"})
    with pytest.raises(MusicError, match="no track 'tuba' to keep; accepted: drums, piano"):
        Redo(Score([]), ("tuba",))
