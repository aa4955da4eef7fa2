"""Another line-up for a take: who stays plays the same, and its files say who sounds."""

import io

import gradio as gr
import pytest

from accomp.band.ensembles import ensembles
from accomp.band.finish import Finish
from accomp.listen.source import load_source
from accomp.models.places import embedded_genres
from accomp.music.midi import read_midi, write_midi
from accomp.project.file import read_project
from accomp.project.settings import Settings
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from accomp.roll.sounding_names import by_sound
from page import finishing, keeping, line_ups, models, opening, studio, views
from page.ensembles import WORDS, offered
from page.forms import BandForm, players_of
from page.melodies import EXAMPLES
from page.views import TakeView
from tests.page.test_studio import make, play

TWO, PIANO = "two guitars, no strings", "piano, no strings"


@pytest.fixture(autouse=True)
def ready(monkeypatch):
    monkeypatch.setattr(models, "check_genre", lambda _: None)
    monkeypatch.setattr(models, "play", play)


@pytest.fixture
def take():
    return make(load_source(EXAMPLES["ode_to_joy"]), Settings("ode_to_joy", genre="rock"), [])


def changed(takes, name):
    players, *view = line_ups.change_players(takes, takes[-1].number, name)
    return players, TakeView(*view).takes


def test_a_second_guitar_takes_the_strings_place(take):
    players, takes = changed([take], TWO)
    after = takes[-1]
    assert sorted(players) == ["bass", "drums", "guitar", "second guitar"]
    assert after.label == "Ode to joy · Rock: with a second guitar" and takes[0] is take
    assert after.settings.second_guitar and after.is_retake
    for track in (DRUMS, MELODY, GUITAR, BASS):
        assert after.song.tracks[track].notes == take.song.tracks[track].notes
    labels = [track["label"] for track in after.view()["tracks"]]
    assert "second guitar" in labels and "strings" not in labels
    names = [track.name for track in read_midi(after.files[0]).tracks]
    assert names == ["drums", "piano", "guitar", "bass", "second guitar"]
    kept = read_project(after.files[1]).take
    again = io.BytesIO()
    write_midi(by_sound(kept.song), again)
    assert kept.settings.second_guitar and again.getvalue() == after.files[0].read_bytes()
    opened = opening.open_file(None, [], str(after.files[1]))
    view = TakeView(*opened[-1 - len(TakeView._fields) : -1])
    assert view.takes[-1].files[0].read_bytes() == after.files[0].read_bytes()


def test_a_piano_in_the_guitars_place_plays_its_notes(take):
    take.give_out(Finish(tempo=90.0, programs={"piano": 73}))
    players, takes = changed([take], PIANO)
    after = takes[-1]
    assert sorted(players) == ["bass", "drums", "guitar"]
    finish = after.settings.finish
    assert finish.tempo == 90.0 and finish.programs == {"piano": 73, "guitar": 0}
    assert after.heard.tracks[GUITAR].program == 0 and not after.heard.tracks[STRINGS].notes
    for track in (DRUMS, MELODY, GUITAR, BASS):
        assert after.song.tracks[track] == take.song.tracks[track]
    names = [track.name for track in read_midi(after.files[0]).tracks]
    assert names == ["drums", "flute (melody)", "piano", "bass"]
    with pytest.raises(gr.Error, match="plays already"):
        changed(takes, PIANO)
    _, takes = changed(takes, "piano, strings")
    assert takes[-1].song.tracks[STRINGS].notes and len(takes) == 3
    assert [each.label for each in takes[1:]] == [
        "Ode to joy · Rock: without strings",
        "Ode to joy · Rock, 2",
    ]


def test_what_is_offered_is_what_songs_have_and_what_plays_is_marked(take):
    menu = offered(take)
    values = [value for _, value in menu.choices]
    assert values == [each.name for each in ensembles("rock")] and menu.value == "guitar, strings"
    share = next(round(100 * each.share) for each in ensembles("rock") if each.second_guitar)
    words = f"No strings, a second guitar ({share} % of Rock songs)"
    assert dict(menu.choices)[words] == TWO
    _, takes = changed([take], TWO)
    assert offered(takes[-1]).value == TWO
    near = views.near(takes, views.token(2), None, "guitar", "drums")
    assert near.line_up.value == TWO
    players = [
        ("drums", "drums"),
        ("bass", "bass"),
        ("guitar", "guitar"),
        ("second guitar", "strings"),
    ]
    assert [tuple(each) for each in near.moved.choices] == players
    assert [tuple(each) for each in near.remade.choices][1:] == players
    assert near.moved.value == "guitar" and near.remade.value == "drums"


def test_every_line_up_has_plain_words():
    names = {each.name for genre in embedded_genres() for each in ensembles(genre)}
    assert names == WORDS.keys()


def test_the_form_has_a_second_guitar_and_its_sound_does_not_go_to_strings(take):
    form = BandForm.of(Settings(second_guitar=True))
    assert sorted(form.instruments) == ["bass", "drums", "guitar", "second guitar"]
    form = form._replace(genre="rock", instruments=["bass", "second guitar"])
    settings = form.applied_to(Settings(), None)
    assert settings.second_guitar and settings.instruments == ("bass", "strings")
    assert players_of(settings) == ["bass", "second guitar"]
    take.is_shown = True
    take.give_out(Finish(programs={"strings": 19, "bass": 34}))
    source = load_source(EXAMPLES["ode_to_joy"])
    known = finishing.as_shown(take.settings.changed(second_guitar=True), [take], source)
    assert known.finish.programs == {"bass": 34}


def test_nothing_is_made_without_a_choice(take):
    with pytest.raises(gr.Error, match="Choose a line-up"):
        changed([take], None)
    with pytest.raises(gr.Error, match="no ensemble"):
        changed([take], "brass band")


def test_files_of_parts_are_called_by_what_sounds(take):
    take.give_out(Finish(programs={"piano": 73}))
    _, takes = changed([take], TWO)
    after = takes[-1]
    names = [kind.label for kind in keeping.kinds(after)["MIDI"].values()]
    assert names == ["All", "Melody", "Drums", "Guitar", "Bass", "Second guitar"]
    melody = studio.write_part(after, "piano")
    (track,) = read_midi(melody).tracks
    assert melody.name.endswith("_flute.mid") and track.name == "flute (melody)"
    assert studio.write_part(after, "strings").name.endswith("_second guitar.mid")
