"""What the page says when something is missing or goes wrong.

Gradio shows messages as HTML and facts as Markdown; here, and only here, text is made safe for
them: the names of files and tracks, and what an address says, come from strangers.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape

import gradio as gr

from accomp.errors import MusicError
from page.words import said_by_library, say

NO_MELODY = "Open a melody first: a MIDI file, a recording, or one of the examples."
NOBODY = "Nobody plays: choose at least one instrument."
NO_TAKE = "Make a take first."
LONGEST = 600  # characters of a message: one that quotes a stranger's text has an end, too

_for_programs: ContextVar[bool] = ContextVar("_for_programs", default=False)


class Refusal(gr.Error):
    """What the visitor asked for is not possible, and why; no fault of the page's.

    Attributes:
        words: The reason as plain text.
    """

    def __init__(self, words: str):
        self.words = words
        super().__init__(_shown(words), title=say("Not possible"), print_exception=False)


def refuse(text: str, /, **values: object) -> Refusal:
    """Return the error that tells a visitor why something is not possible; see `say`."""
    return Refusal(say(text, **values))


def warn(text: str, /, **values: object) -> None:
    """Show a warning; see `say`."""
    words = say(text, **values) if values else said_by_library(say(text))
    gr.Warning(_shown(words), title=say("Note"))


def tell(text: str, /, **values: object) -> None:
    """Show a notice; see `say`."""
    words = say(text, **values) if values else said_by_library(say(text))
    gr.Info(_shown(words), title=say("Note"))


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn a MusicError into a Refusal, whose words the page shows."""
    try:
        yield
    except MusicError as error:
        raise Refusal(said_by_library(str(error))) from error


@contextmanager
def for_programs() -> Iterator[None]:
    """Leave messages as plain text: a program calls, which shows no HTML."""
    before = _for_programs.set(True)
    try:
        yield
    finally:
        _for_programs.reset(before)


def plain(text: str) -> str:
    """Return a stranger's text for Markdown, which shows it as it is.

    Each mark is written as an HTML entity, which Markdown takes for nothing but its character.
    """
    return re.sub(r"[^\w\s]|_", lambda mark: f"&#{ord(mark[0])};", text)


def _shown(words: str) -> str:
    """Return a message's words as HTML that shows them as they are; for programs as they are."""
    short = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    return short if _for_programs.get() else escape(short, quote=False)
