"""The calls for programs that take a song further."""

from pathlib import Path

import gradio as gr
import pytest

from accomp import read_midi, read_project
from accomp.errors import AudioUnavailable
from accomp.music.notation import read_notation
from accomp.music.timing import mean_tempo
from accomp.roll.grid import BASS, DRUMS, MELODY, STRINGS
from page import api_songs, sound
from page.melodies import EXAMPLES

ODE = EXAMPLES["ode_to_joy"]


@pytest.fixture(scope="module")
def made():
    """A project and its MIDI file."""
    return api_songs.project(ODE, "pop", 3)


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    """Without FluidSynth, which takes seconds."""

    def none(*_):
        raise AudioUnavailable("no sound here")

    monkeypatch.setattr(sound, "write_mix", none)


def test_a_project_holds_the_song(made):
    path, midi = made
    take = read_project(path).take
    assert take.settings.genre == "pop" and take.settings.seed == 3
    assert take.made.chords == read_midi(midi).chords


def test_a_song_is_changed_and_the_rest_stays(made):
    heard, picture, midi, chords, path = api_songs.change(
        made[0], ["5: Em7 A7"], ["bass:9-12:busy=1"], -2, 84, ["piano=flute"]
    )
    before, after = read_midi(made[1]), read_midi(midi)
    assert heard is None and Path(picture).read_bytes().startswith(b"\x89PNG")
    assert "Dm7 G7" in chords and mean_tempo(after) == pytest.approx(84, abs=0.01)
    assert after.tracks[MELODY].program == 73
    assert [n.pitch for n in after.tracks[MELODY].notes] == [
        n.pitch - 2 for n in before.tracks[MELODY].notes
    ]
    late = [[n.onset for n in s.tracks[DRUMS].notes if n.onset >= 20] for s in (before, after)]
    assert late[0] == late[1]
    # A second change goes on from the first; what it leaves out stays.
    _, _, midi, _, _ = api_songs.change(path, redo=["strings:1-4"])
    again = read_midi(midi)
    assert again.tracks[BASS].notes == after.tracks[BASS].notes
    assert again.tracks[STRINGS].notes != after.tracks[STRINGS].notes
    assert again.tempos == after.tempos and again.key_signatures == after.key_signatures


def test_lead_sheets_of_projects_and_of_midi_files(made):
    for song in made:
        sheet = read_notation(api_songs.lead_sheet(song, "musicxml", "Ode"))
        assert [chord.symbol for chord in sheet.chords] == [
            chord.symbol for chord in read_midi(made[1]).chords
        ]


def test_what_is_wrong_is_told_in_words(made):
    for call, words in (
        (lambda: api_songs.change(None), "there is no song"),
        (lambda: api_songs.change(made[1]), "settings file"),
        (lambda: api_songs.change(made[0], ["5 C"]), "accepted"),
        (lambda: api_songs.change(made[0], redo=["bass:99"]), "there is no bar 99"),
        (lambda: api_songs.change(made[0], redo={"a": 1}), "a list of texts"),
        (lambda: api_songs.change(made[0], transpose=0.5), "whole number"),
        (lambda: api_songs.change(made[0], transpose=99), "-12 to 12"),
        (lambda: api_songs.change(made[0], program=["bass=9"]), "does not play so low"),
        (lambda: api_songs.lead_sheet(made[0], "doc"), "accepted: musicxml"),
        (lambda: api_songs.lead_sheet(None), "there is no song"),
    ):
        with pytest.raises(gr.Error, match=words):
            call()


def test_an_ensemble_plays_and_who_stays_plays_the_same(made):
    *_, midi, _, path = api_songs.change(made[0], ensemble="two guitars, no strings")
    before, after = read_midi(made[1]), read_midi(midi)
    assert [track.name for track in after.tracks][-1] == "second guitar"
    for track in (DRUMS, MELODY, BASS):
        assert after.tracks[track].notes == before.tracks[track].notes
    assert after.tracks[STRINGS].notes != before.tracks[STRINGS].notes
    assert read_project(path).take.settings.second_guitar
    with pytest.raises(gr.Error, match="pop has no ensemble"):
        api_songs.change(made[0], ensemble="brass band")
