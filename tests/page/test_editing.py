"""Notes, chords and bars that are edited: what changes, what stays, and what is remembered."""

import json
from dataclasses import replace
from types import SimpleNamespace as Event

import gradio as gr
import pytest

from accomp.band.chord_choices import Alternative
from accomp.band.finish import Finish
from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.source import Corrections, Source, load_source
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.project.settings import Settings
from accomp.roll.grid import BASS, DRUMS, MELODY
from page import chord_edits, editing, listing, melody_edits, models, reworking, studio, views
from page.limits import LIMITS
from page.melodies import EXAMPLES
from page.melody_edits import EditedSource
from page.seen import Seen
from page.views import MelodyView, TakeView
from tests.page.test_studio import make, play


@pytest.fixture(autouse=True)
def _tiny_models(monkeypatch):
    monkeypatch.setattr(models, "play", play)
    monkeypatch.setattr(models, "check_genre", lambda genre: None)


@pytest.fixture(scope="module")
def ode():
    return load_source(EXAMPLES["ode_to_joy"])


SEEN = Seen(tuple((number, Finish()) for number in (1, 2, 3)), 2)
SETTINGS = Settings(melody="ode_to_joy", seed=1)


def parts(result):
    """The MelodyView and the TakeView of an edit."""
    count = len(MelodyView._fields)
    return MelodyView(*result[:count]), TakeView(*result[count:])


def sent(notes):
    """What the browser sends: times from seconds, so that they are not quite the same."""
    return [[note.pitch, note.onset + 2e-4, note.duration - 1e-4, note.velocity] for note in notes]


def melody_notes(take):
    return take.song.tracks[MELODY].notes


def bars_that_differ(one, other, track):
    """Bars of 4/4, counted from 1, of each note that is not in both.

    A note counts by its nearest beat, and may be cut where a bar that is made anew begins.
    """
    notes, others = ({note[:2] for note in take.song.tracks[track].notes} for take in (one, other))
    return {int((onset + 0.2) // 4) + 1 for _, onset in notes ^ others}


def test_notes_that_come_back_are_the_ones_that_were_sent():
    known = [Note(60, 0.0, 1 / 3, 80), Note(62, 1 / 3, 2 / 3, 80)]
    assert melody_edits.read_notes(sent(known), known) == known
    moved = melody_edits.read_notes([[62, 0.3333, 1.0, 80], [60, 0.0001, 0.3333, 90]], known)
    assert moved == [Note(60, 0.0, 1 / 3, 90), Note(62, 32 / 96, 1.0, 80)]
    for strange in (
        "x",
        [[1]],
        [[60, -1, 1, 80]],
        [[60, 0, 0, 80]],
        [[300, 0, 1, 80]],
        [[60, 0, 1, 0]],
    ):
        with pytest.raises(MusicError, match="accepted"):
            melody_edits.read_notes(strange, known)


def test_bars_that_differ_are_those_of_the_notes_that_came_and_went():
    song = Score(meters=[TimeSignature(0.0, 3, 4)], tracks=[Track(notes=[Note(60, 0, 30, 80)])])
    before = [Note(60, 0.0, 1.0, 80), Note(62, 5.0, 2.0, 80), Note(64, 12.0, 3.0, 80)]
    after = [Note(60, 0.0, 1.0, 70), Note(62, 5.0, 1.0, 80), Note(65, 12.0, 3.0, 80)]
    assert melody_edits.changed_bars(song, before, after) == [2, 3, 5]
    assert melody_edits.changed_bars(song, before, before) == []
    assert melody_edits.spans([3, 2, 5, 9, 10]) == [(2, 3), (5, 5), (9, 10)]


def test_a_melody_alone_is_edited(ode):
    notes = sent(ode.score.tracks[0].notes)
    notes[0][0] += 1
    view, take = parts(editing.edit_melody([], None, ode, SETTINGS, Event(notes=notes, turn=7)))
    line = view.source.melody(view.settings.corrections).score.tracks[0].notes
    assert line[0].pitch == ode.score.tracks[0].notes[0].pitch + 1
    assert line[1:] == ode.score.tracks[0].notes[1:]
    assert (view.source.name, view.settings.melody) == ("ode_to_joy_edited", "")
    assert view.player["turn"] == 7 and take.takes == gr.skip()
    late, _ = parts(
        editing.edit_melody([], None, view.source, view.settings, Event(notes=sent(line), turn=6))
    )
    assert late.source == gr.skip()  # a later edit was here first
    with pytest.raises(gr.Error, match="at least one note"):
        editing.edit_melody([], None, ode, SETTINGS, Event(notes=[], turn=8))


def test_small_edits_are_one_take_whose_band_is_made_anew_where_the_melody_changed(ode):
    first = make(ode, SETTINGS, [])
    notes = sent(melody_notes(first))
    notes[1][0] += 2
    view, shown = parts(editing.edit_melody([first], 1, ode, SETTINGS, Event(notes=notes, turn=1)))
    draft = shown.takes[-1]
    assert [each.label for each in shown.takes] == [
        "Ode to joy · Pop",
        "Ode to joy edited · Pop: band unchanged",
    ]
    assert draft.song.tracks[BASS].notes == first.song.tracks[BASS].notes and draft.stale == [1]
    notes[20][0] -= 1
    view, shown = parts(
        editing.edit_melody(shown.takes, 2, view.source, view.settings, Event(notes=notes, turn=2))
    )
    assert len(shown.takes) == 2 and draft.stale == [1, 6]
    assert shown.player["stale"] == [1, 6] and shown.player["turn"] == 2
    _, *rest = editing.renew(shown.takes, 2, Event(all=False))
    takes = TakeView(*rest).takes
    new = takes[-1]
    assert new.label == "Ode to joy edited · Pop: bars 1, 6 anew"
    assert melody_notes(new) == melody_notes(draft) and new.stale == []
    for track in (BASS, DRUMS):
        assert bars_that_differ(first, new, track) <= {1, 6}
    assert [each.is_step for each in takes] == [False, True, False]
    with pytest.raises(gr.Error, match="this very melody already"):
        editing.renew(takes, 3, Event(all=False))
    _, *rest = editing.renew(takes, 2, Event(all=True))
    whole = TakeView(*rest).takes[-1]
    assert whole.stale == [] and melody_notes(whole) == melody_notes(draft)
    assert whole.label == "Ode to joy edited · Pop"


def test_an_edit_that_is_undone_leaves_nothing_to_be_made_anew(ode):
    first = make(ode, SETTINGS, [])
    notes = sent(melody_notes(first))
    notes[1][0] += 2
    view, shown = parts(editing.edit_melody([first], 1, ode, SETTINGS, Event(notes=notes, turn=1)))
    notes[1][0] -= 2
    _, shown = parts(
        editing.edit_melody(shown.takes, 2, view.source, view.settings, Event(notes=notes, turn=2))
    )
    assert shown.takes[-1].stale == [] and melody_notes(shown.takes[-1]) == melody_notes(first)


def test_with_an_introduction_the_melody_is_edited_where_it_is_in_the_song(ode):
    settings = SETTINGS.changed(intro="bars")
    first = make(ode, settings, [])
    notes = sent(melody_notes(first))
    assert notes[0][1] >= 8
    notes[0][0] += 1
    view, shown = parts(editing.edit_melody([first], 1, ode, settings, Event(notes=notes, turn=1)))
    line = view.source.melody(view.settings.corrections).score.tracks[0].notes
    assert line[0].onset == 0 and line[1:] == ode.score.tracks[0].notes[1:]
    _, *rest = editing.renew(shown.takes, 2, Event(all=False))
    assert TakeView(*rest).takes[-1].stale == []


def test_only_the_bars_of_other_chords_are_made_anew(ode):
    first = make(ode, SETTINGS, [])
    places = chord_edits.places(first.song)
    assert places[:3] == [0.0, 2.0, 4.0] and len(places) == 33
    before = chord_edits.chords_at(first.song, places[:-1])
    text, *rest = editing.change_chords([first], 1, Event(changes=[[4, "F#-7"], [5, "Eb/G"]]))
    new = TakeView(*rest).takes[-1]
    assert new.label == "Ode to joy · Pop: F#m7 Eb/G in bar 3"
    now = chord_edits.chords_at(new.song, places[:-1])
    assert now[4:6] == ["F#m7", "Eb/G"] and now[:4] + now[6:] == before[:4] + before[6:]
    assert new.settings.chords == text and "F#m7 Eb/G" in text
    assert all(bars_that_differ(first, new, track) <= {3} for track in (DRUMS, BASS))
    assert melody_notes(new) == melody_notes(first)
    # one step after another, of which the list has the last
    _, *rest = editing.change_chords([first, new], 2, Event(changes=[[0, "G"], [31, "G"]]))
    takes = TakeView(*rest).takes
    assert takes[-1].label == "Ode to joy · Pop: G in bars 1, 16"
    assert chord_edits.chords_at(takes[-1].song, [8.0]) == ["F#m7"]
    listed = listing.listed(takes, 3, SEEN, None)
    assert [row["number"] for row in listed.list["takes"]] == [1, 3]
    assert len(listed.kept["takes"]) == 2 and listed.kept["shown"] == 1
    back = listing.undo(takes, SEEN)
    assert TakeView(*back[1:]).number == 2
    for changes, message in (
        ([[0, "H7"]], "not known"),
        ([[99, "C"]], "chord 99"),
        ("x", "accepted"),
        ([[4, "F#m7"]], "there already"),
    ):
        with pytest.raises(gr.Error, match=message):
            editing.change_chords(takes, 2, Event(changes=changes))


def test_bars_of_one_player_are_played_anew(ode):
    first = make(ode, SETTINGS, [])
    event = Event(track="bass", bars=[3, 4], busy=1.0, high=None)
    _, *rest = editing.refill([first], 1, event)
    new = TakeView(*rest).takes[-1]
    assert new.label == "Ode to joy · Pop: bars 3–4 anew, only bass anew" and not new.is_edit
    assert bars_that_differ(first, new, BASS) <= {3, 4}
    assert bars_that_differ(first, new, BASS)
    assert new.song.tracks[DRUMS].notes == first.song.tracks[DRUMS].notes
    assert [track.controls for track in new.song.tracks] == [
        track.controls for track in first.song.tracks
    ]
    for wrong in ({"track": "flute"}, {"bars": [4, 3]}, {"bars": "all"}, {"busy": 3}):
        with pytest.raises(gr.Error, match="accepted"):
            editing.refill([first], 1, Event(**{**vars(event), **wrong}))


def test_chords_that_fit_are_offered_where_they_are_asked_for(ode, monkeypatch):
    first = make(ode, SETTINGS.changed(intro="bars"), [])
    asked = []

    def offer(genre, score, options, chords, place):
        asked.append((genre, chords[0].onset, place))
        return [Alternative("Am7", 0.42)], [place[0] + 16]

    monkeypatch.setattr(models, "offer", offer)
    places = chord_edits.places(first.song)
    answer = json.loads(editing.offer([first], 1, Event(place=6, asked=5)))
    assert asked == [("pop", -8.0, (places[6] - 8, editing.ALTERNATIVES))]
    assert answer == {"asked": 5, "alternatives": [["Am7", 42]], "returns": [14]}
    assert json.loads(editing.offer([first], 1, Event(place=999, asked=6)))["alternatives"] == []


def test_an_edited_take_is_kept_with_what_is_not_made_anew_yet(ode):
    first = make(ode, SETTINGS, [])
    notes = sent(melody_notes(first))
    del notes[3]
    _, shown = parts(editing.edit_melody([first], 1, ode, SETTINGS, Event(notes=notes, turn=1)))
    again = studio.unpacked(shown.takes[-1].packed, 5)
    assert again.stale == shown.takes[-1].stale == [1] and again.label == shown.takes[-1].label
    assert len(melody_notes(again)) == len(melody_notes(first)) - 1
    _, *rest = editing.renew([again], 5, Event(all=False))
    assert TakeView(*rest).takes[-1].stale == []


def test_what_is_seen_again_has_its_melody(ode):
    first = make(ode, SETTINGS, [])
    notes = sent(melody_notes(first))
    notes[0][0] += 1
    view, shown = parts(editing.edit_melody([first], 1, ode, SETTINGS, Event(notes=notes, turn=1)))
    back = editing.follow(shown.takes, 1, view.source, view.settings)
    assert back.source is ode and back.settings == SETTINGS
    forth = editing.follow(shown.takes, 2, ode, SETTINGS)
    line = forth.source.melody(forth.settings.corrections).score.tracks[0].notes
    assert line == view.source.score.tracks[0].notes
    assert editing.follow(shown.takes, 2, view.source, view.settings).source == gr.skip()
    other = load_source(EXAMPLES["greensleeves"])
    assert editing.follow(shown.takes, 1, other, Settings()).source == gr.skip()


def test_a_recording_sounds_with_its_edited_notes_until_its_beats_are_moved():
    sung = [SungNote(60 + step, 0.5 * step, 0.5 * step + 0.45, 80) for step in range(8)]
    recording = object()
    source = Source("hum", recording=recording, notes=sung)  # type: ignore[arg-type]
    melody = source.melody()
    notes = list(melody.score.tracks[0].notes)[1:]
    edited, settings = melody_edits.edited(source, Settings(), melody, notes)
    found = edited.melody(settings.corrections)
    assert found.recording is recording and found.transcription.score is found.score
    assert found.transcription.start == melody.transcription.start
    assert found.score.tracks[0].notes == notes
    slower = edited.melody(replace(settings.corrections, tempo=90.0))
    assert slower.recording is None and slower.transcription is None
    again, _ = melody_edits.edited(edited, settings, found, notes[1:])
    assert isinstance(again, EditedSource) and again.before is source


def test_steps_go_before_takes_and_stars_stay(ode):
    first = make(ode, SETTINGS, [])
    takes = [replace(first, number=n) for n in range(1, LIMITS.takes + 4)]
    takes[0].starred = True
    takes[1].is_step = takes[2].is_step = True
    left = [take.number for take in reworking.kept(takes, takes[3])]
    assert left == [1, 2, 3, 4, *range(6, LIMITS.takes + 4)]


def test_a_view_without_chords_offers_no_places(ode):
    melody = ode.melody(Corrections())
    view = studio.melody_view(melody)
    assert (view["places"], view["stale"], view["turn"]) == ([], [], 0)
    assert view["family"] == "ode_to_joy" and view["clock"] == [[0.0, 0.0], [1.0, 0.5]]
    assert views.unchanged(TakeView).takes == gr.skip()
