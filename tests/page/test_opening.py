"""The page is opened: for the first time, again, and by a link."""

import json
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import gradio as gr
import pytest

from accomp.listen.source import load_source
from accomp.project.settings import Settings
from page import listing, opening, studio
from page.editing import kept_melody
from page.forms import BandForm
from page.melody_edits import edited
from page.opening import Opened, open_page
from page.seen import Seen
from page.studio import Remake
from page.views import MelodyView, TakeView
from tests.page.test_studio import EXAMPLES, make


@pytest.fixture(scope="module")
def ode():
    return load_source(EXAMPLES / "ode_to_joy.mid")


def visited(address: str = "", kept=None, draft="") -> Opened:
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return grouped(open_page(kept, fragment, draft, SimpleNamespace(query_params=query)))


def grouped(values: tuple) -> Opened:
    first, second = len(MelodyView._fields), len(MelodyView._fields) + len(BandForm._fields)
    return Opened(
        MelodyView(*values[:first]),
        BandForm(*values[first:second]),
        TakeView(*values[second:-1]),
        values[-1],
    )


def test_at_first_an_example_is_open():
    found = visited()
    assert found.melody.settings.melody == found.melody.example == "ode_to_joy"
    assert found.take.takes == gr.skip() and found.make == gr.skip()


def test_takes_survive_until_the_next_visit(ode):
    first = make(ode, Settings("ode_to_joy", seed=1), [])
    second = make(ode, Settings("ode_to_joy", seed=2), [first], Remake(first, ["drums"]))
    first.title, first.starred = "My best", True
    kept = listing.listed([first, second], 1, Seen(), None).kept
    found = visited(kept=json.loads(json.dumps(kept)))
    assert [take.label for take in found.take.takes] == ["My best", second.label]
    assert found.take.number == 1 and found.take.takes[0].starred
    assert found.melody.source.name == "ode_to_joy" and found.form.seed == 1


@pytest.mark.parametrize("kept", [None, [], {"takes": "x"}, {"takes": [1, "abc"], "shown": "x"}])
def test_what_cannot_be_read_is_left_out(kept):
    assert visited(kept=kept).melody.example == "ode_to_joy"


def test_a_link_that_holds_a_take_opens_with_it(ode):
    first = make(ode, Settings(seed=1), [])
    take = make(ode, Settings(seed=2), [first], Remake(first, ["drums"]))
    found = visited(take.address)
    assert found.take.player["title"] == take.label and found.make == gr.skip()
    assert found.melody.source.name == "ode_to_joy"
    kept = listing.listed([take], 1, Seen(), None).kept
    assert len(visited(take.address, kept).take.takes) == 1  # it is there already


def test_a_link_of_settings_makes_their_take_once(ode):
    take = make(ode, Settings("ode_to_joy", seed=2), [])
    found = visited(take.address)
    assert found.make != gr.skip() and found.form.seed == 2
    kept = listing.listed([take], 1, Seen(), None).kept
    found = visited(take.address, kept)
    assert found.make == gr.skip() and found.take.number == 1


@pytest.mark.parametrize(
    "address", ["?seed=many", "#take=abc", "?genre=pop&seed=1#take=" + "A" * 99]
)
def test_a_link_that_is_not_understood_says_so(address):
    with pytest.warns(UserWarning, match="link was not understood"):
        assert visited(address).melody.example == "ode_to_joy"


def test_a_settings_file_that_holds_a_take_brings_it_back(ode, tmp_path):
    first = make(ode, Settings(seed=1), [])
    take = make(ode, Settings(seed=2), [first], Remake(first, ["drums"]))
    found = grouped(opening.open_file(None, [first], str(take.files[1])))
    assert [each.label for each in found.take.takes] == [first.label, take.label]
    assert found.take.number == 2 and found.melody.source.name == "ode_to_joy"
    plain = make(ode, Settings("ode_to_joy", genre="jazz"), [])
    found = grouped(opening.open_file(None, [first], str(plain.files[1])))
    assert found.form.genre == "jazz" and len(found.take.takes) == 2
    assert found.melody.settings.melody == "ode_to_joy"  # it is the example, not a copy of it
    choices = tmp_path / "settings.json"
    choices.write_text(plain.settings.to_json())
    found = grouped(opening.open_file(None, [first], str(choices)))
    assert found.form.genre == "jazz" and found.take.takes == gr.skip()


def of(number: int, **more) -> SimpleNamespace:
    return SimpleNamespace(number=number, **more)


def test_takes_are_named_starred_and_deleted(ode):
    takes = [make(ode, Settings(), [])]
    takes.append(make(ode, Settings(seed=1), takes))
    listing.rename(takes, of(2, title="  A  new\nname "))
    listing.rename(takes, of(1, title="  "))
    listing.star(takes, of(1))
    rows = listing.listed(takes, 2, Seen(), None).list["takes"]
    assert [row["title"] for row in rows] == ["Ode to joy · Pop", "A new name"]
    assert [row["starred"] for row in rows] == [True, False]
    gone, *view = listing.delete(takes, 2, ode, Settings(), of(2))
    view = TakeView(*view)
    assert gone is takes[1] and view.number == 1 and view.takes == takes[:1]
    nothing, *view = listing.bring_back(view.takes, gone)
    assert nothing is None and TakeView(*view).takes == takes
    _, *view = listing.delete(takes[:1], 1, ode, Settings(), of(1))
    view = TakeView(*view)
    assert view.takes == [] and view.number is None and len(view.player["tracks"]) == 1
    with pytest.raises(gr.Error):
        listing.delete(takes, 2, ode, Settings(), of(9))


def test_the_way_back_is_listed(ode):
    takes = [make(ode, Settings(), [])]
    takes.append(make(ode, Settings(seed=1), takes))
    seen = listing.listed(takes, 1, Seen(), None).seen
    found = listing.listed(takes, 2, seen, None)
    assert found.list["earlier"] and not found.list["later"]
    seen, *view = listing.undo(takes, found.seen)
    assert TakeView(*view).number == 1 and seen.has_later
    seen, *view = listing.redo(takes, seen)
    assert TakeView(*view).number == 2


def test_it_says_when_the_take_is_of_another_melody(ode):
    take = make(ode, Settings(), [])
    assert listing.notice([take], 1, ode, Settings()) == ""
    other = load_source(EXAMPLES / "greensleeves.mid")
    words = listing.notice([take], 1, other, Settings())
    assert "another melody" in words and "Greensleeves" in words
    assert listing.notice([], None, other, Settings()) == ""
    assert studio.find([take], 1) is take


def test_an_edited_melody_without_a_take_is_there_again(ode):
    melody = ode.melody()
    notes = [note._replace(pitch=note.pitch + 1) for note in melody.score.tracks[0].notes]
    source, settings = edited(ode, Settings(melody="ode_to_joy"), melody, notes)
    draft = kept_melody([], source, settings)
    found = visited(draft=draft).melody
    again = found.source.melody(found.settings.corrections)
    assert again.score.tracks[0].notes == notes and found.source.name == "ode_to_joy_edited"
    assert str(again.key) == str(melody.key)
    assert kept_melody([], ode, Settings()) == ""
    assert visited(draft="nonsense").melody.source.name == "ode_to_joy"
