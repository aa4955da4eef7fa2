"""All words of the page stand in a table per language, and strangers' text stays text."""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path
from string import Formatter
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from accomp.errors import MusicError
from accomp.roll.grid import TRACK_NAMES
from accomp.roll.sounding_names import PLAIN, SECOND_GUITAR
from page import ensembles, messages, serving, views, visits, words
from page.genres import LINES
from page.messages import NO_MELODY, NO_TAKE, Refusal, errors_shown, for_programs, plain
from page.player.offered import OFFERED, more
from page.words import TABLES, WORDS, choices, head, say

PAGE = Path(__file__).parents[2] / "page"
SAYING = {"t", "say", "refuse", "warn", "tell"}
PYTHON = [PAGE.parent / "app.py", *PAGE.rglob("*.py")]
SCRIPTS = [file for file in PAGE.rglob("*.js") if not {"node_modules", "made"} & set(file.parts)]


def constants(node) -> set[str]:
    """The texts in a piece of code."""
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def said(tree) -> set[str]:
    """The texts that are handed to what translates, and the tuples that widgets are made of."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
            first = node.args[0]
            parts = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            if node.func.id in SAYING:
                found |= {part.value for part in parts if isinstance(part, ast.Constant)}
        if isinstance(node, ast.comprehension) and getattr(node.target, "id", "") == "text":
            found |= constants(node.iter)
    return found


def scripted() -> set[str]:
    calls = re.compile(r"""(?<![\w.])t\(\s*(["'`])((?:(?!\1).)*)\1""")
    return {text for file in SCRIPTS for _, text in calls.findall(file.read_text())}


@pytest.fixture
def german():
    """As in an event of a visitor whose browser speaks German."""
    request = SimpleNamespace(headers={"accept-language": "de-AT,de;q=0.9,en;q=0.8"})
    before = LocalContext.request.set(request)
    yield
    LocalContext.request.reset(before)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_word_of_the_page_is_in_the_table(table):
    trees = [ast.parse(file.read_text()) for file in PYTHON]
    needed = scripted().union(*map(said, trees))
    needed |= {
        NO_MELODY,
        NO_TAKE,
        visits.LOST,
        messages.NOBODY,
        serving.BUSY,
        views.MIXES,
        *views.MODES.values(),
        *LINES.values(),
    }.union(*(names.values() for names in [*OFFERED.values(), *more().values()]))
    needed |= {*TRACK_NAMES, *PLAIN, SECOND_GUITAR, *ensembles.WORDS.values()}
    assert needed - table.keys() == set()
    written = scripted().union(*map(constants, trees))
    assert table.keys() - written - needed == set()  # nothing that is said no more
    names = {text: {name for _, name, _, _ in Formatter().parse(text) if name} for text in table}
    assert all(
        {name for _, name, _, _ in Formatter().parse(table[text]) if name} == names[text]
        for text in table
    )


def test_the_browsers_language_is_spoken(german):
    assert say("{count} bars", count=8) == "8 Takte"
    assert views.key_words("A minor") == "A-Moll" and words.say_number(0.4) == "0,4"
    assert say("what no table has") == "what no table has"
    with pytest.raises(gr.Error, match="Öffne zuerst eine Melodie"):
        raise messages.refuse(NO_MELODY)


def test_without_a_browser_it_is_english():
    assert say("{count} bars", count=8) == "8 bars" and words.say_number(0.4) == "0.4"
    assert choices(["drums"]) == [(str(WORDS("drums")), "drums")]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_scripts_speak_it_too():
    table = re.search(r"<script>(.*)</script>", head(), re.DOTALL)
    script = (
        "const window = {}, navigator = { language: 'de-DE' };"
        f"{table and table[1]}; {words.SCRIPT}"
        "console.log(JSON.stringify([t('Remake'), t('{count} bars', { count: 3 }), t('{x}')]))"
    )
    answer = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == ["Neu machen", "3 Takte", "{x}"]


def test_a_strangers_text_is_shown_as_it_is():
    with pytest.raises(Refusal) as caught, errors_shown():
        raise MusicError("track '<img src=//evil.test/x>' & more")
    assert caught.value.message == "track '&lt;img src=//evil.test/x&gt;' &amp; more"
    assert caught.value.words == "track '<img src=//evil.test/x>' & more"
    assert not caught.value.print_exception
    with for_programs():
        assert messages.refuse("a < b").message == "a < b"
    assert len(messages.refuse("x" * 10_000).message) < 1000
    assert plain("*a* [b](http://c) <i>_d_ ü 1") == (
        "&#42;a&#42; &#91;b&#93;&#40;http&#58;&#47;&#47;c&#41; &#60;i&#62;&#95;d&#95; ü 1"
    )


def written_by_library() -> set[str]:
    """The texts in the library's code, with {} for each value."""
    found = set()
    for file in (PAGE.parent / "accomp").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    each.value if isinstance(each, ast.Constant) else "{}" for each in node.values
                ]
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_the_librarys_messages_are_translated(german):
    table = json.loads((PAGE / "library_de.json").read_text())
    assert table.keys() - written_by_library() - {"accepted: {}"} == set()  # none is out of date
    for text, said in table.items():
        numbers = {name for _, name, _, _ in Formatter().parse(said) if name}
        assert numbers == {str(number + 1) for number in range(text.count("{}"))}, text
    with (
        pytest.raises(gr.Error, match="das Tempo ist 3; angenommen wird: 10 bis 400"),
        errors_shown(),
    ):
        raise MusicError("the tempo is 3; accepted: 10 to 400 beats a minute")
    assert words_of("seed is -1; accepted: 0 to 5") == "seed ist -1; angenommen wird: 0 to 5"
    assert words_of("what no table has") == "what no table has"


def words_of(message: str) -> str:
    return words.said_by_library(message)
