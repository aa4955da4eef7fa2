import json
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl
from urllib.request import urlopen

import gradio as gr
import pytest
from gradio_client import Client, handle_file

import app
from accomp import Accompanist, genres, read_midi
from accomp.errors import AudioUnavailable
from accomp.listen.source import load_source
from accomp.models.shelf import Shelf
from accomp.project.choices import Blend, MelodyRecipe
from accomp.project.settings import Settings
from accomp.roll.grid import BASS, MELODY
from accomp.suggest import suggest
from page import api, files, melodies, models, opening, taking
from page import sound as sound_maker
from page.forms import BandForm
from page.melodies import EXAMPLES
from page.views import MelodyView, TakeView

ODE = EXAMPLES["ode_to_joy"]


def test_a_program_that_imports_the_page_keeps_its_temporary_files():
    assert not Path(tempfile.gettempdir()).is_relative_to(files.own_folder())


@pytest.mark.process
def test_the_handler_returns_sound_picture_and_midi():
    sound, picture, midi, chords = api.accompany(ODE, "jazz", 2)
    assert read_midi(midi).tracks[MELODY].notes == read_midi(ODE).tracks[0].notes
    assert Path(picture).read_bytes()[:4] == b"\x89PNG"
    assert chords.startswith("| ") and chords.count("|") > 8
    assert sound is None or Path(sound).read_bytes()[:4] == b"RIFF"


def test_without_sound_the_rest_is_there(monkeypatch):
    def silent(*_, **__):
        raise AudioUnavailable("FluidSynth is missing")

    monkeypatch.setattr(sound_maker, "song_sound", silent)
    sound, picture, midi, _ = api.accompany(ODE, "pop")
    assert sound is None and picture and len(read_midi(midi).tracks) == 5


def test_mistakes_become_messages(tmp_path):
    bad = tmp_path / "melody.mid"
    bad.write_bytes(b"RIFF....RMIX")
    for arguments, message in (
        ((None, "pop"), "Open a melody first"),
        ((ODE, "nogenre"), "nogenre"),
        ((str(bad), "pop"), "a RIFF file"),
        ((ODE, "pop", -1), "seed is -1"),
        ((ODE, "pop", 0, "| H |"), "chord 'H' is not known"),
        ((ODE, "pop", 0, "", "fanfare"), "intro 'fanfare' is unknown"),
        (
            (ODE, "pop", 0, "", "none", ODE),
            "styles? .*accepted",
        ),  # a path of the server's is no style
        ((ODE, "pop", 0, "", "none", "samba", 3), "style factor is 3"),
    ):
        with pytest.raises(gr.Error, match=message):
            api.accompany(*arguments)
    for arguments, message in (
        (("polka",), "polka"),
        (("pop", 7), "7 bars"),
        (("pop", 8, 0, 9), "variation of the melody is 9"),
    ):
        with pytest.raises(gr.Error, match=message):
            api.invent(*arguments)


def test_a_genre_is_loaded_once():
    assert models.shelf.get("pop") is models.shelf.get("pop")


@pytest.mark.process
def test_the_page_serves_its_endpoint():
    app.demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(app.demo.local_url, verbose=False)
        arguments = (handle_file(ODE), "folk", 1, "| C Am | F G7 |", "bars")
        sound, picture, midi, chords = client.predict(*arguments, api_name="/accompany")
        song = read_midi(midi)
        assert (
            len(song.tracks) == 5
            and song.tracks[MELODY].start == 8.0
            and "| C Am | F G7 |" in chords
        )
        assert (
            len(client.predict(handle_file(ODE), "pop", 0, api_name="/accompany")) == 4
        )  # as README calls it
        styled = client.predict(
            handle_file(ODE),
            "folk",
            1,
            "| C Am | F G7 |",
            "bars",
            "bossa_nova",
            1,
            api_name="/accompany",
        )
        assert read_midi(styled[2]).tracks[BASS].notes != song.tracks[BASS].notes
        melody, chords = client.predict("jazz", 8, 3, api_name="/invent")
        found = read_midi(melody)
        assert (
            len(found.tracks) == 1 and 24 < found.end <= 32 and chords.count("|") == 10
        )  # two lines of four bars
        assert client.predict("jazz", 8, 3, api_name="/invent")[1] == chords
        assert client.predict("jazz", api_name="/served").endswith("Models: `jazz`, embedded")
        assert {name for name in client.view_api(return_format="dict")["named_endpoints"]} == {
            "/accompany",
            "/served",
            "/stems",
            "/project",
            "/change",
            "/lead_sheet",
            "/invent",
        }
        cards = next(
            each
            for each in app.demo.config["components"]
            if each["props"].get("elem_id") == "genres"
        )
        assert [choice[1] for choice in cards["props"]["choices"]] == genres()
    finally:
        app.demo.close()


@pytest.mark.process
def test_loading_a_genre_keeps_no_other_visitor_waiting(monkeypatch):
    go = threading.Event()

    def load(genre):
        assert genre != "jazz" or go.wait(30)
        return Accompanist.from_pretrained(genre)

    monkeypatch.setattr(models, "shelf", Shelf(load))
    app.demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        first, second = (
            Client(app.demo.local_url, verbose=False),
            Client(app.demo.local_url, verbose=False),
        )
        waits = first.submit(handle_file(ODE), "jazz", 0, api_name="/accompany")
        assert second.predict("pop", api_name="/served").endswith("Models: `pop`, embedded")
        assert len(second.predict(handle_file(ODE), "pop", 0, api_name="/accompany")) == 4
        assert not waits.done()
        go.set()
        assert len(waits.result(60)) == 4
    finally:
        go.set()
        app.demo.close()


def test_a_genre_is_suggested_for_a_melody():
    source = load_source(ODE)
    first = melodies.suggest_genre(source, Settings())
    assert first == suggest(source.score, 0, models.GENRES)[0][0] and first in models.GENRES
    with pytest.raises(gr.Error, match="Open a melody first"):
        melodies.suggest_genre(None, Settings())


def visited(settings):
    """What the page gives for an address."""
    return opening.open_page(
        {},
        "",
        "",
        SimpleNamespace(
            query_params=dict(parse_qsl(settings.to_address(), keep_blank_values=True))
        ),
    )


def test_an_address_makes_a_take_near_another_one_again():
    settings = Settings(
        "ode_to_joy",
        "jazz",
        2,
        styles=(("samba", 0.6), ("swing", 0.4)),
        blend=Blend("pop", 1, 0.4),
        explore={"bass": {"density": 1.5}},
    )
    found = visited(settings)
    source, loaded = found[:2]
    choices = found[len(MelodyView._fields) :][: len(BandForm._fields)]
    take = taking.generate(source, loaded, [], None, *choices).takes[-1]
    assert (
        take.settings == settings
        and take.label == "Ode to joy · Jazz: 40 % towards Pop, busier bass, like samba and swing"
    )
    choices = choices[:1] + (3,) + choices[2:]  # another seed: a band as usual
    other = taking.generate(source, loaded, [], None, *choices).takes[-1]
    assert other.settings == settings.changed(seed=3, blend=None, explore={})
    plain = taking.explore([take], 1, "bass", 0.0, 0.0, 0.0).takes[-1]
    assert plain.settings.explore == {} and plain.song != take.song


def test_an_address_of_a_melody_that_cannot_be_made_is_told():
    with pytest.warns(UserWarning, match="not understood: Genre 'polka' is unknown"):
        found = visited(Settings(invented=MelodyRecipe("polka")))
    assert found[1].melody == "ode_to_joy"  # as at a first visit
    assert list(found[len(MelodyView._fields) :]) == [gr.skip()] * (
        len(BandForm._fields) + len(TakeView._fields) + 1
    )


def test_mcp_clients_find_the_call():
    pytest.importorskip("mcp")
    app.demo.launch(prevent_thread_lock=True, quiet=True, mcp_server=True)
    try:
        with urlopen(f"{app.demo.local_url}gradio_api/mcp/schema") as answer:
            tools = {tool["name"]: tool for tool in json.load(answer)}
        schema = tools["accompany"]["inputSchema"]
        assert set(schema["properties"]) == {
            "melody",
            "genre",
            "seed",
            "chords",
            "intro",
            "style",
            "style_factor",
            "variation",
            "instruments",
            "key",
            "tempo",
            "meter",
            "track",
            "colour",
        }
        assert set(tools["invent"]["inputSchema"]["properties"]) == {
            "genre",
            "bars",
            "seed",
            "variation",
        }
        assert (
            set(schema["required"]) <= {"melody", "genre"}
            and "one voice" in schema["properties"]["melody"]["description"]
        )
    finally:
        app.demo.close()
