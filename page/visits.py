"""What a visitor does at a time: no press is lost, and what was wished last is what is shown.

The browser sends every press at once, with what it knew then. Here those of one visitor wait for
one another, so that each goes on from the melody and the takes of the one before. A melody that is
opened goes before what waits, and makes its forerunners give up.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from typing import Any, TypeVar

from gradio.context import LocalContext

from accomp.errors import Stopped
from accomp.listen.source import Source
from accomp.project.settings import Settings
from page.limits import LIMITS

Made = TypeVar("Made")
SETTLED = 1.0  # seconds within which the browser's state holds what a handler returned
LOST = "The server has started anew since you opened the page. Reload it: your takes are kept here."
FORGOTTEN = 600.0  # seconds after a visitor's last press


class Superseded(Stopped):
    """A newer melody was opened, so that nobody waits for this one any more."""


class Visit:
    """One visitor's presses. A handler takes its turn with `opening`, `correcting` or `making`."""

    def __init__(self):
        self.used = time.monotonic()
        self._changed = threading.Condition()
        self._owner: int | None = None  # the thread whose turn it is
        self._openings = self._pending = self._stops = 0
        self._begun = (0, 0)  # openings and stops when the turn was taken
        self._melody: tuple[float, Source, Settings] | None = None
        self._first = self._melody  # with which the page opened
        self._made: deque[tuple[float, Any]] = deque(maxlen=LIMITS.takes)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Take the turn to open a melody: what is made for an older one gives up.

        Raises:
            Superseded: A newer one was opened meanwhile.
            Stopped: The visitor pressed Stop, or went away.
        """
        with self._changed:
            self._openings += self._owner != threading.get_ident()
        with self.correcting():
            yield

    @contextmanager
    def correcting(self) -> Iterator[None]:
        """Take the turn to change the melody that is open. Raises what `opening` does."""
        with self._changed:
            self._pending += 1
        try:
            with self._turn(lambda: True):
                yield
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    @contextmanager
    def making(self) -> Iterator[None]:
        """Take the turn to make something of a melody, when none waits to be opened or changed.

        Raises what `opening` does.
        """
        with self._turn(lambda: not self._pending):
            yield

    @contextmanager
    def _turn(self, may: Callable[[], bool]) -> Iterator[None]:
        if self._owner == threading.get_ident():
            yield
            return
        begun = (self._openings, self._stops)
        with self._changed:
            while self._owner is not None or not may():
                self._changed.wait(LIMITS.moment)
                self._check(begun)
            self._check(begun)
            self._owner = threading.get_ident()
            # Makers that waited for a newer melody begin with that one.
            self._begun = (self._openings, self._stops)
        try:
            yield
            self._check(self._begun)
        finally:
            with self._changed:
                self._owner = None
                self._changed.notify_all()

    def _check(self, begun: tuple[int, int]) -> None:
        """Raise Superseded or Stopped where something newer was wished since `begun`."""
        if self._stops != begun[1] or is_abandoned():
            raise Stopped
        if self._openings != begun[0]:
            raise Superseded

    def watched(self, work: Callable[[], Made]) -> Made:
        """Return what `work` makes; give up waiting for it as soon as nobody wishes it any more.

        Raises what `opening` does.
        """
        is_turn = self._owner == threading.get_ident()
        begun = self._begun if is_turn else (self._openings, self._stops)
        future = _workers.submit(copy_context().run, work)
        while not wait([future], timeout=LIMITS.moment).done:
            self._check(begun)
        return future.result()

    def made_for(
        self,
        source: Source | None,
        settings: Settings,
        takes: list,
        work: Callable[[Source | None, Settings, list], Made],
    ) -> Made:
        """Return what `work` makes of the melody, settings and takes as they are at its turn.

        Where another melody is opened meanwhile, it is made of that one instead.

        Args:
            source: The melody that the browser's state held at the press.
            settings: Its settings.
            takes: All takes.
            work: Makes it.
        """
        pressed = time.monotonic()
        while True:
            try:
                with self.making():
                    return work(*self.melody(pressed, source, settings), self.takes(pressed, takes))
            except Superseded:
                continue

    def melody(
        self, pressed: float, source: Source | None, settings: Settings
    ) -> tuple[Source | None, Settings]:
        """Return the melody that is open, and its settings.

        Args:
            pressed: When the visitor pressed the button, in seconds of time.monotonic.
            source: The melody that the browser's state held then.
            settings: Its settings.
        """
        if self._melody and self._melody[0] > pressed - SETTLED:
            return self._melody[1], self._melody[2]
        return source, settings

    def takes(self, pressed: float, takes: list) -> list:
        """Return all takes: those of the browser's state, and those made since the press."""
        late = [take for at, take in self._made if at > pressed - SETTLED]
        known = {id(take) for take in takes}
        return [*takes, *(take for take in late if id(take) not in known)]

    def note_melody(self, source: Source, settings: Settings) -> None:
        """Remember the melody that is open now."""
        self._melody = time.monotonic(), source, settings

    def note_first(self) -> None:
        """Remember that the page opens with the melody that is open now."""
        self._first = self._melody

    def after_first(self) -> tuple[Source, Settings] | None:
        """Return the melody that is open now, where the page opened with another one."""
        if self._first is None or self._melody is None or self._melody is self._first:
            return None
        return self._melody[1:]

    @property
    def has_melody(self) -> bool:
        """Whether a melody was opened."""
        return self._melody is not None

    def is_open(self, source: Source, settings: Settings) -> bool:
        """Tell whether no other melody was opened, and this one was not corrected."""
        return self._melody is None or self._melody[1:] == (source, settings)

    def note_take(self, take: Any) -> None:
        """Remember a take that was made."""
        self._made.append((time.monotonic(), take))

    @property
    def stops(self) -> int:
        """How often Stop was pressed."""
        return self._stops

    def stop(self) -> None:
        """Give up all that this visitor waits for."""
        with self._changed:
            self._stops += 1
            self._changed.notify_all()


def opens(handle: Callable[..., Made]) -> Callable[..., Made]:
    """Decorate a handler that opens a melody."""

    @wraps(handle)
    def opened(*args: Any, **kwargs: Any) -> Made:
        with current().opening():
            return handle(*args, **kwargs)

    return opened


def current() -> Visit:
    """Return the visit of whoever's event is handled."""
    request = LocalContext.request.get(None)
    name = getattr(request, "session_hash", None)
    if name is None:  # no visitor's: a program's call, or a test
        return Visit()
    now = time.monotonic()
    with _lock:
        visit = _visits.setdefault(name, Visit())
        visit.used = now
        _visits.move_to_end(name)
        while now - next(iter(_visits.values())).used > FORGOTTEN:
            _visits.popitem(last=False)
    return visit


def greet() -> None:
    """Remember that a visitor opened the page here."""
    name = getattr(LocalContext.request.get(None), "session_hash", None)
    with _lock:
        _greeted[name] = None
        if len(_greeted) > LIMITS.greeted:
            _greeted.popitem(last=False)


def missing(text: str) -> str:
    """Return why something is not there: a text, or that the server does not know the visitor.

    So it is where the page was opened at another replica, or before the server's last start.
    """
    name = getattr(LocalContext.request.get(None), "session_hash", None)
    return text if name is None or name in _greeted else LOST


def close() -> None:
    """Give up all that is done, as the page ends."""
    closing.set()


def asked_to_stop() -> Callable[[], bool]:
    """Return what tells, in any thread, whether nobody waits any more for what is done now."""
    visit, context = current(), copy_context()
    stops = visit.stops
    return lambda: visit.stops != stops or context.copy().run(is_abandoned)


def is_abandoned() -> bool:
    """Tell whether nobody waits for what is done now: who asked has gone, or the page ends."""
    if closing.is_set():
        return True
    blocks, event = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or event is None:
        return False
    known = blocks._queue.event_ids_to_events.get(event)  # Gradio tells it nowhere else
    return known is not None and not known.alive


closing = threading.Event()  # the page ends
_visits: OrderedDict[str, Visit] = OrderedDict()
_greeted: OrderedDict[str | None, None] = OrderedDict()
_lock = threading.Lock()
_workers = ThreadPoolExecutor(2 * LIMITS.at_once, "work")
