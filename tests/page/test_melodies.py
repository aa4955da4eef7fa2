"""A recording is counted in another way, and its doubtful notes come back, by one press each."""

import gradio as gr
import pytest

from accomp.listen.beat_grid import SungNote
from accomp.listen.source import Source, load_source
from accomp.project.settings import Settings
from page import melodies, views
from tests.listen.test_beats import EXAMPLES, sung, tune


@pytest.fixture(scope="module")
def hummed():
    notes = [SungNote(*note) for note in sung(*tune("auld_lang_syne", 92), jitter=0.02)[0][:24]]
    breath = SungNote(50, notes[-1].offset + 0.3, notes[-1].offset + 0.35, 40, confidence=0.1)
    return Source("hum", notes=[*notes, breath])


def test_another_way_of_counting_is_one_press(hummed):
    first = views.understood(hummed, Settings())
    labels = [label for label, _ in first.ways.choices]
    assert first.ways.visible and first.ways.value == 0 and len(labels) > 1
    assert labels[0].startswith("4/4, a bar line at ") and labels[0].endswith(" %)")
    second = melodies.count_as(hummed, Settings(), 1)
    assert second.ways.value == 1 and [label for label, _ in second.ways.choices] == labels
    assert second.settings.corrections.downbeat is not None
    back = melodies.count_as(hummed, second.settings, 0)
    assert back.ways.value == 0
    with pytest.raises(gr.Error, match="no such way"):
        melodies.count_as(hummed, Settings(), 7)


def test_doubtful_notes_come_back(hummed):
    first = views.understood(hummed, Settings())
    assert first.tidy.value and first.tidy.visible
    kept = melodies.tidy_up(hummed, Settings(), False)
    assert kept.settings.corrections.keep_doubtful and not kept.tidy.value
    counts = [
        sum(len(track["notes"]) for track in view.player["tracks"][:1]) for view in (first, kept)
    ]
    assert counts == [24, 25]
    notes = kept.player["tracks"][0]["notes"]
    assert len(notes[0]) == 4 and notes[-1][4] == 0.1  # which the roll draws paler


def test_a_midi_file_has_neither():
    view = views.understood(load_source(EXAMPLES / "ode_to_joy.mid"), Settings())
    assert not view.ways.visible and not view.tidy.visible
