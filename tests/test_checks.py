"""Numbers and text from strangers: whatever they are, the answer is a MusicError in words."""

import json

import pytest

from accomp.band.options import Options, Redo
from accomp.band.style_library import parse_styles
from accomp.checks import Range, check_number, check_text, read_number, read_whole, shown
from accomp.errors import MusicError
from accomp.listen.source import Corrections
from accomp.music.chord_text import check_chords
from accomp.music.keys import parse_key
from accomp.music.score import Score
from accomp.project.settings import Settings

HUGE = 10**5000
BAD_TEXTS = ["", "nan", "-inf", "Infinity", "1e400", "9" * 5000, "٣", "３", "½", "1_0", "0x1"]
BAD_TEXTS += ["--5", "\ud800", "\0", "<b>", "1\n2"]
BAD_VALUES = [None, True, float("nan"), float("inf"), HUGE, -HUGE, "\ud800", "٣", [[]], {"a": 1}]
QUERIES = [
    *((name, text) for name in ("seed", "variation", "style_factor") for text in BAD_TEXTS),
    *((name, text) for name in ("tempo", "pace", "downbeat", "later") for text in BAD_TEXTS),
    *(("meter", text) for text in ("٣/٤", "9" * 5000 + "/4", "3/", "/", "3", "1/2/3")),
    *((name, "a\ud800") for name in ("melody", "genre", "chords", "key", "intro", "instruments")),
    ("styles", '[["samba",1e400]]'),
    ("styles", f'[["samba",{"9" * 400}]]'),
    ("explore", '{"bass":{"density":Infinity}}'),
    ("blend", '{"genre":"\\ud800","seed":1,"amount":0.5}'),
    ("continued", "[" * 100_000),
]


def refused(make, *args, **kwargs):
    with pytest.raises(MusicError) as caught:
        make(*args, **kwargs)
    message = str(caught.value)
    message.encode()
    assert len(message) < 500


@pytest.mark.parametrize("name, text", QUERIES, ids=range(len(QUERIES)))
def test_an_address_can_hold_anything(name, text):
    refused(Settings.from_query, {name: text})


@pytest.mark.parametrize("value", BAD_VALUES, ids=range(len(BAD_VALUES)))
def test_a_settings_file_can_hold_anything(value):
    if value not in (HUGE, -HUGE):  # JSON can't be written of them
        for name in ("seed", "variation", "explore", "instruments", "corrections", "invented"):
            if (name, value) != ("invented", None):
                refused(Settings.from_json, json.dumps({name: value}))
    refused(Settings.from_json, f'{{"seed": {"9" * 5000}}}')


@pytest.mark.parametrize("value", BAD_VALUES, ids=range(len(BAD_VALUES)))
def test_a_program_can_give_anything(value):
    for name in ("seed", "variation", "style_factor", "chords", "intro", "styles", "instruments"):
        refused(Options, **{name: value})
    refused(Redo, Score([]), keep=value)
    for name in ("tempo", "pace", "downbeat", "later", "track", "meter", "key"):
        is_guess = value is None and name not in ("pace", "later")
        if not is_guess and (name, value) != ("key", "٣"):  # which is read with the melody
            refused(Corrections(**{name: value}).check)


def test_numbers_are_read_in_one_way():
    for text in BAD_TEXTS:
        refused(read_number, text, "tempo")
        refused(read_whole, text, "seed")
        refused(parse_key, text)
    assert read_number(" -0.5 ", "n") == -0.5 and read_number("+1e3", "n") == 1000.0
    assert read_number("007", "n") == 7 and type(read_whole("3", "n")) is int
    refused(read_whole, "3.0", "seed")
    assert parse_styles("samba ٣") == [("samba ٣", 1.0)]
    refused(check_chords, "| C\ud800 |")
    refused(check_chords, 3)


def test_what_was_found_can_always_be_shown():
    assert shown(HUGE) == "a number of about 5001 digits" and shown(3) == "3"
    assert shown([HUGE]) == "a list" and shown("x" * 100) == "x" * 40 + "…"
    assert shown("\ud800") == "?"
    refused(Range("seed", 0, 5, whole=True).check, HUGE)
    refused(check_number, 10**310, "tempo")
    check_text("ü♭", "chords", "text")
    refused(check_text, "abc", "chords", "text", 2)
