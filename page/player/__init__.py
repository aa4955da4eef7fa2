"""The song player: a piano roll with a mixer under each track's name. The browser mixes the sound.

    player = Player()
    # `make` gets {"bars": [3, 4] or None, "locked": ["bass"]}
    button.click(make, [melody, player], player)
    # def on_choice(event: gr.EventData): event.bars, event.locked
    player.select(on_choice, trigger_mode="multiple")

`make` yields `view_of(song)`, which shows at once, then `view_of(song, stems=...)`, which adds the
sound.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from page.player.view import VOICE, view_of

__all__ = ["VOICE", "Player", "view_of"]

FOLDER = Path(__file__).parent
SCRIPTS = ("sound.js", "roll.js", "player.js")  # they run as one, in this order
ICONS = {  # paths in a square of 16 by 16; of "play" and "pause" the button shows one
    "start": '<path d="M3 3h2v10H3zM13 3v10L6 8z"/>',
    "play": '<path class="go" d="M4 2.5v11L13.5 8z"/>'
    '<path class="rest" d="M4 3h3v10H4zM9 3h3v10H9z"/>',
    "loop": '<path d="M11 1l3 3-3 3V5H5a2 2 0 0 0-2 2v1H1V7a4 4 0 0 1 4-4h6z"/>'
    '<path d="M5 15l-3-3 3-3v2h6a2 2 0 0 0 2-2V8h2v1a4 4 0 0 1-4 4H5z"/>',
    "out": '<path d="M3 7h10v2H3z"/>',
    "in": '<path d="M7 3h2v4h4v2H9v4H7V9H3V7h4z"/>',
}


def _button(kind: str, label: str, hint: str, state: str = "") -> str:
    icon = f'<svg viewBox="0 0 16 16" aria-hidden="true">{ICONS[kind]}</svg>'
    named = f'aria-label="{label}" title="{hint}"'
    return f'<button type="button" class="{kind}" {named} {state}>{icon}</button>'


# Nothing in here comes from the value: where a template changes with its value, Gradio writes the
# elements again.
TEMPLATE = f"""
<section class="player" tabindex="0" role="group" aria-label="Song player" hidden>
<div class="transport">
<div class="keys">
{_button("start", "Back to the start", "Back to the start (Home)")}
{_button("play", "Play", "Play or pause (space)")}
{_button("loop", "Loop", "Repeat the selected bars, or all", 'aria-pressed="false"')}
</div>
<div class="clock"><span class="time">0:00 / 0:00</span><span class="place">bar 1</span></div>
<div class="title"></div>
<div class="status" role="status" aria-live="polite"></div>
<div class="picked" hidden><span></span><button type="button" class="clear"
 aria-label="Clear the selection" title="Clear the selection (Escape)">&times;</button></div>
<div class="keys zoom">
{_button("out", "Zoom out", "Zoom out (Ctrl and wheel)")}
{_button("in", "Zoom in", "Zoom in (Ctrl and wheel)")}
</div>
</div>
<div class="stage">
<div class="scroll" tabindex="-1"><div class="space">
<div class="window"><canvas role="img"></canvas>
<div class="ruler" title="Drag to select bars"></div><div class="playhead"></div></div></div></div>
<div class="tracks"></div>
</div>
</section>
"""


class Player(gr.HTML):
    """Show what `view_of` returns.

    As an input it gives {"bars": [first, last] or None, "locked": [names of tracks]}. `bars` are
    the selected ones, counted from 1 as in `song.bars`: a pickup is 1 here, although its number in
    the picture is 0.

    When the visitor changes either, the event `select` comes: a `gr.EventData` with `bars` and
    `locked`. The handler needs trigger_mode="multiple": by default Gradio drops an event that comes
    while the one before is handled, and "always_last" calls the handler again, but with the data of
    the event before.
    """

    def __init__(self, value: dict | None = None, **options):
        scripts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
        super().__init__(
            value,
            html_template=TEMPLATE,
            css_template=(FOLDER / "player.css").read_text(encoding="utf-8"),
            js_on_load="\n".join(scripts),
            apply_default_css=False,
            **options,
        )

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """Return the selected bars and the locked tracks of what the browser sent."""
        choice = payload.get("choice") if isinstance(payload, dict) else None
        choice = choice if isinstance(choice, dict) else {}
        bars, locked = choice.get("bars"), choice.get("locked")
        is_range = (
            isinstance(bars, list)
            and len(bars) == 2
            and all(type(bar) is int for bar in bars)
            and 1 <= bars[0] <= bars[1]
        )
        names = locked if isinstance(locked, list) else []
        return {
            "bars": bars if is_range else None,
            "locked": [name for name in names if isinstance(name, str)],
        }

    def postprocess(self, value: dict | None) -> dict | None:
        """Return a view with its song as a string.

        Of lists, Gradio's page makes a proxy each, and every lock of a long song would take
        seconds.
        """
        if value is None:
            return None
        song = {name: part for name, part in value.items() if name not in ("id", "stems")}
        return {
            "id": value["id"],
            "stems": value["stems"],
            "song": json.dumps(song, allow_nan=False),
        }

    def api_info(self) -> dict[str, Any]:
        """Describe the value for programs."""
        return {
            "type": "object",
            "description": "a song as page.player.Player.postprocess gives it",
        }
