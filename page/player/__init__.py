"""The song player: a piano roll with a mixer under each track's name.

The browser plays the notes live, with the synthesizer and the instruments of the files. Where it
can't, it mixes stems that the server has rendered.

    player = Player()
    # `make` gets {"bars": [3, 4] or None, "locked": ["bass"]}
    button.click(make, [melody, player], player)
    # def on_choice(event: gr.EventData): event.bars, event.locked
    player.select(on_choice, trigger_mode="multiple")
    # for browsers that can't play live: `render` returns view_of(song, stems=...)
    player.download(render, ..., player)

`make` returns `view_of(song)`. The scripts are ES modules in the folder web; their types are in
web/types.d.ts.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from accomp.errors import MusicError
from page.chord_edits import read_symbol
from page.player.live import folder, make_sound, places
from page.player.view import VOICE, Editing, Voice, editable, view_of
from page.words import SCRIPT

__all__ = ["VOICE", "Editing", "Player", "Voice", "bring_sound", "editable", "loader", "view_of"]

FOLDER = Path(__file__).parent
MOST_STEPS = 7  # semitones up or down: a fifth
ICONS = {  # paths in a square of 16 by 16; of "play" and "pause" the button shows one
    "start": '<path d="M3 3h2v10H3zM13 3v10L6 8z"/>',
    "play": '<path class="go" d="M4 2.5v11L13.5 8z"/>'
    '<path class="rest" d="M4 3h3v10H4zM9 3h3v10H9z"/>',
    "loop": '<path d="M11 1l3 3-3 3V5H5a2 2 0 0 0-2 2v1H1V7a4 4 0 0 1 4-4h6z"/>'
    '<path d="M5 15l-3-3 3-3v2h6a2 2 0 0 0 2-2V8h2v1a4 4 0 0 1-4 4H5z"/>',
    "out": '<path d="M3 7h10v2H3z"/>',
    "metronome": '<path d="M6 1h4l3 14H3zm1.4 2-1.7 9h4.6L9.5 6.5 8 10 7 9.6l1.7-4L8.6 3z"/>',
    "count": '<path d="M1.2 5.4V4l2-1.3h1.3V13H3V4.6zM6.3 13v-1.3c2.9-3.4 3.4-4.3 3.4-5.4 0-1.6-1.8'
    '-1.7-1.8.1H6.4c0-3.7 4.8-3.7 4.8-.1 0 1.6-.8 2.7-2.9 5.3h2.9V13zM13 11h2v2h-2z"/>',
    "tempo": '<path d="M11 1v10.6a2.7 2.2 0 1 1-1.4-1.9V1z"/>',
    "key": '<path d="M6 2l8-1v10a2.4 2.4 0 1 1-2-2.3V4.4L8 5v7.6a2.4 2.4 0 1 1-2-2.3z"/>',
    "in": '<path d="M7 3h2v4h4v2H9v4H7V9H3V7h4z"/>',
}


def _icon(kind: str) -> str:
    return f'<svg viewBox="0 0 16 16" aria-hidden="true">{ICONS[kind]}</svg>'


def _button(kind: str, state: str = "") -> str:
    return f'<button type="button" class="{kind}" {state}>{_icon(kind)}</button>'


def _keys() -> str:
    """Return the choices of how many semitones the sound is transposed by, down to up."""
    return "".join(
        f'<option value="{steps}">{steps:+d}</option>' if steps else "<option selected>0</option>"
        for steps in range(MOST_STEPS, -MOST_STEPS - 1, -1)
    )


# Nothing in here comes from the value: where a template changes with its value, Gradio writes the
# elements again. The words are in web/labels.js.
TEMPLATE = f"""
<section class="player" tabindex="0" role="group" hidden>
<div class="transport">
<div class="keys">{_button("start")}{_button("play")}{_button("loop", 'aria-pressed="false"')}</div>
<div class="clock"><span class="time">0:00 / 0:00</span><span class="place"></span></div>
<div class="title"></div>
<div class="status" role="status" aria-live="polite"></div>
<div class="views" role="group" hidden>
<button type="button" class="hear-band" aria-pressed="true"></button>
<button type="button" class="hear-melody" aria-pressed="false"></button>
</div>
<div class="tools" role="group">
<button type="button" class="edit-notes" aria-pressed="false"></button>
<button type="button" class="edit-chords" aria-pressed="false"></button>
</div>
<div class="paces">
<label>{_icon("tempo")}<input type="range" class="tempo" min="60" max="180" step="1" value="120">
</label><button type="button" class="pace">120</button>
<label>{_icon("key")}<select class="transpose">{_keys()}</select></label>
</div>
<div class="keys clicks">{_button("metronome", 'aria-pressed="false"')}
{_button("count", 'aria-pressed="false"')}</div>
<div class="picked" hidden><span></span><button type="button" class="clear">&times;</button></div>
<div class="keys zoom">{_button("out")}{_button("in")}</div>
</div>
<div class="desk" hidden></div>
<div class="stage">
<div class="scroll" tabindex="-1"><div class="space">
<div class="window"><canvas role="img"></canvas>
<div class="ruler"></div><div class="playhead"></div></div></div></div>
<div class="tracks"></div>
</div>
<div class="foot"><span class="hint" hidden></span><span class="source"></span></div>
</section>
"""


def bring_sound(key: str) -> str:
    """Make an instrument's file for a browser that misses it, and return its name."""
    try:
        return make_sound(str(key))
    except MusicError as error:
        raise gr.Error(str(error)) from error


def read_chord(text: str) -> str:
    """Return a chord symbol as songs have it; empty where the text is none."""
    try:
        return read_symbol(str(text))
    except MusicError:
        return ""


def loader(file: Path) -> str:
    """Return a script that loads the others, with what they are told."""
    script = file.read_text(encoding="utf-8")
    return f"{SCRIPT}\n{script.replace('PLACES', json.dumps(places()))}"


class Player(gr.HTML):
    """Show what `view_of` returns.

    As an input it gives {"id": of the song or None, "bars": [first, last] or None, "locked": [names
    of tracks]}. `bars` are the selected ones, counted from 1 as in `song.bars`: a pickup is 1 here,
    although its number in the picture is 0.

    When the visitor changes either, the event `select` comes: a `gr.EventData` with `bars` and
    `locked`. The handler needs trigger_mode="multiple": by default Gradio drops an event that comes
    while the one before is handled, and "always_last" calls the handler again, but with the data of
    the event before.

    Two events tell of the song with the `id` how it shall be given out: `release` its `tempo` in
    quarters a minute (None for its own) and by how many semitones to `transpose` it, `submit` the
    `program` of a `track`. They need trigger_mode="multiple", too.

    Where the browser can't play live the event `download` comes: it asks for the stems.

    What is edited comes as events that page.editing handles: `edit` (notes of the melody), `apply`
    (chords), `retry` (the band for an edited melody), `tick` (bars of a player) and `expand` (what
    chords fit in a place).
    """

    def __init__(self, value: dict | None = None, **options):
        gr.set_static_paths(folder())
        super().__init__(
            value,
            html_template=TEMPLATE,
            css_template="\n".join(
                (FOLDER / name).read_text(encoding="utf-8") for name in ("player.css", "edit.css")
            ),
            js_on_load=loader(FOLDER / "load.js"),
            apply_default_css=False,
            server_functions=[bring_sound, read_chord],
            **options,
        )

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """Return the song's id, the selected bars and the locked tracks that the browser sent."""
        song = payload.get("id") if isinstance(payload, dict) else None
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
            "id": song if isinstance(song, str) else None,
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
