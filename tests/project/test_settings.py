"""Choices as a file and as an address come back as they were, and what is no choice is refused."""

import json
from urllib.parse import parse_qsl

import pytest

from accomp.errors import MusicError
from accomp.listen.source import Corrections
from accomp.project.choices import Blend, MelodyRecipe, shares, weighted
from accomp.project.settings import Settings

MANY = Settings(
    "ode_to_joy",
    "jazz",
    7,
    0.25,
    "| C  Am | F#m7 G/B |",
    "bars",
    ("drums", "bass"),
    Corrections(92.5, 0.5, (3, 4), 1.25, later=-1, key="F# minor", track=2, keep_doubtful=True),
)
MADE = Settings(
    invented=MelodyRecipe("jazz", 32, 12, 1.2),
    continued=(
        MelodyRecipe("pop", 8, 3, corrections=Corrections(meter=(3, 4), key="D minor")),
        MelodyRecipe("pop", 4, 9, chords="| C  G/B |"),
    ),
    styles=(("bossa_nova", 0.7), ("swing", 0.3)),
    style_factor=0.8,
    colour=0.9,
    blend=Blend("rock", 4, 0.35),
    explore={"guitar": {"density": 1.5, "character": -0.25}, "drums": {"density": -2}},
)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        MANY,
        MADE,
        Settings(instruments=()),
        Settings(corrections=Corrections(meter=(6, 8))),
    ],
)
def test_settings_come_back(settings):
    assert Settings.from_json(settings.to_json()) == settings
    assert (
        Settings.from_query(dict(parse_qsl(settings.to_address(), keep_blank_values=True)))
        == settings
    )


def test_what_is_usual_is_not_written():
    assert json.loads(Settings().to_json()) == {"genre": "pop", "seed": 0}
    assert Settings(seed=3).to_address() == "genre=pop&seed=3"
    assert (
        Settings(invented=MelodyRecipe("folk", 16, 7)).to_query()["invented"]
        == '{"genre":"folk","seed":7}'
    )


def test_an_address_may_hold_what_others_put_there():
    assert Settings.from_query({"__theme": "dark", "utm_source": "x", "seed": "5"}) == Settings(
        seed=5
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "not a settings file"),
        ("[]", "not a settings file"),
        ("{", "not a settings file"),
        (b"\xff\xfe", "not a settings file"),
        ('{"tune": 1}', "has 'tune'"),
        ('{"seed": "x"}', "seed"),
        ('{"seed": -1}', "seed is -1"),
        ('{"seed": true}', "seed"),
        pytest.param(
            f'{{"seed": 1{"0" * 400}}}', "seed is a number of about 401 digits", id="huge seed"
        ),
        ('{"variation": 3}', "variation is 3"),
        ('{"variation": null}', "variation"),
        ('{"intro": "fanfare"}', "fanfare"),
        ('{"instruments": ["tuba"]}', "tuba"),
        ('{"instruments": "drums"}', "instruments"),
        ('{"instruments": [[]]}', "no instrument"),
        ('{"corrections": 3}', "corrections"),
        ('{"corrections": {"speed": 3}}', "'speed'"),
        ('{"corrections": {"tempo": "x"}}', "tempo"),
        ('{"corrections": {"meter": [3]}}', "meter"),
        ('{"corrections": {"meter": "3/4"}}', "meter"),
        ('{"corrections": {"key": 3}}', "key"),
        ('{"invented": 3}', "invented"),
        ('{"invented": {"bars": 8}}', "needed: genre"),
        ('{"invented": {"tune": 8}}', "'tune'"),
        ('{"invented": {"genre": "pop", "bars": 7}}', "7 bars"),
        ('{"invented": {"genre": "pop", "bars": "x"}}', "bars"),
        ('{"invented": {"genre": "pop", "variation": 1.6}}', "1.6"),
        ('{"invented": {"genre": "pop", "seed": -1}}', "-1"),
        ('{"invented": {"genre": "pop"}, "melody": "ode_to_joy"}', "one of them"),
        ('{"continued": {"genre": "pop"}}', "a list"),
        ('{"continued": [3]}', "continued"),
        (json.dumps({"continued": [{"genre": "pop"}] * 9}), "9 times"),
        ('{"continued": [{"genre": "pop", "corrections": {"tempo": "x"}}]}', "tempo"),
        ('{"continued": [{"genre": "pop", "chords": 3}]}', "chords"),
        ('{"styles": "samba"}', "styles"),
        ('{"styles": [["samba"]]}', "styles"),
        ('{"styles": [[3, 1]]}', "style"),
        ('{"styles": [["samba", 0]]}', "weight"),
        ('{"styles": [["samba", NaN]]}', "weight"),
        ('{"styles": [["samba", "x"]]}', "weight"),
        (
            '{"styles": [["examples/ode_to_joy.mid", 1]]}',
            "is unknown; accepted: bossa_nova",
        ),  # a name, and never a file
        ('{"styles": [["samba", 1], ["swing", 1], ["funk", 1]]}', "up to two"),
        ('{"style_factor": 2}', "style factor is 2"),
        ('{"blend": {"genre": "pop", "seed": 1}}', "needed: genre, seed, amount"),
        ('{"blend": []}', "blend"),
        ('{"blend": {"genre": "pop", "seed": 1, "amount": 1.5}}', "amount of the blend is 1.5"),
        ('{"blend": {"genre": 3, "seed": 1, "amount": 0.5}}', "genre"),
        ('{"explore": ["guitar"]}', "explore"),
        ('{"explore": {"tuba": {}}}', "tuba"),
        ('{"explore": {"bass": {"taste": 1}}}', "taste"),
        ('{"explore": {"bass": {"density": 2.5}}}', "2.5"),
        ('{"explore": {"bass": {"density": null}}}', "density"),
        ('{"genre": 3}', "genre"),
        (json.dumps({"chords": "C " * 20_000}), "chords"),
    ],
)
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
        pytest.param({"meter": "3/" + 5000 * "4"}, id="long meter"),
        {"instruments": "tuba"},
        {"tempo": "fast"},
        {"invented": "pop"},
        {"styles": "samba"},
        {"styles": '[["../songs/mine.mid",1]]'},
        {"blend": "{"},
        {"explore": "[" * 9999},
        {"style_factor": "much"},
    ],
)
def test_what_is_no_address_is_refused(query):
    with pytest.raises(MusicError):
        Settings.from_query(query)


def test_changes_are_checked():
    assert (
        Settings().changed(seed=3).seed == 3
        and Settings().corrected(key="Am").corrections.key == "Am"
    )
    for change in ({"seed": -3}, {"instruments": ("tuba",)}):
        with pytest.raises(MusicError):
            Settings().changed(**change)


@pytest.mark.parametrize(
    "chosen, styles",
    [
        (("", "", 0.5), ()),
        (("samba", "", 0.3), (("samba", 1.0),)),
        (("", "samba", 0.3), (("samba", 1.0),)),
        (("samba", "samba", 0.3), (("samba", 1.0),)),
        (("samba", "swing", 0.3), (("samba", 0.7), ("swing", 0.3))),
        (("samba", "swing", 1.0), (("swing", 1.0),)),
    ],
)
def test_two_names_and_a_share_are_styles_with_weights(chosen, styles):
    assert weighted(*chosen) == styles and weighted(*shares(styles)) == styles
