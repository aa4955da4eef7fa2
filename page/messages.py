"""What the page says when something is missing or goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from accomp.errors import MusicError

NO_MELODY = "Open a melody first: a MIDI file, a recording, or one of the examples."
NO_TAKE = "Make a take first."


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn a MusicError into a gr.Error, whose words the page shows."""
    try:
        yield
    except MusicError as error:
        raise gr.Error(str(error)) from error
