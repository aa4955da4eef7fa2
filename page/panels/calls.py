"""The calls for programs: invisible buttons, with their inputs and outputs."""

from typing import Any, NamedTuple

import gradio as gr

from accomp.band.options import INTROS
from accomp.invention.invent import VARIATION as USUAL_MELODY_VARIATION
from page.api import INVENTED_BARS
from page.models import GENRES
from page.panels.band import first_genre
from page.settings import Settings


class Calls(NamedTuple):
    """The calls for programs: invisible buttons, with their inputs and outputs."""

    accompany: gr.Button
    melody_and_choices: list[Any]
    song: list[Any]
    invent: gr.Button
    choices: list[Any]
    melody: list[Any]


def calls() -> Calls:
    """Add the calls for programs, whose labels are the names of their arguments."""
    with gr.Row(visible=False):
        melody_and_choices = [
            gr.File(label="melody", type="filepath"),
            _called_genre(),
            gr.Number(0, label="seed", precision=0),
            gr.Textbox("", label="chords"),
            gr.Dropdown(list(INTROS), value="none", label="intro", allow_custom_value=True),
            gr.Textbox("", label="style"),
            gr.Number(Settings.style_factor, label="style_factor"),
        ]
        song = [
            gr.Audio(label="sound", type="filepath"),
            gr.Image(label="picture", type="filepath"),
            gr.File(label="MIDI"),
            gr.Textbox(label="chords that were played"),
        ]
        choices = [
            _called_genre(),
            gr.Number(INVENTED_BARS, label="bars"),
            gr.Number(0, label="seed"),
            gr.Number(USUAL_MELODY_VARIATION, label="variation"),
        ]
        melody = [gr.File(label="MIDI"), gr.Textbox(label="chords")]
        accompany, invent = gr.Button(), gr.Button()
    return Calls(accompany, melody_and_choices, song, invent, choices, melody)


def _called_genre() -> gr.Dropdown:
    return gr.Dropdown(GENRES, value=first_genre(), label="genre", allow_custom_value=True)
