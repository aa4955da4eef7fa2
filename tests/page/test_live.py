"""What the server has ready for browsers that play live."""

import json

import pytest

from accomp.errors import AudioUnavailable
from page.player import Player, live

HINDERED = live.fault()
has_all = pytest.mark.skipif(bool(HINDERED), reason=HINDERED)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder in place of the one that is served."""
    (tmp_path / "sounds").mkdir()
    monkeypatch.setattr(live, "folder", lambda: tmp_path)
    return tmp_path


def test_a_genres_instruments_are_those_of_its_models():
    assert live.keys("no such genre") == ["128-0", "0-0", "0-25", "0-33", "0-48"]
    for config in live.MODELS.glob("*/config.json"):
        programs = json.loads(config.read_text())["programs"]
        assert f"0-{programs['bass']}" in live.keys(config.parent.name)


@has_all
def test_an_instrument_is_made_once_under_a_name_of_its_content(folder, monkeypatch):
    name = live.make_sound("0-33")
    assert name.startswith("0-33-") and (folder / "sounds" / name).stat().st_size > 50_000
    monkeypatch.setattr(live, "_soundfont", None)
    assert live.make_sound("0-33") == name and live.places()["made"] == {"0-33": name}


@has_all
@pytest.mark.parametrize("key", ["0-777", "../../etc/passwd", "", "0", "0-x"])
def test_other_wishes_are_refused(folder, key):
    with pytest.raises(AudioUnavailable, match="no instrument"):
        live.make_sound(key)
    assert not list((folder / "sounds").iterdir())


@has_all
def test_scripts_lie_under_a_name_of_their_version(folder):
    live._scripts.cache_clear()
    place = live._scripts()
    live._scripts.cache_clear()
    assert {"main.js", "worklet.js", "libfluidsynth.js", "stb-vorbis.js"} <= {
        file.name for file in place.iterdir()
    }
    assert place.parent == folder and not list(folder.glob("tmp*"))


def test_without_npm_it_says_so_and_the_page_still_works(monkeypatch, tmp_path):
    monkeypatch.setattr(live, "PACKAGES", tmp_path)
    assert "npm ci" in live.fault()
    player = Player()
    assert "npm ci" in player.js_on_load


@has_all
def test_before_the_first_sound_at_most_five_megabytes_are_sent():
    places = live.places()
    sounds = [live.folder() / "sounds" / live.make_sound(key) for key in places["first"]]
    scripts = list(live._scripts().iterdir())
    assert sum(file.stat().st_size for file in [*sounds, *scripts]) < 5e6
