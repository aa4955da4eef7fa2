"""The player's scripts by themselves: their own tests and types, with node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from page.player import live

TESTS = sorted((Path(__file__).parent / "scripts").glob("*.test.js"))
TYPESCRIPT = live.PACKAGES / "typescript" / "bin" / "tsc"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
]


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_they_do_what_they_say(file):
    run = subprocess.run(["node", "--test", file], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout
    assert "# pass 0" not in run.stdout and "# fail 0" in run.stdout


@pytest.mark.skipif(not TYPESCRIPT.is_file(), reason="typescript is not installed: setup.sh dev")
def test_their_types_fit():
    run = subprocess.run(
        ["node", TYPESCRIPT, "-p", live.FOLDER], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout
