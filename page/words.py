"""What the page says, in the language of the visitor's browser.

All words of the page stand in one table per language (words_de.json), by the English ones.
Gradio translates the constant texts of widgets in the browser (`WORDS`), `say` translates what
Python sends to it, and `t` of words.js what a script of the page writes.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext

FOLDER = Path(__file__).parent
GERMAN: dict[str, str] = json.loads((FOLDER / "words_de.json").read_text(encoding="utf-8"))
TABLES = {"de": GERMAN}  # by language; English is in the code
WORDS = gr.I18n(en={word: word for word in GERMAN}, **TABLES)
# In front of scripts of widgets: the function t.
SCRIPT = (FOLDER / "words.js").read_text(encoding="utf-8")


def choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return labels, which the browser translates, and values of a widget's choices."""
    return [(str(WORDS(name)), name) for name in names]


def language() -> str:
    """Return the language of the visitor whose event is handled, as its browser tells it."""
    request = LocalContext.request.get(None)
    accepted = request.headers.get("accept-language", "") if request else ""
    first = accepted.split(",")[0].split(";")[0].strip().lower().partition("-")[0]
    return first if first in TABLES else "en"


def say(text: str, /, **values: Any) -> str:
    """Return a text of the page in the visitor's language.

    Args:
        text: In English, with names of values in braces.
        **values: What is put in their place. Words among them are translated before.
    """
    words = TABLES.get(language(), {}).get(text, text)
    return words.format(**values) if values else words


def said_by_library(message: str) -> str:
    """Return a message of the library in the visitor's language, where its table has it.

    The table (library_de.json) has a message's constant parts, with {} for each value; values that
    are such messages themselves are translated, too.
    """
    if language() == "en":
        return message
    for pattern, words in _of_library():
        if found := pattern.fullmatch(message):
            return words.format("", *map(said_by_library, found.groups()))
    return message


@cache
def _of_library() -> list[tuple[re.Pattern[str], str]]:
    """Return what matches each message, the longest first, and its words."""
    table = json.loads((FOLDER / "library_de.json").read_text(encoding="utf-8"))
    ordered = sorted(table.items(), key=lambda item: -len(item[0]))
    return [
        (re.compile("(.*?)".join(map(re.escape, text.split("{}"))), re.DOTALL), words)
        for text, words in ordered
    ]


def say_number(value: float) -> str:
    """Return a number as the visitor's language writes it."""
    return f"{value:g}".replace(".", "," if language() == "de" else ".")


def head() -> str:
    """Return what the page's head needs for words.js: the table of the browser's language."""
    # "<" would end the script's element.
    tables = json.dumps(TABLES, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f"<script>window.accompWords = ({tables})"
        '[(navigator.language || "en").toLowerCase().split("-")[0]] ?? {};'
        f"window.accompT = (() => {{ {SCRIPT} return t; }})();</script>"
    )
