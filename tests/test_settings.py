"""Choices as a file and as an address come back as they were, and what is no choice is refused."""

import json
from urllib.parse import parse_qsl

import pytest

from accomp.errors import MusicError
from accomp.intake import Corrections
from page.settings import Settings

MANY = Settings(
    "ode_to_joy", "jazz", 7, 0.25, "| C  Am | F#m7 G/B |", "bars", ("drums", "bass"),
    Corrections(tempo=92.5, pace=0.5, meter=(3, 4), downbeat=1.25, later=-1, key="F# minor", track=2),
)  # fmt: skip


@pytest.mark.parametrize(
    "settings", [Settings(), MANY, Settings(instruments=()), Settings(corrections=Corrections(meter=(6, 8)))]
)
def test_settings_come_back(settings):
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_query(dict(parse_qsl(settings.to_address(), keep_blank_values=True))) == settings


def test_what_is_usual_is_not_written():
    assert json.loads(Settings().to_json()) == {"genre": "pop", "seed": 0}
    assert Settings(seed=3).to_address() == "genre=pop&seed=3"


def test_an_address_may_hold_what_others_put_there():
    assert Settings.from_query({"__theme": "dark", "utm_source": "x", "seed": "5"}) == Settings(seed=5)


@pytest.mark.parametrize("text, message", [
    ("", "no settings file"), ("[]", "no settings file"), ("{", "no settings file"), (b"\xff\xfe", "no settings file"),
    ('{"tune": 1}', "hold 'tune'"), ('{"seed": "x"}', "seed"), ('{"seed": -1}', "seed -1"), ('{"seed": true}', "seed"),
    ('{"variation": 3}', "variation 3"), ('{"variation": null}', "variation"), ('{"intro": "fanfare"}', "fanfare"),
    ('{"instruments": ["tuba"]}', "tuba"), ('{"instruments": "drums"}', "instruments"), ('{"instruments": [[]]}', "instruments"),
    ('{"corrections": 3}', "corrections"), ('{"corrections": {"speed": 3}}', "'speed'"),
    ('{"corrections": {"tempo": "x"}}', "tempo"),
    ('{"corrections": {"meter": [3]}}', "meter"), ('{"corrections": {"meter": "3/4"}}', "meter"),
    ('{"corrections": {"key": 3}}', "key"),
    ('{"genre": 3}', "genre"), (json.dumps({"chords": "C " * 20_000}), "chords"),
])  # fmt: skip
def test_what_is_no_settings_file_is_refused(text, message):
    with pytest.raises(MusicError, match=message):
        Settings.from_json(text)


@pytest.mark.parametrize(
    "query",
    [
        {"seed": "x"},
        {"meter": "3"},
        {"meter": "a/b"},
        {"meter": "inf/4"},
        {"meter": "3.7/4"},
        {"instruments": "tuba"},
        {"tempo": "fast"},
    ],
)
def test_what_is_no_address_is_refused(query):
    with pytest.raises(MusicError):
        Settings.from_query(query)


def test_changes_are_checked():
    assert Settings().changed(seed=3).seed == 3 and Settings().corrected(key="Am").corrections.key == "Am"
    for change in ({"seed": -3}, {"instruments": ("tuba",)}):
        with pytest.raises(MusicError):
            Settings().changed(**change)
