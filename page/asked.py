"""What an event asks for: the take that it is about, and its numbers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from page import studio, visits
from page.messages import NO_TAKE, refuse
from page.studio import Take


def take_of(takes: list[Take], number: int | None) -> Take:
    """Return a take by its number. Raises gr.Error where there is none."""
    take = studio.find(takes, number)
    if take is None:
        raise refuse(visits.missing(NO_TAKE))
    return take


@contextmanager
def at_work_on(takes: list[Take], number: int | None) -> Iterator[tuple[list[Take], Take]]:
    """Take the turn to make something of a take; give all takes as they are then, and that one.

    Args:
        takes: As the browser's state held them at the press.
        number: Of the take.

    Raises:
        gr.Error: There is no such take.
    """
    visit, pressed = visits.current(), time.monotonic()
    with visit.making():
        now = visit.takes(pressed, takes)
        yield now, take_of(now, number)


def number(event: Any, name: str) -> Any:
    """Return a number of an event as JSON holds it: a whole one is an int. Others check it."""
    found = getattr(event, name, None)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def whole(event: Any, name: str) -> int:
    """Return a whole number of an event; -1, which nothing has, where it has none."""
    found = number(event, name)
    return found if type(found) is int else -1
