"""The widgets of the calls for programs, which nobody sees, and their descriptions.

What a call and its arguments are for stands once, in the docstrings of page.api; view_api, the
page "Use via API" and MCP show it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.utils import get_function_description

from accomp.band.options import INTROS
from accomp.invention.invent import VARIATION
from accomp.project.choices import BAND
from accomp.project.settings import Settings
from page import api, api_songs, models
from page.files import uploads

OWN_FILE = "/gradio_api/file="  # in the address of a file that this page made


class GivenFile(gr.File):
    """A file that a program gives, also by the address that another call of this page returned.

    Gradio itself refuses to fetch from this computer, where the page may be.
    """

    is_template = True

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> Any:
        """Return the path of a file in Gradio's folder."""
        own = _own_file(str(url_or_file_path))
        return own or await super().async_move_resource_to_block_cache(url_or_file_path)


class GivenNumber(gr.Number):
    """A number that a program gives, as it is: page.api checks it and says what is accepted."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return what was given."""
        return payload


class GivenNames(gr.JSON):
    """Names that a program gives."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        """Describe the value for programs."""
        return {"type": "array", "items": {"type": "string"}}

    def example_payload(self) -> list[str]:
        """Return an example of the value."""
        return list(BAND)


class GivenTexts(GivenNames):
    """Texts that a program gives, of which an example is known; none where it gives none."""

    is_template = True

    def __init__(self, example: list[str] | None = None, **known: Any):
        super().__init__(None, **known)
        self.example = example or []

    def get_block_name(self) -> str:
        """Return the widget that Gradio's page has: it knows that of a class's parent alone."""
        return "json"

    def example_payload(self) -> list[str]:
        """Return an example of the value."""
        return self.example


def connect(genres: list[str], first: str | None, limits: dict[str, Any]) -> None:
    """Add the calls, in the order in which programs read of them.

    Args:
        genres: All that are served.
        first: The one that is taken where a program names none.
        limits: Arguments of the events of calls that make music.
    """
    with gr.Row(visible=False):
        song = [
            gr.Audio(label="sound", type="filepath"),
            gr.Image(label="picture", type="filepath"),
            gr.File(label="MIDI"),
            gr.Textbox(label="chords that were played"),
        ]
        _add(api.accompany, _of_song(genres, first), song, limits)
        choices = [
            _genre(genres, first),
            GivenNumber(api.INVENTED_BARS, label="bars", precision=0),
            GivenNumber(0, label="seed", precision=0),
            GivenNumber(VARIATION, label="variation"),
        ]
        _add(api.invent, choices, [gr.File(label="MIDI"), gr.Textbox(label="chords")], limits)
        files = [gr.File(label="stems"), gr.File(label="MIDI")]
        _add(api.stems, _of_song(genres, first), files, limits)
        kept = [gr.File(label="project"), gr.File(label="MIDI")]
        _add(api_songs.project, _of_song(genres, first), kept, limits)
        changes = [
            GivenFile(label="song", type="filepath"),
            GivenTexts(["5: Dm7 G7"], label="chord"),
            GivenTexts(["bass:9-12:busy=0.8"], label="redo"),
            GivenNumber(label="transpose", precision=0),
            GivenNumber(label="tempo"),
            GivenTexts(["piano=flute"], label="program"),
            gr.Textbox("", label="ensemble"),
        ]
        changed = [
            gr.Audio(label="sound", type="filepath"),
            gr.Image(label="picture", type="filepath"),
            gr.File(label="MIDI"),
            gr.Textbox(label="chords that are played"),
            gr.File(label="project"),
        ]
        _add(api_songs.change, changes, changed, limits)
        sheet = [
            GivenFile(label="song", type="filepath"),
            gr.Textbox("pdf", label="kind"),
            gr.Textbox("", label="title"),
        ]
        _add(api_songs.lead_sheet, sheet, [gr.File(label="lead sheet")], limits)
        models_of = [gr.Textbox(label="models")]
        _add(models.served, [_genre(genres, first)], models_of, {"concurrency_limit": None})


def _of_song(genres: list[str], first: str | None) -> list[Any]:
    """Return a widget for each argument of api.accompany."""
    return [
        GivenFile(label="melody", type="filepath"),
        _genre(genres, first),
        GivenNumber(0, label="seed", precision=0),
        gr.Textbox("", label="chords"),
        gr.Dropdown(list(INTROS), value="none", label="intro", allow_custom_value=True),
        gr.Textbox("", label="style"),
        GivenNumber(Settings.style_factor, label="style_factor"),
        GivenNumber(Settings.variation, label="variation"),
        GivenNames(list(BAND), label="instruments"),
        gr.Textbox("", label="key"),
        GivenNumber(label="tempo"),
        gr.Textbox("", label="meter"),
        GivenNumber(label="track", precision=0),
        GivenNumber(Settings.colour, label="colour"),
    ]


def _add(call: Callable, inputs: list[Any], outputs: list[Any], limits: dict[str, Any]) -> None:
    """Connect a call, and describe its arguments and results as its docstring does."""
    _, arguments, results = get_function_description(call)
    for widget in inputs:
        _describe(widget, "additional_description", arguments[widget.label])
    described = dict(result.strip().split(": ", 1) for result in results)
    for widget in outputs:
        _describe(widget, "description", described[widget.label])
    button = gr.Button()
    button.click(call, inputs, outputs, api_name=call.__name__, **limits)


def _describe(widget: Any, key: str, words: str) -> None:
    info = widget.api_info() | {key: " ".join(words.split())}
    widget.api_info_as_input = widget.api_info_as_output = lambda: info


def _genre(genres: list[str], first: str | None) -> gr.Dropdown:
    return gr.Dropdown(genres, value=first, label="genre", allow_custom_value=True)


def _own_file(address: str) -> str | None:
    """Return the path in an address of this page's own files; None for all else."""
    parts = urlsplit(address)
    _, is_own, path = parts.path.partition(OWN_FILE)
    if parts.scheme not in ("http", "https") or not is_own:
        return None
    file, folder = Path(unquote(path)).resolve(), uploads().resolve()
    return str(file) if file.is_relative_to(folder) and file.is_file() else None
