"""What the page keeps for each visitor, without a place on the screen."""

from typing import NamedTuple

import gradio as gr

from accomp.project.settings import Settings
from page.seen import Seen

STORAGE = "accomp-takes"  # the name under which the browser keeps takes
DRAFT = "accomp-melody"  # likewise, an edited melody
SECRET = "accomp"  # Gradio scrambles what is kept; it is the visitor's own and nothing to hide


class Hidden(NamedTuple):
    """What is kept, and boxes whose changes start events."""

    source: gr.State
    settings: gr.State
    takes: gr.State
    number: gr.State  # of the take that is shown
    seen: gr.State
    gone: gr.State  # the take that was deleted last
    kept: gr.BrowserState
    draft: gr.BrowserState  # an edited melody that no take has yet
    query: gr.Textbox
    understanding: gr.Textbox
    showing: gr.Textbox
    beside: gr.Textbox
    ordered: gr.Textbox  # its change makes a take
    fragment: gr.Textbox  # the page's address from its # on
    offered: gr.Textbox  # chords for a place, for the player's script


def hidden() -> Hidden:
    """Add the state and the invisible boxes."""
    return Hidden(
        gr.State(),
        gr.State(Settings()),
        gr.State([]),
        gr.State(),
        gr.State(Seen()),
        gr.State(),
        gr.BrowserState({}, storage_key=STORAGE, secret=SECRET),
        gr.BrowserState("", storage_key=DRAFT, secret=SECRET),
        *(gr.Textbox(visible=False) for _ in range(7)),
    )
