import json

import pytest
import yaml

from accomp.models.hub import genres
from train.fit.settings import CONFIGS, playing_settings


def test_a_genres_own_settings_stand_before_those_of_all():
    config = {"accompanist": {"a": 1, "b": 2}, "accompanist_by_genre": {"jazz": {"b": 3}}}
    assert playing_settings(config, "jazz") == {"a": 1, "b": 3}
    assert playing_settings(config, "pop") == playing_settings(config, None) == {"a": 1, "b": 2}
    assert playing_settings({}, "pop") == {}


@pytest.mark.parametrize("genre", genres())
def test_the_genres_play_as_the_config_says(genre):
    config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
    shipped = json.loads((CONFIGS.parents[1] / "models" / genre / "config.json").read_text())
    said = playing_settings(config, genre)
    assert {name: shipped[name] for name in said} == said
