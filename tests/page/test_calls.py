"""The calls for programs: how they describe themselves, and all that they can be asked."""

import asyncio
import re
import zipfile
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import pytest
from gradio_client import Client, handle_file

import app
from accomp import read_midi
from accomp.music.notation import read_notation
from accomp.music.timing import mean_tempo
from page import api, calls, files, messages
from page.melodies import EXAMPLES

ODE = EXAMPLES["ode_to_joy"]


@pytest.fixture(scope="module")
def client():
    app.demo.launch(prevent_thread_lock=True, quiet=True, mcp_server=True)
    yield Client(app.demo.local_url, verbose=False)
    app.demo.close()


@pytest.mark.process
def test_calls_describe_themselves(client):
    found = client.view_api(return_format="dict")["named_endpoints"]
    assert list(found) == [
        *("/accompany", "/invent", "/stems", "/project", "/change", "/lead_sheet", "/served")
    ]
    for name, call in found.items():
        assert call["description"], name
        for value in [*call["parameters"], *call["returns"]]:
            words = value["python_type"]["description"]
            assert words and "FileData" not in words, (name, value["label"])
    types = {each["label"]: each["python_type"]["type"] for each in found["/invent"]["parameters"]}
    assert types["bars"] == types["seed"] == "int" and types["variation"] == "float"
    names = [each["label"] for each in found["/accompany"]["parameters"]]
    assert names == [each["label"] for each in found["/stems"]["parameters"]]


@pytest.mark.process
def test_a_program_can_choose_what_the_page_can(client):
    choices = {
        "melody": handle_file(ODE),
        "genre": "folk",
        "instruments": ["bass", "drums"],
        "key": "B minor",
        "tempo": 90,
        "meter": "2/4",
        "track": 0,
        "variation": 0.2,
        "chords": "| D | A |",
        "colour": 0.9,
    }
    song = read_midi(client.predict(**choices, api_name="/accompany")[2])
    assert {track.name for track in song.tracks if track.notes} == {"piano", "bass", "drums"}
    assert mean_tempo(song) == pytest.approx(90, abs=0.1) and song.meters[0][1:] == (2, 4)
    archive, midi = client.predict(**choices, api_name="/stems")
    with zipfile.ZipFile(archive) as bundle:
        stems = {Path(name).stem.rpartition("_")[2] for name in bundle.namelist()}
    assert stems == {"piano", "bass", "drums"}
    assert read_midi(midi).tracks == song.tracks


@pytest.mark.process
def test_a_program_hears_in_words_what_is_wrong(client):
    for choices, words in (
        ({"tempo": "fast"}, "tempo is 'fast'; accepted"),
        ({"meter": "4"}, "meter"),
        ({"track": 9}, "track 9 does not exist"),
        ({"instruments": ["tuba"]}, "no instrument 'tuba'"),
        ({"instruments": []}, "choose at least one instrument"),
        ({"seed": 0.5}, "seed is 0.5; accepted: a whole number"),
        ({"chords": "| <b> |"}, "'<b>'"),
    ):
        with pytest.raises(Exception, match=words):
            client.predict(handle_file(ODE), "pop", **choices, api_name="/accompany")


@pytest.mark.process
def test_a_program_takes_a_song_further(client):
    melody, _ = client.predict("folk", 4, api_name="/invent")
    project, midi = client.predict(handle_file(melody), "folk", api_name="/project")
    changes = {"chord": ["2: Am D7"], "redo": ["bass:1"], "transpose": 2, "program": ["piano=73"]}
    *_, changed, chords, again = client.predict(handle_file(project), **changes, api_name="/change")
    before, after = read_midi(midi), read_midi(changed)
    assert "Bm E7" in chords and after.key_signatures != before.key_signatures
    sheet = client.predict(handle_file(again), "musicxml", api_name="/lead_sheet")
    symbols = [chord.symbol for chord in read_notation(sheet).chords]
    assert symbols == [chord.symbol for chord in after.chords]
    with pytest.raises(Exception, match="there is no bar 99"):
        client.predict(handle_file(project), redo=["bass:99"], api_name="/change")


@pytest.mark.process
def test_a_mcp_client_invents_a_melody_and_gives_it_a_band(client):
    mcp = pytest.importorskip("mcp")
    from mcp.client.streamable_http import streamablehttp_client

    async def ask():
        address = f"{app.demo.local_url}gradio_api/mcp/"
        async with (
            streamablehttp_client(address) as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            made = await session.call_tool("invent", {"genre": "pop", "bars": 4})
            melody = re.search(r"'url': '(http[^']+)'", made.content[0].text)[1]
            band = await session.call_tool("accompany", {"melody": melody, "genre": "pop"})
            return tools, made, band

    tools, made, band = asyncio.run(ask())
    assert {"accompany", "invent", "stems"} <= set(tools)
    assert not made.isError and not band.isError, band
    assert any("| " in getattr(part, "text", "") for part in band.content)


def test_only_the_pages_own_files_are_taken_by_their_address(tmp_path):
    own = files.uploads() / "abc" / "my tune.mid"
    own.parent.mkdir(exist_ok=True)
    own.write_bytes(b"MThd")
    address = "http://127.0.0.1:7860/gradio_api/file="
    assert calls._own_file(address + quote(str(own))) == str(own)
    for other in ("/etc/passwd", f"{files.uploads()}/../../secret", str(own.parent), str(tmp_path)):
        assert calls._own_file(address + quote(other)) is None
    assert calls._own_file(str(own)) is None and calls._own_file("http://x/y.mid") is None


def test_the_browser_knows_the_widgets_of_the_calls():
    """Those of Gradio, not of classes that stand here."""
    own = [calls.GivenFile(), calls.GivenNumber(), calls.GivenNames(), calls.GivenTexts()]
    assert [each.get_block_name() for each in own] == ["file", "number", "json", "json"]


def test_nobody_plays_is_told(tmp_path):
    with pytest.raises(gr.Error, match=messages.NOBODY):
        api.accompany(ODE, "pop", instruments=[])
