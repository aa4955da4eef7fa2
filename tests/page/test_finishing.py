"""What changes of a take without another band, and what later takes have of it."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from accomp.band.finish import Finish
from accomp.listen.source import load_source
from accomp.project.settings import Settings
from accomp.roll.grid import MELODY
from page import finishing, keeping, studio, views
from tests.page.test_studio import EXAMPLES, make


@pytest.fixture(scope="module")
def ode():
    return load_source(EXAMPLES / "ode_to_joy.mid")


def event(**data):
    return SimpleNamespace(**data)


def shown(take):
    views.shown(take, [take])
    return take


def test_the_take_that_the_player_shows_gets_the_key_and_new_files(ode):
    take = shown(make(ode, Settings(), []))
    before, folder = take.files[0].read_bytes(), take.folder
    wish = event(id=take.view()["id"], tempo=90.0, transpose=-2)
    settings, *view = finishing.set_pace([take], 1, ode, Settings(), wish)
    assert settings == gr.skip() and take.settings.finish == Finish(transpose=-2, tempo=90)
    assert take.folder != folder and take.files[0].read_bytes() != before
    assert take.files[0].name == "ode_to_joy_pop_0_down2_90bpm.mid"
    assert "−2 semitones, 90 beats a minute" in take.detail
    assert view[-2]["token"] == take.folder.name
    again = make(ode, finishing.as_shown(Settings(seed=1), [take], ode), [take])
    assert again.settings.finish == take.settings.finish


def test_two_changes_in_a_row_both_count(ode):
    take = shown(make(ode, Settings(), []))
    known = take.view()["id"]  # to the player, until it is told of the first change
    finishing.set_sound([take], 1, ode, Settings(), event(id=known, track="piano", program=73))
    finishing.set_pace([take], 1, ode, Settings(), event(id=known, tempo=None, transpose=-3))
    assert take.settings.finish == Finish(transpose=-3, programs={"piano": 73})
    other = replace(take, number=2)
    assert not other.ids  # a take that comes of it is not taken for it


def test_the_melody_that_the_player_shows_is_what_later_takes_go_by(ode):
    take = shown(make(ode, Settings(), []))
    melody = studio.melody_view(ode.melody())
    wish = event(id=melody["id"], track="piano", program=73)
    settings, *view = finishing.set_sound([take], 1, ode, Settings(), wish)
    assert settings.finish == Finish(programs={"piano": 73}) and take.settings.finish == Finish()
    assert views.TakeView(*view).player["tracks"][0]["program"] == 73


def test_another_genre_keeps_the_lead_and_another_melody_nothing(ode):
    take = shown(make(ode, Settings(genre="pop"), []))
    take.give_out(Finish(programs={"piano": 73, "bass": 38}))
    jazz = finishing.as_shown(Settings(genre="jazz"), [take], ode)
    assert jazz.finish == Finish(programs={"piano": 73})
    other = load_source(EXAMPLES / "greensleeves.mid")
    assert finishing.as_shown(Settings(), [take], other).finish == Finish()


def test_what_does_not_fit_is_refused(ode):
    take = shown(make(ode, Settings(), []))
    for wish in (event(track="bass", program=73), event(track="kazoo", program=0), event()):
        wish.id = take.view()["id"]
        with pytest.raises(gr.Error):
            finishing.set_sound([take], 1, ode, Settings(), wish)
    assert take.settings.finish == Finish()


def test_the_roll_shows_written_notes_and_how_each_is_heard(ode):
    take = make(ode, Settings(), [])
    take.give_out(Finish(transpose=-12))
    view = take.view()
    assert view["finish"]["transpose"] == -12
    lead = next(track for track in view["tracks"] if track["is_melody"])
    assert [note[0] for note in lead["notes"]] == [n.pitch for n in take.song.tracks[MELODY].notes]
    heard = {track.name: sorted(note.pitch for note in track.notes) for track in take.heard.tracks}
    for track in view["tracks"]:
        octaves = track["octaves"] or [0] * len(track["notes"])
        down = 0 if track["is_drum"] else -12
        pitches = [note[0] + 12 * up + down for note, up in zip(track["notes"], octaves)]
        assert sorted(pitches) == heard[track["name"]], track["name"]
    bass = next(track for track in view["tracks"] if track["name"] == "bass")
    assert any(bass["octaves"])  # it does not go below its lowest string


def test_the_menu_of_files_makes_what_is_asked_for(ode):
    take = make(ode, Settings(), [])
    offer = keeping.offer([take], 1)
    assert {row["label"] for row in offer["rows"]} >= {"Song", "MIDI", "Stems", "Lead sheet"}
    ready = set(offer["files"])
    assert {"midi", "midi-piano", "midi-bass", "project"} <= ready and "picture" not in ready
    made = keeping.make([take], 1, event(kind="sheet-musicxml"))
    assert made["files"]["sheet-musicxml"]["orig_name"] == "ode_to_joy_pop_0_lead_sheet.musicxml"
    assert set(made["files"]) > ready
    with pytest.raises(gr.Error):
        keeping.make([take], 1, event(kind="../../etc/passwd"))
