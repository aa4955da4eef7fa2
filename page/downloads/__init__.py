"""The Download button with its menu: named choices, made when they are asked for.

    downloads = Downloads()
    downloads.expand(offer, ..., downloads)   # the menu was opened: what is ready at once
    # def make(event: gr.EventData): event.kind
    downloads.select(make, ..., downloads)

Its value is what `page.keeping.offered` returns; a kind that was asked for is downloaded as soon as
it is among the value's files.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from page.words import SCRIPT

FOLDER = Path(__file__).parent


class Downloads(gr.HTML):
    """Offer the files of a take."""

    def __init__(self, value: dict | None = None, **options):
        super().__init__(
            value,
            html_template='<section class="downloads" hidden></section>',
            css_template=(FOLDER / "downloads.css").read_text(encoding="utf-8"),
            js_on_load=SCRIPT + (FOLDER / "downloads.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            **options,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the value for programs."""
        return {"type": "object", "description": "files of a take, by kind"}
