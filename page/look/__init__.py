"""How the page looks: its theme, its typeface, the pictures and the sounds on its cards.

Everything is served by the app itself. Inter by Rasmus Andersson (SIL Open Font License 1.1, see
static/inter-OFL.txt) is the typeface; pictures and sounds are made by `page.look.tastes`.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from accomp.music.melody_track import melody_index
from accomp.music.midi import read_midi
from page.look.pictures import as_address, melody_picture
from page.look.theme import theme
from page.melodies import EXAMPLES
from page.models import GENRES
from page.naming import title
from page.words import head

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
FONTS = {  # files, and what letters each has
    "inter-latin-wght-normal": "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, "
    "U+02DC, U+0304, U+0308, U+0329, U+2000-206F, U+20AC, U+2122, U+2191, U+2193, U+2212, U+2215, "
    "U+FEFF, U+FFFD",
    "inter-latin-ext-wght-normal": "U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, "
    "U+02DD-02FF, U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2020, U+20A0-20AB, U+20AD-20C0, U+2113, "
    "U+2C60-2C7F, U+A720-A7FF",
}


def _served(name: str) -> str:
    """Return the address of a static file, relative to the page's own."""
    return f"gradio_api/file={STATIC / name}"


def _css() -> str:
    """Return the page's style, with the fonts and the cards' pictures."""
    fonts = [
        f'@font-face {{font-family: "Inter"; src: url("{_served(f"{name}.woff2")}") '
        'format("woff2"); font-weight: 100 900; font-display: swap; '
        f"unicode-range: {letters};}}"
        for name, letters in FONTS.items()
    ]
    parts = [*fonts, (FOLDER / "page.css").read_text(encoding="utf-8")]
    tastes = []
    for genre in GENRES:
        picture = STATIC / f"{genre}.svg"
        if picture.is_file():
            address = as_address(picture.read_text(encoding="utf-8"))
            parts.append(_card("genres", genre.capitalize(), f'background-image: url("{address}")'))
            tastes.append(f"--taste-{genre}: {json.dumps(_served(f'{genre}.mp3'))};")
    for name, path in EXAMPLES.items():
        song = read_midi(path)
        address = as_address(melody_picture(song, melody_index(song, None)))
        mask = f'-webkit-mask-image: url("{address}"); mask-image: url("{address}")'
        parts.append(_card("examples", title(name), mask))
    parts.append(f":root {{ {' '.join(tastes)} }}")
    return "\n".join(parts)


def _card(group: str, name: str, rule: str) -> str:
    """Return the rule of a card's picture; Gradio names a radio button by what it shows."""
    return f'#{group} label[data-testid="{name}-radio-label"]::before {{ {rule} }}'


gr.set_static_paths([STATIC])
# The style stands in the head: Gradio adds rules of its own to what it takes as `css`, which weigh
# more than those with an attribute of the root element.
LOOK: dict[str, Any] = {
    "theme": theme(),
    "head": f"{head()}<style>{_css()}</style>",
    "footer_links": ["api"],
}
