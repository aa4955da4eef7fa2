"""Presses of one visitor: none is lost, and what was wished last is what is shown."""

import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from accomp.errors import Stopped
from accomp.listen.source import load_source
from accomp.project.choices import BAND
from accomp.project.settings import Settings
from page import journal, listing, melodies, models, opening, taking, views, visits
from page.forms import BandForm
from page.melodies import EXAMPLES
from page.seen import Seen
from page.visits import Visit
from tests.page.test_studio import make, play

ODE, AULD = EXAMPLES["ode_to_joy"], EXAMPLES["auld_lang_syne"]
FORM = BandForm("pop", 0, 0.0, "", 0.5, "none", list(BAND), "", "", 0.5, 0.5)


@contextmanager
def visitor(name: str):
    before = LocalContext.request.set(SimpleNamespace(session_hash=name, headers={}))
    try:
        yield
    finally:
        LocalContext.request.reset(before)


@pytest.fixture
def ode_takes():
    return [make(load_source(ODE), Settings("ode_to_joy", seed=1), [])]


class Press(threading.Thread):
    """A visitor's press, handled in a thread as Gradio does it."""

    def __init__(self, name, handle, *args):
        super().__init__(daemon=True)
        self.name, self.handle, self.args = name, journal.noted(handle, "press"), args
        self.start()

    def run(self):
        with visitor(self.name):
            self.result = self.handle(*self.args)

    def ends(self):
        self.join(20)
        assert not self.is_alive()
        return self.result


@pytest.fixture
def slow(monkeypatch):
    """Bands take until they may."""
    monkeypatch.setattr(models, "check_genre", lambda _: None)
    begun, may = threading.Event(), threading.Event()

    def waits(*args):
        begun.set()
        assert may.wait(20)
        return play(*args)

    monkeypatch.setattr(models, "play", waits)
    yield SimpleNamespace(begun=begun, may=may)
    may.set()


def test_a_melody_that_is_opened_meanwhile_gets_the_band(slow):
    old = load_source(AULD)
    press = Press("one", taking.generate, old, Settings(), [], None, *FORM)
    assert slow.begun.wait(5)
    opened = Press("one", melodies.open_file, ODE).ends()  # it does not wait for the old band
    again = Press("one", taking.generate, old, Settings(), [], None, *FORM)  # as the browser knew
    slow.may.set()
    shown = press.ends()
    assert [take.melody.name for take in shown.takes] == ["ode_to_joy"]
    assert opened.source.name == "ode_to_joy"
    assert again.ends().takes == shown.takes  # the same wish: the same take


def test_of_two_melodies_the_later_one_is_opened(monkeypatch):
    may = threading.Event()

    def loads(path, click, **_):
        assert path == ODE or may.wait(20)
        return load_source(path, click)

    monkeypatch.setattr(melodies, "load_source", loads)
    first = Press("two", melodies.open_file, AULD)
    time.sleep(0.1)
    assert Press("two", melodies.open_file, ODE).ends().source.name == "ode_to_joy"
    assert first.ends() == journal.gr.skip()
    may.set()


def test_a_melody_that_is_opened_before_the_page_was_stays(ode_takes):
    opened = Press("early", melodies.open_file, AULD).ends()
    kept = listing.listed(ode_takes, 1, Seen(), None).kept
    request = SimpleNamespace(query_params={"melody": "ode_to_joy"})
    page = Press("early", opening.open_page, kept, "", "", request).ends()
    assert page[: len(opened)] == tuple(journal.gr.skip() for _ in opened)
    takes = views.TakeView(*page[-1 - len(views.TakeView._fields) : -1]).takes
    assert [take.melody.name for take in takes] == ["ode_to_joy"]


def test_a_melody_that_is_opened_while_the_page_opens_stays(monkeypatch, ode_takes):
    begun, may = threading.Event(), threading.Event()

    def waits(*args):
        begun.set()
        assert may.wait(20)
        return load_source(ODE)

    monkeypatch.setattr(melodies, "melody_of", waits)
    kept = listing.listed(ode_takes, 1, Seen(), None).kept
    page = Press(
        "slow page",
        opening.open_page,
        kept,
        "",
        "",
        SimpleNamespace(query_params={"melody": "ode_to_joy"}),
    )
    assert begun.wait(5)
    file = Press("slow page", melodies.open_file, AULD)
    time.sleep(0.1)
    may.set()
    assert file.ends().source.name == "auld_lang_syne"
    found = page.ends()
    assert found[0] == journal.gr.skip()
    assert len(views.TakeView(*found[-1 - len(views.TakeView._fields) : -1]).takes) == 1


def test_a_melody_that_overtakes_the_page_on_its_way_is_shown_again():
    request = SimpleNamespace(query_params={})
    Press("overtaken", opening.open_page, None, "", "", request).ends()
    assert Press("overtaken", opening.catch_up).ends().source == journal.gr.skip()
    Press("overtaken", melodies.open_file, AULD).ends()
    assert Press("overtaken", opening.catch_up).ends().source.name == "auld_lang_syne"


def test_fast_corrections_all_count():
    source = load_source(ODE)
    move = melodies.move_bar_lines(1)
    with visitor("three"):
        views.opened(source, Settings())
    presses = [Press("three", move, source, Settings()) for _ in range(4)]
    laters = sorted(press.ends().settings.corrections.later for press in presses)
    assert laters == [1, 2, 3, 4]


def test_takes_that_are_pressed_at_once_are_all_kept(slow):
    slow.may.set()
    source = load_source(ODE)
    seeds = [
        Press("four", taking.generate, source, Settings(), [], None, *FORM._replace(seed=seed))
        for seed in range(3)
    ]
    most = max((press.ends().takes for press in seeds), key=len)
    assert sorted(take.settings.seed for take in most) == [0, 1, 2]
    assert [take.number for take in most] == [1, 2, 3]


def test_stop_gives_up_at_once_and_another_press_works(slow):
    source = load_source(ODE)
    press = Press("five", taking.three, source, Settings(), [], None, *FORM)
    assert slow.begun.wait(5)
    begun = time.monotonic()
    assert Press("five", views.stop, []).ends() == "Stopped."
    assert press.ends() == journal.gr.skip() and time.monotonic() - begun < 2
    slow.may.set()
    takes = Press("five", taking.generate, source, Settings(), [], None, *FORM).ends().takes
    assert len(takes) == 1


def test_one_visitor_does_not_stop_another(slow):
    source = load_source(ODE)
    press = Press("six", taking.generate, source, Settings(), [], None, *FORM)
    assert slow.begun.wait(5)
    Press("seven", melodies.open_file, AULD).ends()
    Press("seven", views.stop, []).ends()
    slow.may.set()
    assert press.ends().takes[0].melody.name == "ode_to_joy"


def test_what_nobody_waits_for_is_given_up():
    event = SimpleNamespace(alive=True)
    queue = SimpleNamespace(event_ids_to_events={"id": event})
    tokens = [
        (LocalContext.blocks, LocalContext.blocks.set(SimpleNamespace(_queue=queue))),
        (LocalContext.event_id, LocalContext.event_id.set("id")),
    ]
    try:
        visit, endless = Visit(), threading.Event()
        assert not visits.is_abandoned() and visit.watched(lambda: 1) == 1
        threading.Timer(0.2, lambda: setattr(event, "alive", False)).start()
        with pytest.raises(Stopped):
            visit.watched(lambda: endless.wait(20))
    finally:
        endless.set()
        for variable, token in tokens:
            variable.reset(token)


def test_visits_are_forgotten(monkeypatch):
    monkeypatch.setattr(visits, "_visits", visits.OrderedDict())
    with visitor("old"):
        first = visits.current()
        assert visits.current() is first
        first.used -= visits.FORGOTTEN + 1
    with visitor("new"):
        visits.current()
    with visitor("old"):
        assert visits.current() is not first


def test_whom_the_server_does_not_know_is_told_to_reload():
    with visitor("lost"):
        assert visits.missing("Open a melody first.") == visits.LOST
        visits.greet()
        assert visits.missing("Open a melody first.") == "Open a melody first."
    assert visits.missing("Open a melody first.") == "Open a melody first."  # a program
