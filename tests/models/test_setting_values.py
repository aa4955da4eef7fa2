import json
from dataclasses import asdict

import pytest

from accomp.errors import ModelError
from accomp.models.config import AccompanistConfig
from accomp.models.files import load_settings
from accomp.models.places import embedded_genres


def known() -> dict:
    return asdict(AccompanistConfig(vaes={}))


def changed(path: str, value) -> dict:
    values = known()
    *tables, name = path.split(".")
    table = values
    for each in tables:
        table = table[each]
    table[name] = value
    return values


@pytest.mark.parametrize(
    "path, value",
    [
        ("temperature", "hot"),
        ("temperature", 0),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", -1),
        ("temperature", 10**400),
        ("top_p", 1.5),
        ("top_p", None),
        ("programs", {"bass": 999}),
        ("programs", {"bass": "loud"}),
        ("programs", [1, 2]),
        ("steadiness", {"bass": float("-inf")}),
        ("variety", "much"),
        ("longest_rest", 0),
        ("longest_rest", 1.5),
        ("longest_rest", True),
        ("song", "yes"),
        ("genre", ["pop"]),
        ("genre", "x" * 100_000),
        ("harmony.width", 10**9),
        ("harmony.genres", "pop"),
        ("harmony.dropout", 2),
        ("harmony.head", "unknown"),
        ("feel.genres", [1]),
        ("feel.width", 0),
        ("planner.layers", 10**6),
        ("planner.heads", 0),
        ("vaes", {"drums": {"latent": 10**9}}),
        ("vaes", {"drums": {"low": -1}}),
        ("vaes", {"drums": {"surprise": 1}}),
        ("vaes", {"drums": 5}),
        ("vaes", 5),
        ("planner", 5),
        ("harmony", None),
        ("version", [1]),
        ("surprise", 1),
    ],
)
def test_every_value_of_a_strangers_settings_is_checked(tmp_path, path, value):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(ModelError) as error:
        load_settings(file, AccompanistConfig.from_dict)
    assert len(str(error.value)) < 500


def test_what_was_written_is_read(tmp_path):
    assert AccompanistConfig.from_dict(known()) == AccompanistConfig(vaes={})
    assert embedded_genres()  # their models are loaded by the other tests


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "nested too deeply|Expecting"),
        ('{"a":' * 100_000, "nested too deeply|Expecting"),
        ("1" * 10_000, "config.json"),
        ("[1, 2]", "version"),
        ('"text"', "version"),
        ("", "config.json"),
        ("\ufffe", "config.json"),
    ],
)
def test_text_that_is_no_settings(tmp_path, text, words):
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(ModelError, match=words):
        load_settings(file, AccompanistConfig.from_dict)


@pytest.mark.parametrize(
    "part, values",
    [
        ("VAEs", {"vaes": {"bass": {"block": 224}}}),
        ("chord planner", {"planner": {"transition": 0}}),
    ],
)
def test_parts_of_earlier_releases_are_named(part, values):
    with pytest.raises(ModelError, match=f"its {part} come from accomp 0.2 or older"):
        AccompanistConfig.from_dict({**known(), **values})
