"""The documents: their Python runs, and their commands are understood."""

import re
import shlex
from itertools import groupby
from pathlib import Path

import pytest

from accomp.cli.arguments import read_arguments

pytestmark = pytest.mark.usefixtures("loaded_once")

ROOT = Path(__file__).parents[1]
OPERATORS = ("&&", "||", "|", ";", "&")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language):
    """The code blocks of all documents in a language, with their places as names of tests."""
    for path in DOCUMENTS:
        text = path.read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(match[1], id=f"{path.name}:{line}")


def python_blocks():
    """Those that use the library; "# not run" in a first line excuses a block."""
    for block in blocks("python"):
        (code,) = block.values
        if re.match(r"(from|import) accomp\b", code):
            marks = [pytest.mark.sound] if "write_audio" in code else []
            yield pytest.param(code, id=block.id, marks=marks)


def commands(shell):
    """The arguments of each call of accomp in lines for a shell."""
    for line in shell.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for is_operator, group in groupby(lexer, lambda word: word in OPERATORS):
            words = [word for word in group if not re.match(r"[A-Z_]+=", word)]  # the environment
            if is_operator or not words:
                continue
            name = Path(words[0]).name
            if name.startswith("python") and words[1:3] == ["-m", "accomp"]:
                yield words[3:]
            elif name == "accomp":
                yield words[1:]


@pytest.mark.parametrize("code", python_blocks())
def test_python_runs(code, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(code, {})


@pytest.mark.parametrize("shell", blocks("sh"))
def test_commands_are_understood(shell):
    for arguments in commands(shell):
        try:
            read_arguments(arguments)
        except SystemExit as ended:  # --help, --version and --styles end well
            assert ended.code == 0, f"accomp {shlex.join(arguments)}"


def test_commands_are_found():
    shell = 'A=1 .venv/bin/python -m accomp a.mid --chords "| C | G |" && accomp --invent 8 # so\n'
    assert list(commands(shell)) == [["a.mid", "--chords", "| C | G |"], ["--invent", "8"]]
    assert list(commands("python -m train vae\n./setup.sh && \\\n  accomp x.mid")) == [["x.mid"]]


def test_there_are_blocks():
    """At least those of the README: how to run it, and its Python."""
    assert any(block.id.startswith("README.md") for block in python_blocks())
    assert any(list(commands(block.values[0])) for block in blocks("sh"))
