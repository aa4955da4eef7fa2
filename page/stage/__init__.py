"""The list of takes, and what the page as a whole does in the browser.

    takes = TakeList()
    # def on_choice(event: gr.EventData): event.number
    takes.select(on_choice, trigger_mode="multiple")

Its events: `select`, `like` (a star) and `delete` have the `number` of a take, `edit` also its new
`title`; `undo`, `retry` (redo) and `apply` (bring back what was deleted) have nothing.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from page.words import SCRIPT

FOLDER = Path(__file__).parent
SCRIPTS = ("stage.js", "takes.js")  # they run as one after words.js, in this order


class TakeList(gr.HTML):
    """Show the takes that `page.listing.listed` lists."""

    def __init__(self, value: dict | None = None, **options):
        scripts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
        super().__init__(
            value,
            html_template='<section class="takes" aria-label="Takes" hidden></section>',
            css_template=(FOLDER / "takes.css").read_text(encoding="utf-8"),
            js_on_load="\n".join([SCRIPT, *scripts]),
            apply_default_css=False,
            **options,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the value for programs."""
        return {"type": "object", "description": "takes, and which is shown"}
