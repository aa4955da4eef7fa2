"""The page as visitors have it: app.py in a process of its own, with its models, in a browser."""

import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from accomp import genres, read_midi
from tests.page.web.visitor import DESK, HUMMED_TEMPO, ODE, PATIENCE, SOUNDING, Visitor, written
from tests.support.browser import chromium, watched_page  # noqa: F401  a fixture
from tests.support.server import serving
from train.data import voices
from train.data.voices import Manner

HINDERED = {
    "FluidSynth is not installed": shutil.which("fluidsynth") is None,
    "needs Linux's /proc": not Path("/proc/self/status").exists(),
    "no models are there": not genres(),
}


@pytest.fixture(scope="package")
def server():
    """The page for all tests of the folder: its start takes as long as a test."""
    for reason, is_so in HINDERED.items():
        if is_so:
            pytest.skip(reason)
    with serving() as server:
        yield server


@pytest.fixture
def visit(chromium, server):  # noqa: F811
    """visit(query="", flags=..., scripts=(), **context) -> Visitor, each in a context of its own.

    At the end no page may have logged an error or asked another host.
    """
    opened = []

    @contextmanager
    def visiting(
        query: str = "", flags=SOUNDING, ready: str = "Play it with a band", scripts=(), **context
    ):
        with watched_page(chromium(*flags), **{"viewport": DESK, **context}) as (page, watch):
            opened.append(watch)
            for script in scripts:
                page.add_init_script(script)
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(server.url + query)
            page.get_by_role("button", name=ready).wait_for()
            yield Visitor(page)

    yield visiting
    for watch in opened:
        # Gradio refuses its own requests to cancel what was begun a moment ago (422), or is being
        # cancelled already (500).
        assert (
            not [
                error
                for error in watch.errors
                if not re.search("/gradio_api/(cancel|reset)", error)
            ]
            and not watch.foreign
        )


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    """Eight bars for the piano, at 150, so that its sound is there soon."""
    return written(tmp_path_factory.mktemp("tunes") / "little tune.mid", range(32))


@pytest.fixture(scope="module")
def hummed(tmp_path_factory):
    """The first six bars of the Ode, hummed: samples at RATE."""
    notes = read_midi(ODE).tracks[0].notes[:22]
    line = [(note.pitch - 12, note.onset, note.duration) for note in notes]
    sung, _, _ = voices.perform(line, np.random.default_rng(2), HUMMED_TEMPO, 0.0, 0.01)
    sound = voices.voice(sung, Manner((0.1, 0.2)), np.random.default_rng(3), "hum")
    return voices.record(sound, np.random.default_rng(4), 30)
